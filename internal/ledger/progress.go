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
	Repair   Job = "repair"   // copy rows that differ from the side that is read
	Watch    Job = "watch"    // compare again, beside the steps
)

// Progress is how far a job has come. Key values travel as text.
type Progress struct {
	Job         Job        `json:"job"`
	Part        string     `json:"part,omitempty"`     // of a partitioned table: a leaf, quoted
	Position    []string   `json:"position,omitempty"` // the last key of the last batch; as read from the ledger only at the end
	Upper       []string   `json:"upper,omitempty"`    // the last key of the range, or of all; nil for an empty table
	Aside       []Span     `json:"aside,omitempty"`    // left for the end
	RowsScanned int64      `json:"rows_scanned"`
	RowsChanged int64      `json:"rows_changed"`
	Mismatches  int64      `json:"mismatches"`
	Samples     [][]string `json:"samples,omitempty"` // keys of the first mismatches
	Estimate    int64      `json:"estimate"`          // rows in the table, as the planner thinks
	Epoch       int        `json:"epoch"`             // the epoch in which the job began
	FailedOver  bool       `json:"failed_over"`       // another server, or another timeline, is in charge since it began
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

// serverSQL tells one history of the data from another: the cluster, and its
// timeline, which begins with the promotion of a standby.
const serverSQL = `(select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) from pg_control_system())`

// MaxSamples is how many keys of mismatches are kept.
const MaxSamples = 20

// GetProgress reads a job's progress, that of all its workers; false when it never
// began.
func GetProgress(ctx context.Context, db Conn, id int64, job Job) (Progress, bool, error) {
	p := Progress{Job: job}
	var samples, forecast, aside []byte
	err := db.QueryRow(ctx, `
		select p.part, p.upper, p.estimate, p.epoch, p.server <> `+serverSQL+`, p.started_at, p.finished_at,
			greatest(p.started_at, w.batch_at, p.finished_at), p.forecast, p.wal_bytes, p.growth_bytes,
			w.scanned, w.changed, w.mismatches, w.samples, c.aside
		from crossfade.progress p
		cross join lateral (
			select coalesce(sum(rows_scanned), 0)::bigint as scanned, coalesce(sum(rows_changed), 0)::bigint as changed,
				coalesce(sum(mismatches), 0)::bigint as mismatches, max(batch_at) as batch_at,
				coalesce(jsonb_path_query_array(jsonb_agg(samples order by id), '$[*][*]'), '[]') as samples
			from crossfade.worker w where w.transition_id = p.transition_id and w.job = p.job) w
		cross join lateral (
			select coalesce(jsonb_agg(jsonb_build_object('part', part, 'lower', position, 'upper', upper) order by id), '[]') as aside
			from crossfade.chunk c where c.transition_id = p.transition_id and c.job = p.job and c.aside) c
		where p.transition_id = $1 and p.job = $2`, id, string(job)).
		Scan(&p.Part, &p.Upper, &p.Estimate, &p.Epoch, &p.FailedOver, &p.StartedAt, &p.FinishedAt,
			&p.UpdatedAt, &forecast, &p.WALBytes, &p.GrowthBytes, &p.RowsScanned, &p.RowsChanged, &p.Mismatches, &samples, &aside)
	if errors.Is(err, pgx.ErrNoRows) {
		return Progress{}, false, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(samples, &p.Samples), json.Unmarshal(forecast, &p.Forecast), json.Unmarshal(aside, &p.Aside))
	}
	if err != nil {
		return Progress{}, false, fmt.Errorf("read progress of %s: %w", job, err)
	}
	p.Samples = p.Samples[:min(len(p.Samples), MaxSamples)]
	if p.Finished() {
		p.Position = p.Upper
	}
	return p, true, nil
}

// StartProgress writes the beginning of a job, over what was there before, with
// all of its workers and chunks. bytes is the size of the table.
func StartProgress(ctx context.Context, tx pgx.Tx, id int64, p Progress, bytes int64) error {
	forecast, err := json.Marshal(p.Forecast)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Job, err)
	}
	if err := ForgetProgress(ctx, tx, id, p.Job); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into crossfade.progress
			(transition_id, job, part, upper, estimate, epoch, server, forecast, start_bytes, start_lsn)
		values ($1, $2, $3, $4, $5, $6, `+serverSQL+`, $7, $8, pg_current_wal_lsn())`,
		id, string(p.Job), p.Part, p.Upper, p.Estimate, p.Epoch, forecast, bytes)
	if err == nil && p.Upper != nil {
		err = AddChunk(ctx, tx, id, p.Job, Chunk{Span: Span{Part: p.Part, Upper: p.Upper}, Estimate: p.Estimate})
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Job, err)
	}
	return nil
}

// Lot is what the workers of a job draw from.
type Lot struct {
	Epoch    int
	Part     string // of a partitioned table: the leaf that was handed out last
	Chunks   int    // that are left
	Finished bool
}

// LockProgress locks the row of a job, and reads what is left of it; false when
// the job is gone. Nobody who adds a chunk, and so refers to the row, waits for
// the lock, or is waited for: a chunk is added by one who has another locked,
// which is counted.
func LockProgress(ctx context.Context, tx pgx.Tx, id int64, job Job) (l Lot, found bool, err error) {
	err = tx.QueryRow(ctx, `select epoch, part, finished_at is not null from crossfade.progress
		where transition_id = $1 and job = $2 for no key update`, id, string(job)).Scan(&l.Epoch, &l.Part, &l.Finished)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, false, nil
	}
	if err == nil { // a statement of its own: its snapshot is younger than the lock
		err = tx.QueryRow(ctx, `select count(*) from crossfade.chunk where transition_id = $1 and job = $2`, id, string(job)).Scan(&l.Chunks)
	}
	if err != nil {
		return l, false, fmt.Errorf("lock progress of %s: %w", job, err)
	}
	return l, true, nil
}

// EnterPart hands out a leaf of a partitioned table.
func EnterPart(ctx context.Context, tx pgx.Tx, id int64, job Job, c Chunk) error {
	_, err := tx.Exec(ctx, `update crossfade.progress set part = $3, upper = $4 where transition_id = $1 and job = $2`,
		id, string(job), c.Part, c.Upper)
	if err != nil {
		return fmt.Errorf("enter %s: %w", c.Part, err)
	}
	return AddChunk(ctx, tx, id, job, c)
}

// FinishProgress writes down that nothing is left.
func FinishProgress(ctx context.Context, tx pgx.Tx, id int64, job Job) error {
	_, err := tx.Exec(ctx, `update crossfade.progress set finished_at = clock_timestamp(), waiting = ''
		where transition_id = $1 and job = $2`, id, string(job))
	if err != nil {
		return fmt.Errorf("finish %s: %w", job, err)
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
