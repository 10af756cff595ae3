package rewrite

import (
	pg "github.com/sqlc-dev/oliphant"
)

// wholeRow handles a bare name that is no column: it can mean the row of a table
// in transition, which is then made of the visible columns.
func (w *walker) wholeRow(ref *pg.ColumnRef, name string, s *scope) {
	it := s.row(name)
	switch {
	case it == nil || it.veiled:
	case w.r.catalog.ColumnNames[name] && s.unlisted():
		w.refuse(int(ref.Location), "Write "+quote(name)+".* for the row, or qualify the column.",
			"%s can be the whole row of %v, or a column of something else in FROM", quote(name), it.table)
	default:
		w.row(ref, it, s)
	}
}

// row is the table in transition whose whole row a bare name means, or nil.
func (s *scope) row(name string) *item {
	it, _, _ := s.named("", name)
	if it == nil || it.table == nil {
		return nil
	}
	for level := s; level != nil; level = level.parent { // a column of any level comes first
		for _, other := range level.items {
			if !other.byName && other.logical(name) == yes {
				return nil
			}
		}
	}
	return it
}

// unlisted tells whether something is in sight of whose columns only those are
// known that matter elsewhere.
func (s *scope) unlisted() bool {
	for level := s; level != nil; level = level.parent {
		for _, it := range level.items {
			if it.table == nil && !it.byName && !it.unstarred && !it.columns.exact {
				return true
			}
		}
	}
	return false
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
