package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Job is a scan over the whole table.
type Job string

const (
	Backfill Job = "backfill" // source to target
	Refill   Job = "refill"   // target to source, on the way back
	Verify   Job = "verify"   // compare source with target
)

// Progress is how far a job has come. Key values travel as text.
type Progress struct {
	Job         Job        `json:"job"`
	Part        string     `json:"part,omitempty"`     // of a partitioned table: the leaf where it stands, quoted
	Position    []string   `json:"position,omitempty"` // the last key done; nil at the start
	Upper       []string   `json:"upper,omitempty"`    // the last key to do; nil for an empty table
	Aside       []Span     `json:"aside,omitempty"`    // up to Position, left for the end
	RowsScanned int64      `json:"rows_scanned"`
	RowsChanged int64      `json:"rows_changed"`
	Mismatches  int64      `json:"mismatches"`
	Samples     [][]string `json:"samples,omitempty"` // keys of the first mismatches
	Estimate    int64      `json:"estimate"`          // rows in the table, as the planner thinks
	Epoch       int        `json:"epoch"`             // the epoch in which the job began
	StartedAt   time.Time  `json:"started_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`

	// Forecast is what was expected, beside Estimate.
	Forecast Forecast `json:"forecast"`
	// Of a job that copies and is finished: the WAL that the whole server wrote
	// from its start to its end, and by how much the table grew.
	WALBytes    int64 `json:"wal_bytes"`
	GrowthBytes int64 `json:"growth_bytes"`
}

// Span is a range of keys, in a partitioned table those of one leaf: after Lower
// (nil: from the first row) up to and including Upper.
type Span struct {
	Part  string   `json:"part,omitempty"`
	Lower []string `json:"lower"`
	Upper []string `json:"upper"`
}

// Forecast is what a job that copies is expected to cost.
type Forecast struct {
	// Seconds is known after the first batches; 0 before.
	Seconds float64 `json:"seconds,omitempty"`
	// WALBytes and GrowthBytes are at most.
	WALBytes    int64 `json:"wal_bytes,omitempty"`
	GrowthBytes int64 `json:"growth_bytes,omitempty"`
}

// Finished tells whether the job has seen the whole table.
func (p Progress) Finished() bool { return p.FinishedAt != nil }

// GetProgress reads a job's progress; false when it never began.
func GetProgress(ctx context.Context, db Conn, id int64, job Job) (Progress, bool, error) {
	p := Progress{Job: job}
	var samples, forecast, aside []byte
	err := db.QueryRow(ctx, `select part, position, upper, rows_scanned, rows_changed, mismatches, samples, estimate, epoch,
			started_at, updated_at, finished_at, forecast, wal_bytes, growth_bytes, aside
		from crossfade.progress where transition_id = $1 and job = $2`, id, string(job)).
		Scan(&p.Part, &p.Position, &p.Upper, &p.RowsScanned, &p.RowsChanged, &p.Mismatches, &samples, &p.Estimate, &p.Epoch,
			&p.StartedAt, &p.UpdatedAt, &p.FinishedAt, &forecast, &p.WALBytes, &p.GrowthBytes, &aside)
	if errors.Is(err, pgx.ErrNoRows) {
		return Progress{}, false, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(samples, &p.Samples), json.Unmarshal(forecast, &p.Forecast), json.Unmarshal(aside, &p.Aside))
	}
	if err != nil {
		return Progress{}, false, fmt.Errorf("read progress of %s: %w", job, err)
	}
	return p, true, nil
}

// StartProgress writes the beginning of a job, over what was there before. bytes
// is the size of the table.
func StartProgress(ctx context.Context, db Conn, id int64, p Progress, bytes int64) error {
	forecast, err := json.Marshal(p.Forecast)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Job, err)
	}
	_, err = db.Exec(ctx, `insert into crossfade.progress
			(transition_id, job, part, upper, estimate, epoch, forecast, start_bytes, start_lsn)
		values ($1, $2, $8, $3, $4, $5, $6, $7, pg_current_wal_lsn())
		on conflict (transition_id, job) do update set part = excluded.part, position = null, aside = '[]', upper = excluded.upper, rows_scanned = 0,
			rows_changed = 0, mismatches = 0, samples = '[]', estimate = excluded.estimate, epoch = excluded.epoch,
			started_at = clock_timestamp(), updated_at = clock_timestamp(), finished_at = null,
			waiting = '', signals = '[]', noted_at = null,
			forecast = excluded.forecast, start_bytes = excluded.start_bytes, start_lsn = excluded.start_lsn,
			wal_bytes = 0, growth_bytes = 0`,
		id, string(p.Job), p.Upper, p.Estimate, p.Epoch, forecast, bytes, p.Part)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Job, err)
	}
	return nil
}

// SaveProgress writes how far a job has come. A batch calls it in its own
// transaction, so that the position and the rows can never disagree.
func SaveProgress(ctx context.Context, db Conn, id int64, p Progress, finished bool) error {
	samples, err := listOf(p.Samples)
	if err != nil {
		return fmt.Errorf("save progress of %s: %w", p.Job, err)
	}
	aside, err := listOf(p.Aside)
	if err != nil {
		return fmt.Errorf("save progress of %s: %w", p.Job, err)
	}
	_, err = db.Exec(ctx, `update crossfade.progress set position = $3, rows_scanned = $4, rows_changed = $5,
			mismatches = $6, samples = $7, updated_at = clock_timestamp(),
			finished_at = case when $8 then clock_timestamp() end, aside = $9, part = $10, upper = $11
		where transition_id = $1 and job = $2`,
		id, string(p.Job), p.Position, p.RowsScanned, p.RowsChanged, p.Mismatches, samples, finished, aside, p.Part, p.Upper)
	if err != nil {
		return fmt.Errorf("save progress of %s: %w", p.Job, err)
	}
	return nil
}

// listOf is a JSON array, also of nil.
func listOf[T any](list []T) ([]byte, error) {
	if list == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(list)
}

// ForgetProgress voids a job: it begins anew the next time.
func ForgetProgress(ctx context.Context, db Conn, id int64, job Job) error {
	if _, err := db.Exec(ctx, `delete from crossfade.progress where transition_id = $1 and job = $2`, id, string(job)); err != nil {
		return fmt.Errorf("forget %s: %w", job, err)
	}
	return nil
}

// ForeseeProgress adds to the forecast how long a job will take.
func ForeseeProgress(ctx context.Context, db Conn, id int64, job Job, seconds float64) error {
	_, err := db.Exec(ctx, `update crossfade.progress set forecast = forecast || jsonb_build_object('seconds', $3::float8)
		where transition_id = $1 and job = $2`, id, string(job), seconds)
	if err != nil {
		return fmt.Errorf("foresee %s: %w", job, err)
	}
	return nil
}

// MeasureProgress writes down what a job has cost, at its end. bytes is the size
// of the table.
func MeasureProgress(ctx context.Context, db Conn, id int64, job Job, bytes int64) error {
	_, err := db.Exec(ctx, `update crossfade.progress set growth_bytes = $3 - start_bytes,
			wal_bytes = pg_wal_lsn_diff(pg_current_wal_lsn(), start_lsn)::bigint
		where transition_id = $1 and job = $2`, id, string(job), bytes)
	if err != nil {
		return fmt.Errorf("measure %s: %w", job, err)
	}
	return nil
}
