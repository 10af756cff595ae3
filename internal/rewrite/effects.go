package rewrite

import "slices"

// effect is what a write does to one column of the expanded table.
type effect struct {
	column string
	// value is over the columns that the application writes, and over others of
	// their side.
	value template
	// own: the application names the column, and it takes the value as it is.
	own  bool
	move *move
}

// effects says what becomes of a write to the columns of these names, of which
// some move. insert: the row is a new one. A write to both sides of a move is
// refused.
func (w *walker) effects(t *table, names []string, offset int, insert bool) []effect {
	var list []effect
	values := map[string]template{} // of the moving columns with a new value
	for _, name := range names {
		if t.moving(name) {
			values[name] = column(name)
		}
	}
	written := func(c *moving) bool { _, ok := values[c.Name]; return ok }
	for _, m := range t.moves {
		sources, targets := slices.ContainsFunc(m.sources, written), slices.ContainsFunc(m.targets, written)
		side, others := m.sources, m.targets
		switch {
		case sources && targets:
			w.refuse(offset, "Name one of the two columns; crossfade writes both where needed.",
				"both %s and %s are written, but they are one column", quoteAll("", m.SourceNames()), quoteAll("", m.TargetNames()))
			return nil
		case targets:
			side, others = m.targets, m.sources
		case !sources && (!insert || !m.defaulted()):
			continue
		case !sources && m.outgrows():
			side, others = m.targets, m.sources
		}
		w.use(m)
		for _, c := range side {
			known := slices.ContainsFunc(list, func(e effect) bool { return e.column == c.Name })
			if e := t.effectOn(c, slices.Contains(names, c.Name), insert); e != nil && !known {
				list = append(list, *e)
			}
		}
		given := map[string]template{}
		for _, c := range side {
			if given[c.Name] = column(c.Name); written(c) && !m.Identity() {
				given[c.Name] = c.held(values[c.Name])
			} else if written(c) {
				given[c.Name] = values[c.Name]
			}
		}
		for _, c := range others {
			value := func(name string) template { return given[name] }
			values[c.Name] = c.value.over(value)
			if t.written(c.Name) {
				list = append(list, effect{column: c.Name, value: c.stored.over(value), move: m})
			}
		}
	}
	return list
}

// effectOn is what a write to some column of its side does to c itself; nil for
// nothing.
func (t *table) effectOn(c *moving, named, insert bool) *effect {
	e := &effect{column: c.Name, value: column(c.Name), own: named, move: c.move}
	switch {
	case !t.written(c.Name):
		return nil
	case named:
		return e
	case insert:
		// PostgreSQL fills in NULL, and that is all.
		if text, ok := c.absent.text(); ok && text == null {
			return nil
		}
		return e
	}
	// The other side follows from what is read of c, so c must be that.
	if name, ok := t.read(c.Name).bare(); ok && name == c.Name {
		return nil
	}
	return e
}

// keeps tells whether a write can stay as it is: each column takes the value
// that the application gives it, and no other one changes.
func keeps(list []effect, t *table, names []string) bool {
	moving := 0
	for _, name := range names {
		if t.moving(name) {
			moving++
		}
	}
	return len(list) == moving && !slices.ContainsFunc(list, func(e effect) bool { return !e.own })
}

// uses counts how often a column's new value is needed.
func uses(list []effect, name string) int {
	n := 0
	for _, e := range list {
		for _, column := range e.value.columns {
			if column == name {
				n++
			}
		}
	}
	return n
}

// lead is the place, in the list of what is written, of the last column that an
// effect follows from; -1 when it follows from none of them.
func (t *table) lead(e effect, names []string) int {
	for i := len(names) - 1; i >= 0; i-- {
		if t.moving(names[i]) && slices.Contains(t.reach(names[i]), e.move) {
			return i
		}
	}
	return -1
}
