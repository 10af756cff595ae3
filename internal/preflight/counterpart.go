package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// unsupportedError: an index has no counterpart that could be written down, or
// built.
type unsupportedError struct{ cause error }

func (e *unsupportedError) Error() string { return "it has no counterpart: " + e.cause.Error() }
func (e *unsupportedError) Unwrap() error { return e.cause }

// counterpart describes the twin of an index on the targets.
func (in *inspection) counterpart(ctx context.Context, x index, target string) (ledger.Index, error) {
	d := in.report.Definition
	create, constraint := x.Definition, target
	var err error
	if in.renames(x) {
		create, err = rewrite.RenameColumn(create, d.Sources[0].Name, d.Targets[0].Name)
	} else {
		create, err = in.substitute(x)
		constraint = "" // holds columns only
		in.info("index-by-old-names", "index "+in.Schema+"."+x.Name, "its counterpart gives the sources back from the targets: it serves "+
			"statements that name the sources", "create indexes on the targets for statements that will name them, once they are filled")
	}
	if err == nil {
		create, err = ddl.Counterpart(create, x.Name, target)
	}
	if err != nil {
		return ledger.Index{}, &unsupportedError{err}
	}
	if err := in.build(ctx, create); err != nil {
		return ledger.Index{}, err
	}
	moved := ledger.Index{Name: x.Name, Target: target, Create: create}
	if x.Unique {
		if moved.Restore, err = ddl.Counterpart(x.Definition, x.Name, x.Name); err != nil {
			return ledger.Index{}, &unsupportedError{err}
		}
	}
	if x.ConstraintKind == "u" {
		// PostgreSQL gives index and constraint one name.
		moved.Constraint, moved.TargetConstraint = x.Constraint, constraint
		if constraint == "" {
			in.info("unique-without-constraint", "index "+in.Schema+"."+x.Name,
				"its UNIQUE constraint becomes a unique index: a constraint cannot hold an expression", "")
		}
	}
	return moved, nil
}

// renames tells whether the target takes the source's place in an index. In an
// expression it does only where a target compares with everything as its source
// does; elsewhere the index must say what the hook's statements say, which give
// the source back from the target.
func (in *inspection) renames(x index) bool {
	m := in.report.Definition.Move
	switch {
	case m.Identity() || m.Preserves == transform.PreserveComparison:
		return true
	case m.Preserves == transform.PreserveNothing:
		return false
	}
	return !mentions(x.Expressions, m.Sources[0].Name)
}

// substitute writes backward in the place of the sources.
func (in *inspection) substitute(x index) (string, error) {
	m := in.report.Definition.Move
	definition := x.Definition
	for _, c := range m.Sources {
		reads := slices.DeleteFunc(m.TargetNames(), func(target string) bool { return !mentions(c.Value, target) })
		var err error
		if definition, err = rewrite.SubstituteColumn(definition, c.Name, ddl.Valued(c, m.Targets), reads); err != nil {
			return "", err
		}
	}
	return definition, nil
}

// build tries a counterpart on an empty copy of the table. One over columns that
// are as the source's are needs no trial.
func (in *inspection) build(ctx context.Context, create string) error {
	if in.report.Definition.Identity() {
		return nil
	}
	const table = "pg_temp.crossfade_indexed"
	if !in.indexed {
		columns := make([]string, len(in.targets))
		for i, c := range in.targets {
			columns[i] = ident(c.Name) + " " + c.Type
			if c.Collation != "" {
				columns[i] += " collate " + c.Collation
			}
		}
		_, err := in.tx.Exec(ctx, "create temporary table "+strings.TrimPrefix(table, "pg_temp.")+" (like "+ident(in.Schema)+"."+
			ident(in.Table)+", "+strings.Join(columns, ", ")+")")
		if err != nil {
			return fmt.Errorf("try indexes: %w", err)
		}
		in.indexed = true
	}
	unique, rest := "", create
	if strings.HasPrefix(create, "CREATE UNIQUE ") {
		unique = "unique "
	}
	if _, after, found := strings.Cut(rest, " USING "); found {
		rest = after
	}
	refused, err := in.try(ctx, "create "+unique+"index on "+table+" using "+rest)
	if err == nil && refused != nil {
		err = &unsupportedError{errors.New(refused.Message)}
	}
	return err
}
