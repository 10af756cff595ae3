package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Chunk is a range of keys that is left of a job: Lower is how far it has come.
type Chunk struct {
	ID int64
	Span
	Estimate int64 // rows left, as the planner thinks
	Aside    bool  // its rows were locked: it is left for the end
	Worker   int64 // whose turn it is, of one that is added; 0: nobody's
}

const chunkColumns = `id, part, position, upper, estimate, aside`

// AddChunk adds a range to what is left.
func AddChunk(ctx context.Context, tx pgx.Tx, id int64, job Job, c Chunk) error {
	_, err := tx.Exec(ctx, `insert into crossfade.chunk (transition_id, job, part, position, upper, estimate, aside, worker, touched_at)
		values ($1, $2, $3, $4, $5, $6, $7, nullif($8::bigint, 0), case when $8 > 0 then clock_timestamp() end)`,
		id, string(job), c.Part, c.Lower, c.Upper, c.Estimate, c.Aside, c.Worker)
	if err != nil {
		return fmt.Errorf("add a chunk of %s: %w", job, err)
	}
	return nil
}

// FreeChunk finds a chunk that nobody works at, and makes it the worker's turn:
// one that is his, that nobody has begun, whose worker has ended or died, or has
// done nothing for half a minute. To be wrong about that costs time and nothing
// else: only the lock that a batch takes counts.
func FreeChunk(ctx context.Context, tx pgx.Tx, id int64, job Job, worker int64) (Chunk, bool, error) {
	return findChunk(ctx, tx, `update crossfade.chunk set worker = $3, touched_at = clock_timestamp()
		where id = (
			select c.id from crossfade.chunk c
			where c.transition_id = $1 and c.job = $2 and not c.aside and (
				c.worker is null or c.worker = $3 or c.touched_at < clock_timestamp() - interval '30 seconds'
				or not exists (
					select from crossfade.worker w join pg_catalog.pg_stat_activity a on a.pid = w.pid
					where w.id = c.worker and w.left_at is null and a.datname = current_database() and a.pid <> pg_backend_pid()))
			order by c.worker is distinct from $3, c.id
			limit 1 for update skip locked)
		returning `+chunkColumns, id, string(job), worker)
}

// AsideChunk makes it the worker's turn to try one that was left for the end, if
// that has come; the one that was tried longest ago comes first.
func AsideChunk(ctx context.Context, tx pgx.Tx, id int64, job Job, worker int64) (Chunk, bool, error) {
	return findChunk(ctx, tx, `update crossfade.chunk set worker = $3, touched_at = clock_timestamp()
		where id = (
			select id from crossfade.chunk where transition_id = $1 and job = $2 and aside
				and not exists (select from crossfade.chunk where transition_id = $1 and job = $2 and not aside)
			order by touched_at nulls first, id limit 1 for update skip locked)
		returning `+chunkColumns, id, string(job), worker)
}

// LargestChunk locks the chunk with the most rows left, if it has at least so
// many. It waits for the batch that is at work there.
func LargestChunk(ctx context.Context, tx pgx.Tx, id int64, job Job, atLeast int64) (Chunk, bool, error) {
	return findChunk(ctx, tx, `select `+chunkColumns+` from crossfade.chunk
		where transition_id = $1 and job = $2 and not aside and estimate >= $3
		order by estimate desc, id limit 1 for update`, id, string(job), atLeast)
}

// LockChunk locks a chunk for a batch; false when it is done, somebody else's by
// now, or locked by somebody who splits it.
func LockChunk(ctx context.Context, tx pgx.Tx, chunk, worker int64) (Chunk, bool, error) {
	return findChunk(ctx, tx, `select `+chunkColumns+` from crossfade.chunk
		where id = $1 and worker = $2 for update skip locked`, chunk, worker)
}

func findChunk(ctx context.Context, tx pgx.Tx, sql string, args ...any) (c Chunk, found bool, err error) {
	err = tx.QueryRow(ctx, sql, args...).Scan(&c.ID, &c.Part, &c.Lower, &c.Upper, &c.Estimate, &c.Aside)
	if errors.Is(err, pgx.ErrNoRows) {
		return Chunk{}, false, nil
	}
	if err != nil {
		return Chunk{}, false, fmt.Errorf("look for a chunk: %w", err)
	}
	return c, true, nil
}

// SaveChunk writes down the new ends of a chunk, and what is left of it.
func SaveChunk(ctx context.Context, tx pgx.Tx, c Chunk) error {
	_, err := tx.Exec(ctx, `update crossfade.chunk set position = $2, upper = $3, estimate = $4, touched_at = clock_timestamp()
		where id = $1`, c.ID, c.Lower, c.Upper, c.Estimate)
	if err != nil {
		return fmt.Errorf("save a chunk: %w", err)
	}
	return nil
}

// DeleteChunk writes down that a chunk is done.
func DeleteChunk(ctx context.Context, tx pgx.Tx, chunk int64) error {
	if _, err := tx.Exec(ctx, `delete from crossfade.chunk where id = $1`, chunk); err != nil {
		return fmt.Errorf("delete a chunk: %w", err)
	}
	return nil
}
