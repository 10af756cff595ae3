package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Report tells how a sweep is getting on.
type Report struct {
	ledger.Progress
	// Batch is the number of rows in the next batch.
	Batch int
	// Rate is the rows per second of this run.
	Rate float64
	// Left is the time that the rest will take at this rate; negative when
	// that cannot be told.
	Left time.Duration
	// Waiting says why the sweep stands still; empty when it does not.
	Waiting string
	// Signals are the last readings of what may hold the sweep back.
	Signals []Reading
	// Control is what somebody has asked for: to pause, or to go slower.
	Control ledger.Control
}

// forecast fills in Rate and Left from the rows scanned since the run began.
func (r *Report) forecast(scanned int64, took time.Duration) {
	r.Left = -1
	if scanned > 0 && took > 0 {
		r.Rate = float64(scanned) / took.Seconds()
		rest := max(r.Estimate-r.RowsScanned, 0)
		r.Left = time.Duration(float64(rest) / r.Rate * float64(time.Second))
	}
	if r.Finished() {
		r.Left = 0
	}
}

// countBelow is the size of a table, in bytes, up to which counting is cheap.
const countBelow = 16 << 20

// estimate tells how many rows a table has: it counts a small one, and asks the
// planner about others, which scales its statistics to the size of today and
// makes do without any.
func estimate(ctx context.Context, tx pgx.Tx, table string) (int64, error) {
	var small bool
	var rows int64
	err := tx.QueryRow(ctx, `select relkind = 'r' and pg_relation_size(oid) < $2
		from pg_catalog.pg_class where oid = to_regclass($1)`, table, countBelow).Scan(&small)
	if err == nil && small {
		err = tx.QueryRow(ctx, `select count(*) from `+table).Scan(&rows)
		return rows, err
	}
	var answer []byte
	if err == nil {
		err = tx.QueryRow(ctx, `explain (format json) select from `+table).Scan(&answer)
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		} `json:"Plan"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &plans)
	}
	if err != nil || len(plans) == 0 {
		return 0, fmt.Errorf("estimate the rows of %s: %w", table, err)
	}
	return int64(plans[0].Plan.Rows), nil
}
