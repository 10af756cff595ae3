package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Worker is one of those who work at a job, and what he has done of it.
type Worker struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	PID         int        `json:"pid"` // of his session
	RowsScanned int64      `json:"rows_scanned"`
	RowsChanged int64      `json:"rows_changed"`
	Mismatches  int64      `json:"mismatches,omitempty"`
	Samples     [][]string `json:"-"`
	// Part and Position are where his last batch ended, at BatchAt.
	Part     string     `json:"part,omitempty"`
	Position []string   `json:"position,omitempty"`
	BatchAt  *time.Time `json:"batch_at,omitempty"`
	JoinedAt time.Time  `json:"joined_at"`
	// Alive: his session is there.
	Alive bool `json:"alive"`
}

// Join adds a worker to a job, and fills in his ID. ErrNoJob: the job is gone.
func (w *Worker) Join(ctx context.Context, db Conn, id int64, job Job) error {
	err := db.QueryRow(ctx, `insert into crossfade.worker (transition_id, job, name, pid)
		select transition_id, job, $3, pg_backend_pid() from crossfade.progress where transition_id = $1 and job = $2
		returning id`, id, string(job), w.Name).Scan(&w.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoJob
	}
	if err != nil {
		return fmt.Errorf("join %s: %w", job, err)
	}
	return nil
}

// ErrNoJob: there is no such job, or not any more.
var ErrNoJob = errors.New("there is no such scan: nobody has begun it, or somebody has deleted the progress")

// After is the worker with what one more batch has done, up to a key of a part.
func (w Worker) After(done Progress, part string, position []string) Worker {
	w.RowsScanned += done.RowsScanned
	w.RowsChanged += done.RowsChanged
	w.Mismatches += done.Mismatches
	samples := append(append([][]string{}, w.Samples...), done.Samples...)
	w.Samples = samples[:min(len(samples), MaxSamples)]
	w.Part, w.Position = part, position
	return w
}

// Save writes down what a worker has done. A batch calls it in its own
// transaction, so that it and the rows can never disagree.
func (w Worker) Save(ctx context.Context, tx pgx.Tx) error {
	samples, err := listOf(w.Samples)
	if err != nil {
		return fmt.Errorf("save a worker: %w", err)
	}
	tag, err := tx.Exec(ctx, `update crossfade.worker set rows_scanned = $2, rows_changed = $3, mismatches = $4, samples = $5,
		part = $6, position = $7, batch_at = clock_timestamp() where id = $1`,
		w.ID, w.RowsScanned, w.RowsChanged, w.Mismatches, samples, w.Part, w.Position)
	if err != nil {
		return fmt.Errorf("save a worker: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return ErrNoJob
	}
	return nil
}

// Leave writes down that a worker has ended in good order.
func (w Worker) Leave(ctx context.Context, db Conn) error {
	if _, err := db.Exec(ctx, `update crossfade.worker set left_at = clock_timestamp() where id = $1`, w.ID); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// alive is the condition for the session of a worker w to be there.
const alive = `w.left_at is null and exists (
	select from pg_catalog.pg_stat_activity a where a.pid = w.pid and a.datname = current_database())`

// CountWorkers counts those who are at work.
func CountWorkers(ctx context.Context, db Conn, id int64, job Job) (n int, err error) {
	err = db.QueryRow(ctx, `select count(*) from crossfade.worker w
		where w.transition_id = $1 and w.job = $2 and `+alive, id, string(job)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count workers: %w", err)
	}
	return n, nil
}

// Workers lists all who work or have worked at a job.
func Workers(ctx context.Context, db Conn, id int64, job Job) ([]Worker, error) {
	rows, err := db.Query(ctx, `select w.id, w.name, w.pid, w.rows_scanned, w.rows_changed, w.mismatches, w.samples,
			w.part, w.position, w.batch_at, w.joined_at, `+alive+`
		from crossfade.worker w where w.transition_id = $1 and w.job = $2 order by w.id`, id, string(job))
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Worker, err error) {
		var samples []byte
		err = row.Scan(&w.ID, &w.Name, &w.PID, &w.RowsScanned, &w.RowsChanged, &w.Mismatches, &samples,
			&w.Part, &w.Position, &w.BatchAt, &w.JoinedAt, &w.Alive)
		if err == nil {
			err = json.Unmarshal(samples, &w.Samples)
		}
		return w, err
	})
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	return list, nil
}
