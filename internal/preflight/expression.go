package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkExpressions lets PostgreSQL read the types and expressions of a move, and
// writes them into the Definition as it prints them: every name qualified, with
// nothing left that another search_path could turn. Where it refuses, the
// Definition stays without a move, and the checks that go by it are skipped.
func checkExpressions(ctx context.Context, in *inspection) error {
	if in.Move.Kind == transform.Rename {
		return nil
	}
	laid, err := in.layTargets(ctx)
	if err != nil || !laid {
		return err
	}
	if err := in.laySources(ctx); err != nil {
		return err
	}
	move := transform.Move{Kind: in.Move.Kind, Lossy: in.Move.Lossy, KeepName: in.Move.KeepName}
	complete := true
	for i, c := range in.targets {
		target := c.vocabulary()
		target.Position = 0
		target.Value, err = in.readExpression(ctx, expression{
			side: sourcesOnTrial, over: in.sources, gives: c, text: written(in.Move.Targets[i], in.sources),
		})
		if err != nil {
			return err
		}
		complete = complete && target.Value != ""
		move.Targets = append(move.Targets, target)
	}
	for i, c := range in.sources {
		source := c.vocabulary()
		source.Value, err = in.readExpression(ctx, expression{
			side: targetsOnTrial, over: in.targets, gives: c, text: written(in.Move.Sources[i], in.targets),
		})
		if err != nil {
			return err
		}
		complete = complete && source.Value != ""
		move.Sources = append(move.Sources, source)
	}
	if complete {
		in.report.Definition.Move = move
	}
	return nil
}

// written is the expression as asked for; a plain cast is the other column.
func written(c transform.Column, others []column) string {
	if c.Value == "" {
		return ident(others[0].Name)
	}
	return c.Value
}

// notImmutable is the SQLSTATE with which PostgreSQL refuses to generate a column.
const notImmutable = "42P17"

// expression is one on trial.
type expression struct {
	side  string   // the table on trial that it reads
	over  []column // the columns of that
	gives column
	text  string
}

// readExpression returns the canonical text of an expression that may stay;
// otherwise it has refused.
func (in *inspection) readExpression(ctx context.Context, e expression) (string, error) {
	object := "expression of " + in.columnName(e.gives.Name)
	canonical, refused, err := in.canonical(ctx, e)
	if err != nil {
		return "", err
	}
	if refused != nil {
		in.refuse("expression-invalid", object, refused.Message+": "+e.text, expressionHint(refused, e))
		return "", nil
	}
	if canonical == "" {
		in.refuse("expression-invalid", object, "it is not one expression that gives a plain value: "+e.text,
			"write a single expression, as in a select list; composite types are not supported")
		return "", nil
	}
	refused, err = in.mutable(ctx, e, canonical)
	if err != nil {
		return "", err
	}
	if refused != nil && refused.Code != notImmutable {
		in.refuse("expression-invalid", object, refused.Message+": "+e.text, expressionHint(refused, e))
		return "", nil
	}
	if refused != nil {
		in.refuse("expression-not-immutable", object, "what it gives depends on the session or on the moment: "+canonical,
			"make it depend on the columns alone: no now() or random(), and where a time zone matters name it "+
				"(ts at time zone 'UTC'); a function of your own can be declared immutable if it is")
		return "", nil
	}
	return canonical, nil
}

func expressionHint(refused *objection, e expression) string {
	names := make([]string, len(e.over))
	for i, c := range e.over {
		names[i] = c.Name
	}
	switch refused.Code {
	case "42703": // undefined_column
		return "it may name the columns of the other side only: " + list(names)
	case "42846", "42804": // cannot_coerce, datatype_mismatch
		return "write an expression that gives " + e.gives.Type
	}
	return "write an expression over " + list(names) + ", without subquery, aggregate, window function, set-returning " +
		"function or parameter"
}

// canonical reads an expression as a constraint: that kind may be mutable, and
// takes nothing that a row alone cannot answer. Empty: it was no single
// expression.
func (in *inspection) canonical(ctx context.Context, e expression) (string, *objection, error) {
	// The line break ends a comment.
	sql := "alter table " + e.side + " add constraint crossfade_trial check ((" + e.text + "\n) is not null)"
	refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, sql) })
	if refused != nil || err != nil {
		return "", refused, err
	}
	found, err := query[struct{ Text string }](ctx, in,
		`select pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = $1::text::regclass and contype = 'c'`, e.side)
	if err != nil {
		return "", nil, err
	}
	columns, err := in.columnsOnTrial(ctx, e.side)
	if err != nil {
		return "", nil, err
	}
	if len(found) != 1 || columns != len(e.over) {
		return "", nil, nil // it closed our parentheses
	}
	if _, err := in.tx.Exec(ctx, "alter table "+e.side+" drop constraint crossfade_trial"); err != nil {
		return "", nil, err
	}
	text, ok := strings.CutSuffix(found[0].Text, " IS NOT NULL)")
	if !ok {
		return "", nil, nil
	}
	return strings.TrimSpace(strings.TrimPrefix(text, "(")), nil, nil
}

// mutable lets PostgreSQL judge, and says what it has against the expression: a
// generated column must be of the type, and immutable.
//
// To read a label into an enum, or to write it, counts as STABLE only because
// labels can be added; what a label is never changes. So the judgement is
// repeated with text in the place of the enums.
func (in *inspection) mutable(ctx context.Context, e expression, canonical string) (*objection, error) {
	stored := e.gives.vocabulary().Cast(canonical)
	refused, err := in.generate(ctx, e.side, e.gives.Type, stored)
	if err != nil || refused == nil || refused.Code != notImmutable {
		return refused, err
	}
	enums, err := query[struct{ Name string }](ctx, in,
		`select format_type(oid, null) from pg_type where typtype = 'e' order by length(format_type(oid, null)) desc`)
	if err != nil {
		return nil, fmt.Errorf("read enums: %w", err)
	}
	asText := stored
	for _, enum := range enums {
		asText = replaceType(asText, enum.Name)
	}
	const side = "pg_temp.crossfade_texts"
	plain := func(c column) string {
		if c.Enum {
			return "text"
		}
		return c.Type
	}
	if err := in.layTable(ctx, side, e.over, plain); err != nil {
		return nil, err
	}
	asTextRefused, err := in.generate(ctx, side, plain(e.gives), asText)
	if err != nil {
		return nil, err
	}
	if asTextRefused == nil {
		refused = nil
	}
	_, err = in.tx.Exec(ctx, "drop table "+side)
	return refused, err
}

// generate tries a generated column, and leaves none behind.
func (in *inspection) generate(ctx context.Context, side, typ, expression string) (*objection, error) {
	refused, err := in.try(ctx, "alter table "+side+" add column crossfade_value "+typ+" generated always as ("+expression+") stored")
	if refused != nil || err != nil {
		return refused, err
	}
	_, err = in.tx.Exec(ctx, "alter table "+side+" drop column crossfade_value")
	return nil, err
}

// replaceType puts text where an expression casts to a type.
func replaceType(expression, typ string) string {
	parts := strings.Split(expression, "::"+typ)
	text := parts[0]
	for _, rest := range parts[1:] {
		if strings.TrimLeftFunc(rest, inWord) == rest {
			text += "::text" + rest
		} else {
			text += "::" + typ + rest // the name goes on: another type
		}
	}
	return text
}
