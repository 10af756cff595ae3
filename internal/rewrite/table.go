package rewrite

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// table is a table in transition, with what its phase means spelled out.
type table struct {
	Transition
	// read is the column that serves reads; writes are those that take
	// writes, the source first.
	read   string
	writes []string
	// visible is the name that stars show; hidden is the other one.
	visible, hidden string
	// columns are the logical table's columns as the application sees them.
	columns []string
	// defaultRepeats: the default may be written twice.
	defaultRepeats bool
}

func newTable(tr Transition, stars Stars, p parser) (*table, error) {
	if _, err := phase.Parse(string(tr.Phase)); err != nil {
		return nil, err
	}
	switch {
	case tr.Table.Schema == "" || tr.Table.Name == "":
		return nil, errors.New("the table has no name")
	case tr.Source == "" || tr.Target == "":
		return nil, errors.New("a column has no name")
	case tr.Source == tr.Target:
		return nil, fmt.Errorf("source and target are both %q", tr.Source)
	case tr.Token == "":
		return nil, errors.New("the token has no name")
	}
	t := &table{Transition: tr, visible: tr.Source, hidden: tr.Target}
	if stars == StarsTarget {
		t.visible, t.hidden = tr.Target, tr.Source
	}
	b := tr.Phase.Behaviour()
	t.read = t.Source
	if b.Read == phase.Target {
		t.read = t.Target
	}
	if b.WriteSource {
		t.writes = append(t.writes, t.Source)
	}
	if b.WriteTarget {
		t.writes = append(t.writes, t.Target)
	}
	for _, c := range tr.Columns {
		switch c.Name {
		case t.Source:
			t.columns = append(t.columns, t.visible)
		case t.Target:
			return nil, fmt.Errorf("the target %q is among the logical columns", t.Target)
		default:
			t.columns = append(t.columns, c.Name)
		}
	}
	if !slices.Contains(t.columns, t.visible) {
		return nil, fmt.Errorf("the source %q is not among the columns", t.Source)
	}
	if tr.Default != "" {
		tree, err := p.parse("select " + tr.Default)
		if err != nil {
			return nil, fmt.Errorf("parse default: %w", err)
		}
		s := tree.Stmts[0].Stmt.GetSelectStmt()
		if len(tree.Stmts) != 1 || s == nil || len(s.TargetList) != 1 {
			return nil, errors.New("the default is not one expression")
		}
		t.defaultRepeats = repeatable(s.TargetList[0].GetResTarget().GetVal())
	}
	return t, nil
}

// moves tells whether the name is one of the moving column's two.
func (t *table) moves(name string) bool { return name == t.Source || name == t.Target }

// has tells whether the application sees an ordinary column of this name.
func (t *table) has(name string) bool { return slices.Contains(t.columns, name) }

// other is the one of the written columns that isn't name; "" when the phase
// writes one column.
func (t *table) other(name string) string {
	if len(t.writes) < 2 {
		return ""
	}
	if name == t.Source {
		return t.Target
	}
	return t.Source
}

// written is the column that a write to name goes to; the other one, if the
// phase writes both, is beside it.
func (t *table) written(name string) string {
	if len(t.writes) == 1 {
		return t.writes[0]
	}
	return name
}

// constraint is the name, in this phase, of a UNIQUE constraint with the moving
// column: the source's does not outlive the phases that write the source.
func (t *table) constraint(name string) string {
	for source, target := range t.Constraints {
		switch {
		case name != source && name != target:
		case t.read == t.Target:
			return target
		default:
			return source
		}
	}
	return name
}

// typeOf is the type to which a column's values can be cast without cutting
// them, or "".
func (t *table) typeOf(name string) string {
	if t.moves(name) {
		name = t.Source
	}
	for _, c := range t.Columns {
		if c.Name == name {
			return unlimited(c.Type)
		}
	}
	return ""
}

// unlimited spells a type so that it has no length: format_type gives the
// names "character" and "bit", which mean a length of one where SQL reads them.
func unlimited(typ string) string {
	switch typ {
	case "character":
		return "pg_catalog.bpchar"
	case "character[]":
		return "pg_catalog.bpchar[]"
	case "bit":
		return `pg_catalog."bit"`
	case "bit[]":
		return `pg_catalog."bit"[]`
	}
	return typ
}

// defaulted tells whether the phase needs the default written out: not while
// PostgreSQL still fills the source by itself and nothing else is written.
func (t *table) defaulted() bool {
	return t.Default != "" && slices.Contains(t.writes, t.Target)
}
