package sweep

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Copy fills one side of a move from the other, in every row up to the greatest
// key there is when it begins that is not consistent (ddl.Consistent). It goes on where an earlier run
// stopped, and does nothing when the job is finished. The progress it returns
// is what has been committed, also with an error.
//
// When ctx is over it stops after the batch in hand, and leaves the connection
// usable. After another error that is not ErrForbidden the caller may call it
// again, on a new connection if this one is closed: a batch whose commit was
// lost has happened wholly, with its position, or not at all.
func Copy(ctx context.Context, conn *pgx.Conn, o Options) (ledger.Progress, error) {
	return run(ctx, conn, o, true, copyBatch, nil)
}

// Compare looks at every row up to the greatest key there is when it begins,
// counts those that are not consistent, and keeps the keys of the first 20. Both
// sides are of one version of the row, so a row that is being written is no
// false alarm. It stops and goes on as Copy does.
func Compare(ctx context.Context, conn *pgx.Conn, o Options) (ledger.Progress, error) {
	return run(ctx, conn, o, false, compareBatch, nil)
}

func run(ctx context.Context, conn *pgx.Conn, o Options, copying bool, batch batchFunc, committed func()) (ledger.Progress, error) {
	o, err := o.withDefaults(copying)
	if err != nil {
		return ledger.Progress{}, fmt.Errorf("sweep for %s: %w", o.Job, err)
	}
	p, err := work(ctx, conn, o, copying, batch, committed)
	if err != nil {
		return p, fmt.Errorf("%s of %s.%s: %w", o.Job, o.Table.Schema, o.Table.Name, err)
	}
	return p, nil
}

// span is the range of keys of a batch in a part: after lower (nil: from the
// first row) up to and including upper.
type span struct {
	part         string
	lower, upper []string
	whole        bool  // it is a batch as it is
	rows         int64 // how many rows it has; -1: not known
}

// firstSamples are the keys of the first mismatches, in a new slice.
func firstSamples(samples, more [][]string) [][]string {
	all := append(append([][]string{}, samples...), more...)
	if len(all) == 0 {
		return nil
	}
	return all[:min(len(all), ledger.MaxSamples)]
}

// batchFunc works through a span in tx and adds what it did to p.
type batchFunc func(ctx context.Context, tx pgx.Tx, q statements, s span, p *ledger.Progress) error

func copyBatch(ctx context.Context, tx pgx.Tx, q statements, s span, p *ledger.Progress) error {
	if s.rows < 0 {
		sql, args := q.count(s)
		if err := tx.QueryRow(ctx, sql, args...).Scan(&s.rows); err != nil {
			return err
		}
	}
	sql, args := q.copy(s)
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return err
	}
	p.RowsScanned += s.rows
	p.RowsChanged += tag.RowsAffected()
	return nil
}

func compareBatch(ctx context.Context, tx pgx.Tx, q statements, s span, p *ledger.Progress) error {
	var scanned, mismatches int64
	var keys [][]string
	sql, args := q.compare(s)
	if err := tx.QueryRow(ctx, sql, args...).Scan(&scanned, &mismatches, &keys); err != nil {
		return err
	}
	p.RowsScanned += scanned
	p.Mismatches += mismatches
	p.Samples = firstSamples(p.Samples, keys)
	return nil
}
