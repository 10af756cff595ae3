package rewrite

import pg "github.com/sqlc-dev/oliphant"

// wholeRow refuses a bare name that means the row of a table in transition.
func (w *walker) wholeRow(ref *pg.ColumnRef, name string, s *scope) {
	it, level, _ := s.named("", name)
	if it == nil || it.table == nil && !it.blurred {
		return
	}
	for inner := s; inner != nil; inner = inner.parent {
		for _, other := range inner.items {
			if other.table != nil && other.table.has(name) {
				return
			}
		}
		if inner == level {
			break
		}
	}
	w.refuseRow(int(ref.Location), it, name)
}

// starValue refuses item.* where it is a value and not a list of columns.
func (w *walker) starValue(ref *pg.ColumnRef, s *scope) {
	fields := stringsOf(ref.Fields[:len(ref.Fields)-1])
	if len(fields) == 0 {
		return
	}
	schema := ""
	if len(fields) > 1 {
		schema = fields[len(fields)-2]
	}
	if it, _, _ := s.named(schema, fields[len(fields)-1]); it != nil && (it.table != nil || it.blurred) {
		w.refuseRow(int(ref.Location), it, it.name)
	}
}

func (w *walker) refuseRow(offset int, it *item, name string) {
	if it.blurred {
		w.refuse(offset, hintColumns, "%s is the whole row of a join that contains a table in transition", quote(name))
		return
	}
	w.refuse(offset, hintColumns, "%s is the whole row of %v", quote(name), it.table)
}
