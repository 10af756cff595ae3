package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkNulls reports what the expressions make of NULLs. A row that the backfill
// has not reached has NULL in every target; where backward is lossy it must not
// look like one that was written so.
func checkNulls(ctx context.Context, in *inspection) error {
	m := in.report.Definition.Move
	if len(m.Sources) == 0 || m.Kind == transform.Rename {
		return nil
	}
	var given, back []*string
	var returns bool
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "select array["+each(m.Targets, "crossfade_t$n::text")+"], "+same(m.Sources, "s", "b")+" from ("+
			in.trip("select null as crossfade_key, "+nulls(m.Sources))+") as trip").Scan(&given, &returns)
	})
	if err != nil {
		return err
	}
	object := in.tableName()
	if refused != nil {
		in.refuse("null-fails", object, "the expressions fail for NULL: "+refused.Message, "make them give NULL for NULL")
		return nil
	}
	in.info("null-forward", object, "NULL in "+list(m.SourceNames())+" gives "+described(m.Targets, given), "")
	if m.Preserves != transform.PreserveNothing && given[0] != nil {
		in.refuse("preserves-invalid", object, "forward gives a value for NULL: a comparison of the target would find rows that one of the source does not",
			"make it give NULL for NULL, or say preserves: none")
	}
	if nullable(m.Sources) && !returns && !m.Loses(transform.Forward) {
		in.refuse("lossy-undeclared", object, "NULL in "+list(m.SourceNames())+" does not come back as NULL",
			"make the expressions give NULL for NULL, or the sources NOT NULL, or declare lossy: [forward]")
	}
	again := make([]string, len(m.Targets))
	for i, c := range m.Targets {
		again[i] = ddl.Same(c, ddl.Valued(c, m.Sources), "null::"+c.Type)
	}
	refused, err = in.attempt(ctx, false, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "select array["+each(m.Sources, "$c::text")+"], "+strings.Join(again, " and ")+" from (select "+
			sourcesOf(m)+" from (select "+nulls(m.Targets)+" offset 0) as targets offset 0) as sources").Scan(&back, &returns)
	})
	if err != nil {
		return err
	}
	if refused != nil {
		in.refuse("null-fails", object, "the expressions fail for NULL: "+refused.Message, "make them give NULL for NULL")
		return nil
	}
	in.info("null-backward", object, "NULL in "+list(m.TargetNames())+" gives "+described(m.Sources, back), "")
	if m.Loses(transform.Backward) && !returns {
		in.refuse("null-ambiguous", object, "backward is lossy, and NULL in "+list(m.TargetNames())+" does not come back as NULL: "+
			"a row that is not filled yet would count as written", "make the expressions give NULL for NULL")
	}
	return nil
}

// sourcesOf lists the sources as backward gives them, under their names.
func sourcesOf(m transform.Move) string {
	texts := make([]string, len(m.Sources))
	for i, c := range m.Sources {
		texts[i] = ddl.Valued(c, m.Targets) + " as " + ident(c.Name)
	}
	return strings.Join(texts, ", ")
}

func nulls(columns []transform.Column) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = "null::" + c.Type + " as " + ident(c.Name)
	}
	return strings.Join(texts, ", ")
}

func nullable(columns []transform.Column) bool {
	for _, c := range columns {
		if c.NotNull {
			return false
		}
	}
	return true
}

// described names columns with a value each; nil is NULL.
func described(columns []transform.Column, values []*string) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = c.Name + " NULL"
		if values[i] != nil {
			texts[i] = fmt.Sprintf("%s %q", c.Name, *values[i])
		}
	}
	return strings.Join(texts, ", ")
}
