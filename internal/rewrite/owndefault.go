package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// ownDefaults refuses a row that takes a partition's or child's own default for a
// source: what it would be on the target is not known, and later it is gone.
func (w *walker) ownDefaults(t *table, names []string, rows [][]*pg.Node, offset int) {
	for _, m := range t.moves {
		for _, s := range m.sources {
			if m.behaviour.WriteTarget && slices.Contains(t.OwnDefaults, s.Name) && !gives(s, names, rows) {
				w.refuse(offset, "Give the column a value, or name the table above it.",
					"column %s has a DEFAULT of its own in %v", quote(s.Name), t)
			}
		}
	}
}

// gives tells whether every row has a value that decides what the source holds.
func gives(s *moving, names []string, rows [][]*pg.Node) bool {
	given := false
	for i, name := range names {
		if name != s.Name && !slices.Contains(columnNames(s.move.targets), name) {
			continue
		}
		given = true
		for _, row := range rows {
			if i < len(row) && row[i].GetSetToDefault() != nil {
				return false
			}
		}
	}
	return given
}

// valueRows are the rows of VALUES.
func valueRows(query *pg.SelectStmt) [][]*pg.Node {
	var rows [][]*pg.Node
	for _, n := range query.GetValuesLists() {
		rows = append(rows, n.GetList().GetItems())
	}
	return rows
}
