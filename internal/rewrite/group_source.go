package rewrite

import pg "github.com/sqlc-dev/oliphant"

// groupSource is a further key beside a target that a statement names itself, where
// the primary key may still be on the source.
func (w *walker) groupSource(n *pg.Node, g *grouping, s *scope) string {
	it, name := w.movingItem(n, s)
	if it == nil || g.inSet {
		return ""
	}
	for _, c := range it.table.byName[name] {
		m := c.move
		if !c.target || !c.serves() || !m.keyed() || len(m.sources) > 1 || !m.behaviour.WriteSource {
			continue
		}
		if prefix, ok := s.qualifier(it); ok && w.dependsOnKey(g, it) {
			w.use(m)
			return ", " + prefix + quote(m.sources[0].Name)
		}
	}
	return ""
}

// groupSourceBehind writes it behind a key that is the place or the name of an
// output column; false when there is none.
func (w *walker) groupSourceBehind(n *pg.Node, item *pg.ResTarget, g *grouping, s *scope) bool {
	more := ""
	if item != nil {
		more = w.groupSource(item.Val, g, s)
	}
	if more == "" {
		return false
	}
	location := int(n.GetColumnRef().GetLocation())
	if n.GetAConst() != nil {
		location = int(n.GetAConst().Location)
	}
	w.edits.insert(w.endOf(w.afterName(w.at(location))), more)
	return true
}
