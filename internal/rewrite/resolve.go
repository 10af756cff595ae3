package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// system are the columns that every table has.
var system = []string{"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"}

// reference rewrites a column reference in an expression.
func (w *walker) reference(ref *pg.ColumnRef, s *scope) {
	if isStar(ref) {
		w.starValue(ref, s)
		return
	}
	switch fields := stringsOf(ref.Fields); len(fields) {
	case 1:
		w.unqualified(ref, fields[0], s, nil)
	case 2:
		w.qualified(ref, "", fields[0], fields[1], s)
	case 3:
		w.qualified(ref, fields[0], fields[1], fields[2], s)
	case 4:
		if it, _, _ := s.named(fields[1], fields[2]); it != nil && it.table != nil && it.table.moving(fields[3]) {
			w.refuse(int(ref.Location), "Leave out the name of the database.", "a column of %v is named together with a database", it.table)
		}
	}
}

// qualified handles item.column and schema.item.column.
func (w *walker) qualified(ref *pg.ColumnRef, schema, name, column string, s *scope) {
	it, _, _ := s.named(schema, name)
	switch {
	case it == nil || it.table == nil:
	case it.veiled && slices.Contains(system, column):
		w.refuse(int(ref.Location), "Write the join with ON, and name the columns instead of *.",
			"%s of %v is named where the table stands as a sub-query", quote(column), it.table)
	case it.moves(column):
		w.use(it.table.reach(column)...)
		prefix := w.qualifierText(ref)
		if it.veiled && schema != "" {
			prefix = quote(name) + "."
		}
		w.substitute(ref, column, w.reading(ref, column, it), prefix)
	case it.veiled && schema != "":
		first := w.at(int(ref.Location))
		w.edits.replace(int(w.tokens[first].start), int(w.tokens[first+2].start), "")
	case !it.veiled && !it.table.shows(column) && !slices.Contains(system, column):
		w.refuse(int(ref.Location), "If it is a new column, reconnect; if it is a function in attribute notation, write a call that takes columns.",
			"%s is not known as a column of %v", quote(column), it.table)
	}
}

// resolution is what an unqualified name means.
type resolution struct {
	item  *item
	level *scope
}

// unqualified handles a bare name. outputs are the names of the query's result
// where the clause looks there first: a rewritten name must not become one of
// them.
func (w *walker) unqualified(ref *pg.ColumnRef, name string, s *scope, outputs []string) {
	if !w.r.names[name] {
		w.wholeRow(ref, name, s)
		return
	}
	if !s.moving() {
		return
	}
	found, ok := w.lookup(ref, name, s)
	if !ok {
		return
	}
	if found.item == nil {
		w.wholeRow(ref, name, s)
		return
	}
	if t := found.item.table; found.item.moves(name) {
		w.use(t.reach(name)...)
		read := w.reading(ref, name, found.item)
		prefix := ""
		for _, column := range read.columns {
			if prefix == "" && (column == "ctid" || w.crowded(column, found, s) || slices.Contains(outputs, column)) {
				prefix = w.qualify(ref, name, found.item, s)
			}
		}
		w.substitute(ref, name, read, prefix)
		return
	}
	if captor := w.captor(name, found, s); captor != nil {
		w.use(captor.reach(name)...)
		w.substitute(ref, name, column(name), w.qualify(ref, name, found.item, s))
	}
}

// lookup resolves a name that some source or target bears: first among the
// columns that the application sees, level by level; a hidden name comes last.
// It is false when the name was refused; a name that is no column has no item.
func (w *walker) lookup(ref *pg.ColumnRef, name string, s *scope) (resolution, bool) {
	doubt := false
	for level := s; level != nil; level = level.parent {
		found, ok := w.lookupAt(ref, name, level, (*item).logical, &doubt)
		if !ok {
			return resolution{}, false
		}
		if found != nil {
			return resolution{found, level}, true
		}
	}
	for level := s; level != nil; level = level.parent {
		concealed := func(it *item) bool { return it.seen(name) && it.conceals(name) == yes }
		if !slices.ContainsFunc(level.items, concealed) {
			continue
		}
		if it, _, _ := s.named("", name); it != nil {
			w.uncover(ref, name, s)
			return resolution{}, true // a whole row
		}
		found, ok := w.lookupAt(ref, name, level, (*item).conceals, nil)
		if !ok {
			return resolution{}, false
		}
		if doubt {
			w.refuse(int(ref.Location), hintQualify,
				"%s can be a column of %v, or of something else in FROM whose columns are not known", quote(name), found.table)
			return resolution{}, false
		}
		return resolution{found, level}, true
	}
	return resolution{}, true
}

// uncover refuses the whole row of an item that is not in transition: in the
// database, the name finds a column of the table instead.
func (w *walker) uncover(ref *pg.ColumnRef, name string, s *scope) {
	if s.row(name) == nil {
		w.refuse(int(ref.Location), "Give that item of FROM another alias.",
			"%s means a whole row, but would find the column in transition", quote(name))
	}
}

// lookupAt finds the one item of a level that has the name.
func (w *walker) lookupAt(ref *pg.ColumnRef, name string, level *scope, has func(*item, string) answer, doubt *bool) (*item, bool) {
	var found *item
	for _, it := range level.items {
		if !it.seen(name) {
			continue
		}
		switch {
		case has(it, name) == maybe:
			*doubt = true
		case has(it, name) == yes && found != nil:
			w.refuse(int(ref.Location), hintQualify, "column reference %s is ambiguous", quote(name))
			return nil, false
		case has(it, name) == yes:
			found = it
		}
	}
	return found, true
}

// conceals tells whether the name is the hidden name of the item's column.
func (it *item) conceals(name string) answer {
	if it.table != nil && it.table.moving(name) && !it.table.shows(name) {
		return yes
	}
	return no
}

// crowded tells whether the bare name would not, or not only, find the
// resolved item in the database.
func (w *walker) crowded(name string, r resolution, s *scope) bool {
	for level := s; ; level = level.parent {
		for _, it := range level.items {
			if it != r.item && it.seen(name) && it.physical(name) != no {
				return true
			}
		}
		if level == r.level {
			return false
		}
	}
}

// captor is the table in transition whose physical column would take, or make
// ambiguous, a name that means another item.
func (w *walker) captor(name string, r resolution, s *scope) *table {
	for level := s; ; level = level.parent {
		for _, it := range level.items {
			if it != r.item && it.seen(name) && it.table != nil && !it.veiled && it.table.moving(name) {
				return it.table
			}
		}
		if level == r.level {
			return nil
		}
	}
}

func (w *walker) qualify(ref *pg.ColumnRef, name string, it *item, s *scope) string {
	prefix, ok := s.qualifier(it)
	if !ok {
		w.refuse(int(ref.Location), "Give each item in FROM an alias of its own, and qualify the column.",
			"%s would be ambiguous on the expanded table, and cannot be qualified", quote(name))
	}
	return prefix
}

// reading is what stands for a moving column of the item.
func (w *walker) reading(ref *pg.ColumnRef, name string, it *item) template {
	if it.veiled {
		return it.unveil(name)
	}
	if to, ok := w.compared[ref]; ok {
		return column(to)
	}
	if w.arbiters {
		// The index on the target has the target in the source's place, if it
		// compares as the source does, and what reads it back otherwise.
		if source, target := it.readBack(name); source != nil && source.move.preserves(transform.PreserveComparison) {
			return column(target)
		}
	}
	return it.read(name)
}

// qualifierText is what stands before the last name of a reference.
func (w *walker) qualifierText(ref *pg.ColumnRef) string {
	return w.sql[ref.Location:w.tokens[w.lastName(ref)].start]
}

// lastName is the token of a reference's last name.
func (w *walker) lastName(ref *pg.ColumnRef) int {
	i := w.at(int(ref.Location))
	for range len(ref.Fields) - 1 {
		i = w.afterName(i) + 1
		if i >= len(w.tokens) || w.tokens[i-1].kind != '.' {
			panic("a reference is not where it was expected")
		}
	}
	return i
}

// substitute puts an expression over the item's columns in the place of a
// reference; each of them gets the prefix.
func (w *walker) substitute(ref *pg.ColumnRef, from string, read template, prefix string) {
	if to, ok := read.bare(); ok {
		if len(ref.Fields) > 1 && prefix == w.qualifierText(ref) {
			prefix = ""
		} else if len(ref.Fields) > 1 {
			first, last := w.at(int(ref.Location)), w.lastName(ref)
			w.edits.replace(int(w.tokens[first].start), int(w.tokens[last].start), prefix)
			prefix = ""
		}
		if from == to && prefix == "" {
			return
		}
		w.renameToken(w.lastName(ref), from, prefix+quote(to))
		if from != to {
			w.renamed = append(w.renamed, ref)
		}
		return
	}
	last := w.lastName(ref)
	if !identEquals(w.sql, w.tokens, last, from) {
		panic("a reference is not where it was expected")
	}
	text := read.enclosed().render(func(column string) string { return prefix + quote(column) })
	w.edits.replace(int(ref.Location), w.endOf(w.afterName(last)), text)
	w.renamed = append(w.renamed, ref)
}
