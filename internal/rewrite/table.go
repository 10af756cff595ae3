package rewrite

import (
	"fmt"
	"slices"
	"strings"
)

// table is a relation with columns in transition, as the phases have it.
type table struct {
	Table
	// moves are its transitions, in the order of their registration.
	moves []*move
	// byName are the moving columns by their names; one that two moves of a
	// chain share is the earlier one's target and the later one's source.
	byName map[string][]*moving
	// visible are the columns that the application sees where it names none.
	visible []string
	// reads are what is read under the names of moving columns.
	reads map[string]template
}

func newTable(t Table, moves []*move, stars Stars) (*table, error) {
	t.Columns = slices.Clone(t.Columns)
	for _, m := range moves {
		// Where the source stood, the name that the target had does: the source's is
		// the target's now.
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == m.targets[0].Name })
		if m.behaviour.Named && i >= 0 {
			t.Columns[i] = Column{Name: m.sources[0].Name, Type: m.sources[0].BaseType}
		}
	}
	out := &table{Table: t, moves: moves, byName: map[string][]*moving{}, reads: map[string]template{}}
	for _, m := range moves {
		for _, c := range slices.Concat(m.sources, m.targets) {
			for _, other := range out.byName[c.Name] {
				if !other.target || c.target || other.move.behaviour.WriteSource {
					return nil, fmt.Errorf("column %q is in two transitions", c.Name)
				}
			}
			out.byName[c.Name] = append(out.byName[c.Name], c)
		}
	}
	for _, c := range t.Columns {
		for _, m := range out.byName[c.Name] {
			if m.target {
				return nil, fmt.Errorf("the target %q is among the logical columns", c.Name)
			}
		}
		out.visible = append(out.visible, c.Name)
	}
	for _, m := range moves {
		if err := out.show(m, stars); err != nil {
			return nil, err
		}
	}
	for name := range out.byName {
		out.reads[name] = out.reading(name)
	}
	return out, nil
}

func (t *table) called() Name { return t.Name }

// show makes the columns visible that the application expects of a move.
func (t *table) show(m *move, stars Stars) error {
	first := -1
	for _, c := range m.sources {
		i := slices.Index(t.visible, c.Name)
		if i < 0 {
			chained := slices.ContainsFunc(t.byName[c.Name], func(c *moving) bool { return c.target })
			if chained && stars != StarsTarget {
				return nil // the application sees what became this source
			}
			return fmt.Errorf("the source %q is not among the columns", c.Name)
		}
		if first < 0 {
			first = i
		}
	}
	if !t.showsTargets(m, stars) {
		return nil
	}
	for _, c := range m.sources {
		t.visible = slices.DeleteFunc(t.visible, func(name string) bool { return name == c.Name })
	}
	names := make([]string, len(m.targets))
	for i, c := range m.targets {
		names[i] = c.Name
	}
	t.visible = slices.Insert(t.visible, min(first, len(t.visible)), names...)
	return nil
}

// showsTargets tells under which names the application sees a move. What has
// taken the source's name is seen under it by those who see sources; the others
// go on with the name that the target had, unless a later move begins there.
func (t *table) showsTargets(m *move, stars Stars) bool {
	if !m.behaviour.Named {
		return stars == StarsTarget
	}
	chained := slices.ContainsFunc(t.byName[m.targets[0].Name], func(c *moving) bool { return !c.target })
	return stars != StarsTarget || chained
}

// reading is what stands for a column, whichever way its moves go.
func (t *table) reading(name string) template {
	for _, c := range t.byName[name] {
		if !c.serves() {
			return c.value.over(t.reading)
		}
	}
	return column(name)
}

// moving tells whether the name is that of a column in transition.
func (t *table) moving(name string) bool { return len(t.byName[name]) > 0 }

// written tells whether the phases write a moving column. One that two moves of
// a chain share goes with either of them.
func (t *table) written(name string) bool {
	return !slices.ContainsFunc(t.byName[name], func(c *moving) bool { return !c.written() })
}

// explicit tells whether DEFAULT must be written out for the column.
func (t *table) explicit(name string) bool { return t.moving(name) && t.byName[name][0].explicit() }

// shows tells whether the application sees a column of this name.
func (t *table) shows(name string) bool { return slices.Contains(t.visible, name) }

// read is what is read under a name.
func (t *table) read(name string) template {
	if read, ok := t.reads[name]; ok {
		return read
	}
	return column(name)
}

// reach are the moves that what is read or written under a name depends on.
func (t *table) reach(name string) []*move {
	var moves []*move
	var follow func(name string)
	follow = func(name string) {
		for _, c := range t.byName[name] {
			if slices.Contains(moves, c.move) {
				continue
			}
			moves = append(moves, c.move)
			for _, other := range slices.Concat(c.move.sources, c.move.targets) {
				follow(other.Name)
			}
		}
	}
	follow(name)
	return moves
}

// counterpart is what takes the place of a UNIQUE constraint with a moving
// column in this phase; false when the name can stay.
func (t *table) counterpart(name string) (Counterpart, bool) {
	for _, m := range t.moves {
		for source, target := range m.Constraints {
			reads := m.targets[0].serves()
			switch {
			case name == source && reads:
				return target, true
			case name == target.Constraint && name != "" && !reads:
				return Counterpart{Constraint: source}, true
			}
		}
	}
	return Counterpart{}, false
}

// typeOf is the type to which a column's values can be cast without cutting
// them, or "".
func (t *table) typeOf(name string) string {
	for _, c := range t.byName[name] {
		return unlimited(c.BaseType)
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

// list is the columns that a star over the table shows.
func (t *table) list(prefix string) string { return listOf(t.visible, prefix, t.read) }

// listOf is the columns of these names, under them.
func listOf(names []string, prefix string, read func(name string) template) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		read := read(name)
		b.WriteString(read.enclosed().render(func(column string) string { return prefix + quote(column) }))
		if column, ok := read.bare(); !ok || column != name {
			b.WriteString(" AS " + quote(name))
		}
	}
	return b.String()
}
