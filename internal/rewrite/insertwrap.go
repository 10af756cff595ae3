package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

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
		if isStarNode(t.Val) {
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
