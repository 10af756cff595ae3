package sweep

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Difference is a row that is not consistent. Values are as PostgreSQL writes
// them as text; nil is NULL.
type Difference struct {
	Key              []string
	Sources, Targets []*string
	// Becomes is what the side that is repaired is set to.
	Becomes []*string
}

// ErrNotRepaired: rows differ still after they were set, in the same
// transaction. Nothing of the batch has been changed.
var ErrNotRepaired = errors.New("rows differ after they were set: a trigger of the table sets them again, or the expressions are at odds")

// Repair looks at every row, as Compare does, and where a row is not consistent it
// locks it, tells what it found (found is called when the batch is committed) and
// copies one side to the other as Copy does: the targets, but with Options.Reverse
// the sources. What it has copied it looks at again before it commits. Mismatches
// of the progress counts the rows found, RowsChanged those that were copied.
//
// Without a token it tells what it finds, and changes nothing.
func Repair(ctx context.Context, conn *pgx.Conn, o Options, found func(Difference)) (ledger.Progress, error) {
	r := &repair{move: names{o.Transition.Definition.SourceNames(), o.Transition.Definition.TargetNames()}, found: found, copies: o.Token != ""}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 5_000 // what is found in a batch is kept until its commit
	}
	return run(ctx, conn, o, r.copies, r.batch, r.committed)
}

// repair is one run of Repair; it has one worker.
type repair struct {
	move    names
	copies  bool
	found   func(Difference)
	pending []Difference // of the batch under way
}

type names struct{ sources, targets []string }

func (r *repair) committed() {
	for _, d := range r.pending {
		r.found(d)
	}
	r.pending = nil
}

func (r *repair) batch(ctx context.Context, tx pgx.Tx, q statements, s span, p *ledger.Progress) error {
	r.pending = nil
	if s.rows < 0 {
		sql, args := q.count(s)
		if err := tx.QueryRow(ctx, sql, args...).Scan(&s.rows); err != nil {
			return err
		}
	}
	p.RowsScanned += s.rows
	sql, args := q.differences(s, r.move, r.copies)
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	r.pending, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Difference])
	if err != nil || len(r.pending) == 0 {
		return err
	}
	p.Mismatches += int64(len(r.pending))
	for _, d := range r.pending[:min(len(r.pending), ledger.MaxSamples)] {
		p.Samples = append(p.Samples, d.Key)
	}
	if !r.copies {
		return nil
	}
	sql, args = q.copy(s)
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return err
	}
	p.RowsChanged += tag.RowsAffected()
	var scanned, left int64
	var keys [][]string
	sql, args = q.compare(s)
	if err := tx.QueryRow(ctx, sql, args...).Scan(&scanned, &left, &keys); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%w: %d of them, the first with key (%s)", ErrNotRepaired, left, strings.Join(keys[0], ", "))
	}
	return nil
}

// differences lists the rows of a span that differ, and locks them where they are
// to be copied.
func (q statements) differences(s span, n names, lock bool) (string, arguments) {
	var args arguments
	texts := func(columns []string) string {
		list := make([]string, len(columns))
		for i, c := range columns {
			list[i] = "t." + pgx.Identifier{c}.Sanitize() + "::text"
		}
		return strings.Join(list, ", ")
	}
	becomes := make([]string, len(q.becomes))
	for i, value := range q.becomes {
		becomes[i] = "(" + value + ")::text"
	}
	sql := fmt.Sprintf(`select array[%s], array[%s], array[%s], array[%s] from %s as t where %s and %s order by %s`,
		q.list("t.%s::text"), texts(n.sources), texts(n.targets), strings.Join(becomes, ", "), q.table, q.within(&args, s), q.differs, q.list("t.%s"))
	if lock {
		sql += ` for no key update`
	}
	return sql, args
}
