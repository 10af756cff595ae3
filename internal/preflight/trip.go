package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// trip is a query that takes rows of the sources forward and back: of rows, a
// query with the columns crossfade_key and the sources, it makes crossfade_key,
// crossfade_s1 and on (the sources), crossfade_t1 and on (the targets) and
// crossfade_b1 and on (the sources again).
//
// The expressions name their columns bare, so each level shows the columns of
// one side only; none is merged into another.
func (in *inspection) trip(rows string) string {
	m := in.report.Definition.Move
	return "select crossfade_key, " + each(m.Sources, "crossfade_s$n") + ", " + each(m.Targets, "$c as crossfade_t$n") + ", " + values(m.Sources, m.Targets, "crossfade_b") +
		" from (" + in.forth(rows) + " offset 0) as targets"
}

// forth is the first half: the key, the sources, and the targets under their
// own names.
func (in *inspection) forth(rows string) string {
	m := in.report.Definition.Move
	list := make([]string, len(m.Targets))
	for i, c := range m.Targets {
		list[i] = ddl.Valued(c, m.Sources) + " as " + ident(c.Name)
	}
	return "select crossfade_key, " + each(m.Sources, "$c as crossfade_s$n") + ", " + strings.Join(list, ", ") + " from (" + rows + " offset 0) as sources"
}

// values are the values of columns, numbered from 1 behind a letter.
func values(columns, others []transform.Column, as string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = ddl.Valued(c, others) + " as " + fmt.Sprint(as, i+1)
	}
	return strings.Join(list, ", ")
}

// each lists columns in a format over their number ($n) and their quoted name
// ($c).
func each(columns []transform.Column, format string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = strings.NewReplacer("$n", fmt.Sprint(i+1), "$c", ident(c.Name)).Replace(format)
	}
	return strings.Join(list, ", ")
}

// same compares two of the numbered columns, such as s and b, of each column.
func same(columns []transform.Column, a, b string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = ddl.Same(c, fmt.Sprint("crossfade_", a, i+1), fmt.Sprint("crossfade_", b, i+1))
	}
	return "(" + strings.Join(list, " and ") + ")"
}

// sampleRows bounds how many rows of the table are tried: a third from either
// end of the key, a third from anywhere.
const sampleRows = 9000

// sample is a query for rows of the table, as trip wants them. Those of the ends
// of the key are the oldest and the newest, which often differ.
func (in *inspection) sample(ctx context.Context) (string, error) {
	found, err := query[struct{ Percent float64 }](ctx, in,
		`select least(100, 100 * $2::float8 / greatest(sum(greatest(reltuples, 0))::float8, 1)) from pg_class where oid = any($1)`, in.tree(), sampleRows/3)
	if err != nil {
		return "", fmt.Errorf("plan a sample: %w", err)
	}
	key := "null"
	var up, down []string
	if names := in.report.Definition.Key; len(names) > 0 {
		texts := make([]string, len(names))
		for i, name := range names {
			texts[i] = "r." + ident(name) + "::text"
			up, down = append(up, "r."+ident(name)), append(down, "r."+ident(name)+" desc")
		}
		key = "array_to_string(array[" + strings.Join(texts, ", ") + "], ', ')"
	}
	row := fmt.Sprintf("select %s as crossfade_key, %s from %s.%s as r", key, each(in.report.Definition.Sources, "r.$c as $c"),
		ident(in.Schema), ident(in.Table))
	parts := []string{fmt.Sprintf("(%s tablesample system (%f) limit %d)", row, found[0].Percent, sampleRows/3)}
	if up != nil {
		parts = append(parts, fmt.Sprintf("(%s order by %s limit %d)", row, strings.Join(up, ", "), sampleRows/3),
			fmt.Sprintf("(%s order by %s limit %d)", row, strings.Join(down, ", "), sampleRows/3))
	}
	// A small table comes whole from each part.
	return "select distinct on (crossfade_key) * from (" + strings.Join(parts, " union all ") + ") as rows", nil
}
