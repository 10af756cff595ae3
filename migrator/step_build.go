package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// buildStep builds an index beside the traffic, and makes it a UNIQUE constraint
// where one is asked for.
var buildStep = step{
	name: "build", phase: Off, temporary: true,
	summary: "build the index beside the traffic",
	do:      func(ctx context.Context, w *work) error { return w.build(ctx) },
	undo: func(ctx context.Context, w *work) error {
		a := w.alteration()
		return w.dropIndex(ctx, ledger.Index{Target: a.Index, TargetConstraint: a.Constraint})
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		a, table := *t.Definition.Alteration, tableOf(t)
		if t.Definition.Partitioned {
			do, drop := alteredTree(t).Plan()
			return do, []ddl.Statement{drop}
		}
		do = []ddl.Statement{buildStatement(t)}
		if a.Constraint == "" {
			return do, []ddl.Statement{ddl.DropIndexConcurrently(table, a.Index)}
		}
		return append(do, ddl.AddUniqueConstraint(table, a.Constraint, a.Index, a.Body)),
			[]ddl.Statement{ddl.DropConstraint(table, a.Constraint)}
	},
}

func buildStatement(t ledger.Transition) ddl.Statement {
	s := ddl.CreateIndexConcurrently(tableOf(t), t.Definition.Alteration.Create)
	s.Why = "the new index"
	return s
}

func (w *work) build(ctx context.Context) error {
	a := w.alteration()
	if w.t.Definition.Partitioned {
		err := alteredTree(*w.t).Ensure(ctx, w.conn, w.statement)
		if sqlState(err) == uniqueViolation {
			err = w.duplicated(ctx, err)
		}
		return err
	}
	constrained, err := w.hasConstraint(ctx, a.Constraint)
	if err != nil || constrained {
		return err
	}
	err = w.statement(buildStatement(*w.t), func(r ddl.Runner) error {
		return r.EnsureIndex(ctx, w.conn, w.table(), a.Index, a.Create)
	})
	if sqlState(err) == uniqueViolation {
		return w.duplicated(ctx, err)
	}
	if err != nil || a.Constraint == "" {
		return err
	}
	return w.run(ctx, ddl.AddUniqueConstraint(w.table(), a.Constraint, a.Index, a.Body))
}

const uniqueViolation = "23505"

// duplicatesTimeout bounds the search for duplicates, which reads and groups the
// whole table. The build has found that there are some.
const duplicatesTimeout = "60s"

// duplicated counts the duplicates that a build has stumbled over.
func (w *work) duplicated(ctx context.Context, cause error) error {
	a := w.alteration()
	query := ddl.Duplicates(w.table(), a.Keys, a.Compared, 0)
	var values, rows int64
	err := pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = '`+duplicatesTimeout+`'`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "select count(*), coalesce(sum(n), 0)::bigint from ("+query+") d").Scan(&values, &rows)
	})
	if err != nil && sqlState(err) != "57014" { // query_canceled
		return errors.Join(cause, err)
	}
	found := ""
	if values > 0 {
		found = fmt.Sprintf(" (%d rows share %d values)", rows, values)
	}
	keys := strings.Join(a.Keys, ", ")
	return w.closed("remove them and run again; this finds them: "+strings.Replace(query, "select count(*) as n", "select "+keys+", count(*)", 1),
		"the table has duplicates of (%s)%s: %v", keys, found, cause)
}
