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
	Position    []string   `json:"position,omitempty"` // the last key done; nil at the start
	Upper       []string   `json:"upper,omitempty"`    // the last key to do; nil for an empty table
	RowsScanned int64      `json:"rows_scanned"`
	RowsChanged int64      `json:"rows_changed"`
	Mismatches  int64      `json:"mismatches"`
	Samples     [][]string `json:"samples,omitempty"` // keys of the first mismatches
	Estimate    int64      `json:"estimate"`          // rows in the table, as the planner thinks
	Epoch       int        `json:"epoch"`             // the epoch in which the job began
	StartedAt   time.Time  `json:"started_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
}

// Finished tells whether the job has seen the whole table.
func (p Progress) Finished() bool { return p.FinishedAt != nil }

// GetProgress reads a job's progress; false when it never began.
func GetProgress(ctx context.Context, db Conn, id int64, job Job) (Progress, bool, error) {
	p := Progress{Job: job}
	var samples []byte
	err := db.QueryRow(ctx, `select position, upper, rows_scanned, rows_changed, mismatches, samples, estimate, epoch,
			started_at, updated_at, finished_at
		from crossfade.progress where transition_id = $1 and job = $2`, id, string(job)).
		Scan(&p.Position, &p.Upper, &p.RowsScanned, &p.RowsChanged, &p.Mismatches, &samples, &p.Estimate, &p.Epoch,
			&p.StartedAt, &p.UpdatedAt, &p.FinishedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Progress{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(samples, &p.Samples)
	}
	if err != nil {
		return Progress{}, false, fmt.Errorf("read progress of %s: %w", job, err)
	}
	return p, true, nil
}

// StartProgress writes the beginning of a job, over what was there before.
func StartProgress(ctx context.Context, db Conn, id int64, p Progress) error {
	_, err := db.Exec(ctx, `insert into crossfade.progress (transition_id, job, upper, estimate, epoch)
		values ($1, $2, $3, $4, $5)
		on conflict (transition_id, job) do update set position = null, upper = excluded.upper, rows_scanned = 0,
			rows_changed = 0, mismatches = 0, samples = '[]', estimate = excluded.estimate, epoch = excluded.epoch,
			started_at = clock_timestamp(), updated_at = clock_timestamp(), finished_at = null,
			waiting = '', signals = '[]', noted_at = null`,
		id, string(p.Job), p.Upper, p.Estimate, p.Epoch)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Job, err)
	}
	return nil
}

// SaveProgress writes how far a job has come. A batch calls it in its own
// transaction, so that the position and the rows can never disagree.
func SaveProgress(ctx context.Context, db Conn, id int64, p Progress, finished bool) error {
	samples, err := json.Marshal(p.Samples)
	if err != nil {
		return fmt.Errorf("save progress of %s: %w", p.Job, err)
	}
	if p.Samples == nil {
		samples = []byte("[]")
	}
	_, err = db.Exec(ctx, `update crossfade.progress set position = $3, rows_scanned = $4, rows_changed = $5,
			mismatches = $6, samples = $7, updated_at = clock_timestamp(),
			finished_at = case when $8 then clock_timestamp() end
		where transition_id = $1 and job = $2`,
		id, string(p.Job), p.Position, p.RowsScanned, p.RowsChanged, p.Mismatches, samples, finished)
	if err != nil {
		return fmt.Errorf("save progress of %s: %w", p.Job, err)
	}
	return nil
}

// ForgetProgress voids a job: it begins anew the next time.
func ForgetProgress(ctx context.Context, db Conn, id int64, job Job) error {
	if _, err := db.Exec(ctx, `delete from crossfade.progress where transition_id = $1 and job = $2`, id, string(job)); err != nil {
		return fmt.Errorf("forget %s: %w", job, err)
	}
	return nil
}

// Note is what a scan says about itself between two batches.
type Note struct {
	// Waiting says why it stands still; empty when it does not.
	Waiting string
	// Signals is what each throttle signal reads, as JSON.
	Signals json.RawMessage
	// Age is the time since; a scan that is at work says something every few
	// seconds.
	Age time.Duration
}

// NoteProgress writes down why a job stands still, and what its signals read.
func NoteProgress(ctx context.Context, db Conn, id int64, job Job, waiting string, signals any) error {
	text, err := json.Marshal(signals)
	if err == nil {
		_, err = db.Exec(ctx, `update crossfade.progress set waiting = $3, signals = $4, noted_at = clock_timestamp()
			where transition_id = $1 and job = $2`, id, string(job), waiting, text)
	}
	if err != nil {
		return fmt.Errorf("note progress of %s: %w", job, err)
	}
	return nil
}

// GetNote reads what a job said last; false when it never did.
func GetNote(ctx context.Context, db Conn, id int64, job Job) (Note, bool, error) {
	var n Note
	var seconds float64
	err := db.QueryRow(ctx, `select waiting, signals, extract(epoch from clock_timestamp() - noted_at)::float8
		from crossfade.progress where transition_id = $1 and job = $2 and noted_at is not null`, id, string(job)).
		Scan(&n.Waiting, &n.Signals, &seconds)
	if errors.Is(err, pgx.ErrNoRows) {
		return Note{}, false, nil
	}
	if err != nil {
		return Note{}, false, fmt.Errorf("read the note of %s: %w", job, err)
	}
	n.Age = time.Duration(seconds * float64(time.Second))
	return n, true, nil
}
