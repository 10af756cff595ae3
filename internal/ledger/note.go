package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

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
