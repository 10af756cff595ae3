package rewrite

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// template is an SQL expression over columns of one row, whose names are left
// open: they get a qualifier, or are values themselves.
type template struct {
	// texts stand around the columns: texts[0], columns[0], texts[1] ...
	texts   []string
	columns []string
}

// column is the template that is one column.
func column(name string) template { return template{[]string{"", ""}, []string{name}} }

// constant is the template that no column stands in.
func constant(text string) template { return template{[]string{text}, nil} }

// bare tells whether the template is one column as it is, and which.
func (t template) bare() (string, bool) {
	if len(t.columns) == 1 && t.texts[0] == "" && t.texts[1] == "" {
		return t.columns[0], true
	}
	return "", false
}

// null is what a column without a default holds.
const null = "NULL"

// text is the whole of a template without columns.
func (t template) text() (string, bool) {
	if len(t.columns) > 0 {
		return "", false
	}
	return t.texts[0], true
}

// render writes the expression with what stands for each column.
func (t template) render(column func(name string) string) string {
	var b strings.Builder
	for i, text := range t.texts {
		b.WriteString(text)
		if i < len(t.columns) {
			b.WriteString(column(t.columns[i]))
		}
	}
	return b.String()
}

// over is the template with another one in the place of each column.
func (t template) over(column func(name string) template) template {
	out := constant("")
	for i, text := range t.texts {
		out = out.and(constant(text))
		if i < len(t.columns) {
			out = out.and(column(t.columns[i]).enclosed())
		}
	}
	return out
}

// and is t with u written behind it.
func (t template) and(u template) template {
	last := len(t.texts) - 1
	texts := slices.Concat(t.texts[:last], []string{t.texts[last] + u.texts[0]}, u.texts[1:])
	return template{texts, slices.Concat(t.columns, u.columns)}
}

// enclosed is the template in parentheses, if it is more than a column.
func (t template) enclosed() template {
	if _, ok := t.bare(); ok {
		return t
	}
	return constant("(").and(t).and(constant(")"))
}

// cast is the template's value as the column holds it.
func (t template) cast(c transform.Column) template {
	const place = "\x00"
	before, after, _ := strings.Cut(c.Cast(place), place)
	return constant(before).and(t).and(constant(after))
}

// parseTemplate reads an expression that names columns of one side bare. It also
// returns its parse tree.
func parseTemplate(expr string, side []transform.Column, p parser) (template, *pg.Node, error) {
	const prefix = "select "
	sql := prefix + expr
	tokens := scan(sql, nil)
	tree, err := p.parse(sql)
	if err != nil {
		return template{}, nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	s := tree.Stmts[0].Stmt.GetSelectStmt()
	if len(tree.Stmts) != 1 || s == nil || len(s.TargetList) != 1 || len(s.FromClause) > 0 || s.WhereClause != nil {
		return template{}, nil, fmt.Errorf("%q is not one expression", expr)
	}
	w := &walker{sql: sql, tokens: tokens}
	var places []int
	var t template
	below(s.ProtoReflect(), func(m proto.Message) bool {
		switch m := m.(type) {
		case *pg.ColumnRef:
			name := m.Fields[0].GetString_().GetSval()
			if len(m.Fields) != 1 || !slices.Contains(transform.Names(side), name) {
				err = fmt.Errorf("%q names something that is not one of %v", expr, transform.Names(side))
				return false
			}
			places = append(places, w.at(int(m.Location)))
		case *pg.SelectStmt:
			if m != s {
				err = errors.New("an expression with a sub-query cannot lead from one column to another")
			}
		}
		return true
	})
	if err != nil {
		return template{}, nil, err
	}
	slices.Sort(places)
	start := len(prefix)
	for _, i := range places {
		end := w.afterName(i)
		t.texts = append(t.texts, sql[start:tokens[i].start])
		t.columns = append(t.columns, decodeIdent(sql, tokens, i))
		start = int(tokens[end-1].end)
	}
	t.texts = append(t.texts, sql[start:])
	return t, s.TargetList[0].GetResTarget().Val, nil
}
