package rewrite

import (
	pg "github.com/sqlc-dev/oliphant"
)

// wholeRow handles a bare name that is no column: it can mean the row of a table
// in transition, which is then made of the visible columns.
func (w *walker) wholeRow(ref *pg.ColumnRef, name string, s *scope) {
	if it := s.row(name); it != nil && !it.veiled {
		w.row(ref, it, s)
	}
}

// row is the table in transition whose whole row a bare name means, or nil.
func (s *scope) row(name string) *item {
	it, level, _ := s.named("", name)
	if it == nil || it.table == nil {
		return nil
	}
	for inner := s; inner != nil; inner = inner.parent {
		for _, other := range inner.items {
			if !other.byName && other.logical(name) == yes {
				return nil
			}
		}
		if inner == level {
			break
		}
	}
	return it
}

// starValue handles item.* where it is one value and not a list of columns.
func (w *walker) starValue(ref *pg.ColumnRef, s *scope) {
	if it := s.starred(ref); it != nil && !it.veiled {
		w.row(ref, it, s)
	}
}

// starred is the table in transition whose row item.* means, or nil.
func (s *scope) starred(ref *pg.ColumnRef) *item {
	fields := stringsOf(ref.Fields[:len(ref.Fields)-1])
	if len(fields) == 0 {
		return nil
	}
	schema := ""
	if len(fields) > 1 {
		schema = fields[len(fields)-2]
	}
	it, _, _ := s.named(schema, fields[len(fields)-1])
	if it == nil || it.table == nil {
		return nil
	}
	return it
}

// row writes a record of the visible columns in the place of a whole row: its
// fields keep their names. The row of a table on the optional side of an outer
// join can be missing, and is NULL then.
func (w *walker) row(ref *pg.ColumnRef, it *item, s *scope) {
	prefix := w.rowPrefix(ref, it, s)
	w.wholly(it.table, int(ref.Location))
	text := "(SELECT _r FROM (SELECT " + it.table.list(prefix) + ") AS _r)"
	if it.optional {
		text = "(CASE WHEN " + prefix + "ctid IS NOT NULL THEN " + text + " END)"
	}
	w.edits.replace(int(ref.Location), w.endOf(w.afterName(w.lastName(ref))), text)
	w.renamed = append(w.renamed, ref)
}

func (w *walker) rowPrefix(ref *pg.ColumnRef, it *item, s *scope) string {
	prefix, ok := s.qualifier(it)
	if !ok {
		w.refuse(int(ref.Location), "Give each item in FROM an alias of its own.", "the whole row of %v cannot be named", it.table)
	}
	return prefix
}
