package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// fromQuery rewrites INSERT ... SELECT.
func (in *insertion) fromQuery() {
	items := in.query.TargetList
	named := slices.ContainsFunc(in.names, in.table.moving)
	switch {
	case in.renamesOnly():
	case named && in.extendable(in.query) && len(items) == len(in.names) && in.itemsRepeat(items) && !in.usesOutputs():
		in.extendItems(items)
	case !named && in.appendable() && len(in.evaluated()) == 0:
		in.appendItem(items, strings.Join(in.extras(nil, nil), ", "))
	default:
		in.wrapQuery()
	}
}

// renamesOnly tells whether every value goes, as it is, to one column.
func (in *insertion) renamesOnly() bool {
	return len(in.slots) == len(in.names) && !slices.ContainsFunc(in.slots, func(s slot) bool {
		name, bare := s.value.bare()
		return s.from < 0 && (!bare || in.names[s.behind] != name)
	})
}

// appendable tells whether a select list can simply be made longer.
func (in *insertion) appendable() bool {
	s := in.query
	return s.Op == pg.SetOperation_SETOP_NONE && len(s.DistinctClause) == 0 && len(s.ValuesLists) == 0 &&
		len(s.TargetList) > 0 && s.IntoClause == nil &&
		s.TargetList[len(s.TargetList)-1].GetResTarget().Location >= 0
}

// itemsRepeat tells whether the values of the moving columns can be written as
// often as they are needed.
func (in *insertion) itemsRepeat(items []*pg.Node) bool {
	for i, name := range in.names {
		if in.table.moving(name) && in.uses(name) > 1 && !in.r.repeatable(items[i].GetResTarget().Val) {
			return false
		}
	}
	return len(in.evaluated()) == 0
}

// evaluated are the absent columns that must be evaluated once a row.
func (in *insertion) evaluated() []string {
	var list []string
	for _, s := range in.slots {
		for _, name := range s.value.columns {
			c := in.table.byName[name][0]
			if !slices.Contains(in.names, name) && !c.absentRepeats && in.uses(name) > 1 && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// extras are the values of the slots that no named column goes to as it is.
func (in *insertion) extras(given func(name string) (string, bool), once func(name string) string) []string {
	var list []string
	for _, s := range in.slots {
		if s.from < 0 {
			list = append(list, in.value(s, given, once))
		}
	}
	return list
}

// extendItems repeats items of the select list.
func (in *insertion) extendItems(items []*pg.Node) {
	places := make([]span, len(items))
	values := map[string]string{}
	for i, n := range items {
		t := n.GetResTarget()
		first, last := in.item(t)
		places[i] = span{int(in.tokens[first].start), in.endOf(in.exprEnd(first))}
		values[in.names[i]] = in.edits.render(in.sql, int(in.tokens[first].start), in.endOf(last))
	}
	in.rearrange(places, func(s slot) string {
		return in.value(s, func(name string) (string, bool) { text, ok := values[name]; return text, ok }, nil)
	})
}

// extendable tells whether the list's items are its columns one by one, so
// that one of them can be repeated.
func (w *walker) extendable(s *pg.SelectStmt) bool {
	if s.Op != pg.SetOperation_SETOP_NONE || len(s.DistinctClause) > 0 || len(s.ValuesLists) > 0 ||
		len(s.TargetList) == 0 || s.IntoClause != nil {
		return false
	}
	return !slices.ContainsFunc(s.TargetList, func(n *pg.Node) bool { return isStarNode(n.GetResTarget().GetVal()) })
}

// usesOutputs tells whether ORDER BY or GROUP BY names items of the list, by their
// places or names, which would be those of others, or of two, in a longer list.
func (in *insertion) usesOutputs() bool {
	repeats := in.kept() && !slices.ContainsFunc(in.slots, func(s slot) bool { return s.from < 0 && !s.identity })
	uses := func(n *pg.Node) bool {
		name, ref := bareName(n)
		// What is there twice as it is can be named.
		return n.GetAConst() != nil || ref != nil && !repeats && slices.Contains(in.body.names, name)
	}
	return slices.ContainsFunc(in.query.GroupClause, uses) ||
		slices.ContainsFunc(in.query.SortClause, func(n *pg.Node) bool { return uses(n.GetSortBy().GetNode()) })
}

// appendItem makes a select list longer.
func (w *walker) appendItem(list []*pg.Node, text string) {
	last := list[len(list)-1].GetResTarget()
	w.edits.insert(w.endOf(w.exprEnd(w.at(int(last.Location)))), ", "+text)
}

// item is the range of a list item's expression, its label left out.
func (w *walker) item(t *pg.ResTarget) (start, end int) {
	first := w.at(int(t.Location))
	last := w.exprEnd(first)
	if t.Name != "" {
		// The label may be U&"..." UESCAPE '...'.
		if w.is(last-2, "uescape") {
			last -= 2
		}
		if last--; w.is(last-1, "as") {
			last--
		}
	}
	return first, last
}

func (w *walker) itemText(t *pg.ResTarget) string {
	first, last := w.item(t)
	return w.edits.render(w.sql, int(w.tokens[first].start), w.endOf(last))
}
