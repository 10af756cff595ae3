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

// wrapQuery puts the query into FROM of another one, which gives the slots their
// values.
func (in *insertion) wrapQuery() {
	in.castUnknown(in.names)
	evaluated := in.evaluated()
	given := func(name string) (string, bool) {
		i := slices.Index(in.names, name)
		return "_v._" + itoa(i+1), i >= 0
	}
	once := func(name string) string { return "_v._a" + itoa(slices.Index(evaluated, name)+1) }
	width := len(in.names)
	if in.body.exact {
		width = min(width, len(in.body.names)) // PostgreSQL counts the columns
	}
	aliases := ""
	if width > 0 {
		aliases = "(" + numbered(width) + ")"
	}
	before, after := "", ") AS _v"+aliases
	all := in.kept() && len(evaluated) == 0
	if all {
		in.extrasLast()
		before = "SELECT " + strings.Join(append([]string{"_v.*"}, in.extras(given, once)...), ", ") + " FROM ("
	} else {
		list := make([]string, len(in.slots))
		for i, s := range in.slots {
			if list[i] = "_v._" + itoa(s.from+1); s.from < 0 {
				list[i] = in.value(s, given, once)
			}
		}
		before = "SELECT " + strings.Join(list, ", ") + " FROM ("
	}
	if len(evaluated) > 0 {
		// One evaluation a row: OFFSET keeps the planner from merging the query
		// that evaluates with the one that uses the value twice.
		items := []string{"_w.*"}
		for i, name := range evaluated {
			text, _ := in.table.byName[name][0].absent.text()
			items = append(items, "("+text+") AS _a"+itoa(i+1))
		}
		before += "SELECT " + strings.Join(items, ", ") + " FROM ("
		after = ") AS _w" + aliases + " OFFSET 0) AS _v"
	}
	switch {
	case all:
	case !in.body.exact:
		// As many columns as are named: the other ones would be lost in silence.
		nulls := strings.Join(slices.Repeat([]string{null}, len(in.names)), ", ")
		before, after = before+"SELECT "+nulls+" WHERE false UNION ALL (", ")"+after
	case len(in.body.names) != len(in.names):
		in.refuse(int(in.stmt.Relation.Location), hintColumns, "INSERT names %d columns and has %d expressions", len(in.names), len(in.body.names))
	}
	in.edits.insertBefore(int(in.tokens[in.bodyStart].start), before)
	in.edits.insert(in.endOf(in.bodyEnd), after)
}

// extrasLast moves the slots that no named column goes to behind all others.
func (in *insertion) extrasLast() {
	extra := func(s slot) int {
		if s.from < 0 {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(in.slots, func(a, b slot) int { return extra(a) - extra(b) })
	for i := range in.slots {
		in.slots[i].behind = len(in.names) - 1
	}
}

// extendable tells whether the list's items are its columns one by one, so
// that one of them can be repeated.
func (w *walker) extendable(s *pg.SelectStmt) bool {
	if s.Op != pg.SetOperation_SETOP_NONE || len(s.DistinctClause) > 0 || len(s.ValuesLists) > 0 ||
		len(s.TargetList) == 0 || s.IntoClause != nil {
		return false
	}
	for _, n := range s.TargetList {
		if ref := n.GetResTarget().GetVal().GetColumnRef(); ref != nil && isStar(ref) {
			return false
		}
	}
	return true
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

// castUnknown gives types to the constants and parameters of a select list
// whose type is otherwise that of the column they go to: in FROM they would
// become text.
func (in *insertion) castUnknown(names []string) {
	if in.query.Op != pg.SetOperation_SETOP_NONE || len(in.query.ValuesLists) > 0 {
		return
	}
	column := 0
	for _, n := range in.query.TargetList {
		t := n.GetResTarget()
		if ref := t.Val.GetColumnRef(); ref != nil && isStar(ref) {
			column = -1
			continue
		}
		if untyped(t.Val) {
			typ := ""
			if column >= 0 && column < len(names) {
				typ = in.table.typeOf(names[column])
			}
			if typ == "" {
				in.refuse(int(t.Location), "Cast the parameter or constant to the column's type.",
					"the type of a value inserted into %v is not known", in.table)
				return
			}
			_, last := in.item(t)
			in.edits.insert(in.endOf(last), "::"+typ)
		}
		if column >= 0 {
			column++
		}
	}
}

// untyped tells whether a node has no type of its own.
func untyped(n *pg.Node) bool {
	switch n := n.Node.(type) {
	case *pg.Node_ParamRef:
		return true
	case *pg.Node_AConst:
		_, isString := n.AConst.Val.(*pg.A_Const_Sval)
		return isString || n.AConst.Isnull
	case *pg.Node_CollateClause:
		return untyped(n.CollateClause.Arg)
	}
	return false
}

// numbered is _1, _2, ... _n.
func numbered(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "_" + itoa(i+1)
	}
	return strings.Join(names, ", ")
}
