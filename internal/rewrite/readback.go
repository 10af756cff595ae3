package rewrite

import pg "github.com/sqlc-dev/oliphant"

// readBack is the source that a reference means, if it is read back from a
// target of its own, and that target's column.
func (w *walker) readBack(n *pg.Node, s *scope) (*moving, string) {
	it, name := w.movingItem(n, s)
	if it == nil {
		return nil, ""
	}
	return it.readBack(name)
}

func (it *item) readBack(name string) (*moving, string) {
	for _, c := range it.table.byName[name] {
		if c.target || c.serves() || c.move.Identity() || len(c.move.targets) != 1 || len(c.move.sources) != 1 {
			continue
		}
		if target, ok := it.table.read(c.move.targets[0].Name).bare(); ok {
			return c, target
		}
	}
	return nil, ""
}

// movingItem is the table in transition whose moving column a reference means, and
// the column's name.
func (w *walker) movingItem(n *pg.Node, s *scope) (*item, string) {
	ref := n.GetColumnRef()
	if ref == nil || isStar(ref) || !s.moving() {
		return nil, ""
	}
	fields := stringsOf(ref.Fields)
	name := fields[len(fields)-1]
	if !w.r.names[name] || len(fields) > 3 {
		return nil, ""
	}
	var it *item
	switch len(fields) {
	case 1:
		found, ok := w.lookup(ref, name, s)
		if !ok {
			return nil, ""
		}
		it = found.item
	case 2:
		it, _, _ = s.named("", fields[0])
	case 3:
		it, _, _ = s.named(fields[0], fields[1])
	}
	if it == nil || it.table == nil || it.veiled || !it.table.moving(name) {
		return nil, ""
	}
	return it, name
}

// readElsewhere is the moving column that a reference means, if it is read from
// the other side of its move, and the item.
func (w *walker) readElsewhere(n *pg.Node, s *scope) (*item, *moving) {
	it, name := w.movingItem(n, s)
	if it == nil {
		return nil, nil
	}
	for _, c := range it.table.byName[name] {
		if !c.serves() {
			return it, c
		}
	}
	return nil, nil
}

func (w *walker) compareAs(ref *pg.ColumnRef, target string) {
	if w.compared == nil {
		w.compared = map[*pg.ColumnRef]string{}
	}
	w.compared[ref] = target
}
