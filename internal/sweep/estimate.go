package sweep

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
)

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
