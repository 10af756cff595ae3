package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// fromQuery rewrites INSERT ... SELECT.
func (in *insertion) fromQuery() {
	switch t := in.table; {
	case in.position >= 0 && len(t.writes) < 2:
	case in.position >= 0:
		if items := in.query.TargetList; in.extendable(in.query) && len(items) == len(in.names) && repeatable(items[in.position].GetResTarget().Val) {
			in.appendItem(items, in.itemText(items[in.position].GetResTarget()))
			return
		}
		column := "_" + itoa(in.position+1)
		in.wrap("SELECT _v.*, _v."+column+" FROM (", ") AS _v("+numbered(in.position+1)+")", in.names)
	case !t.defaulted():
	case in.appendable() && (t.defaultRepeats || len(t.writes) == 1):
		in.appendItem(in.query.TargetList, strings.Join(slices.Repeat([]string{"(" + t.Default + ")"}, len(t.writes)), ", "))
	case t.defaultRepeats:
		in.wrap("SELECT _v.*"+strings.Repeat(", ("+t.Default+")", len(t.writes))+" FROM (", ") AS _v", in.names)
	default:
		// One evaluation a row: OFFSET keeps the planner from merging the
		// query that evaluates with the one that uses the value twice.
		in.wrap("SELECT _v.*"+strings.Repeat(", _v._d", len(t.writes)-1)+" FROM (SELECT _w.*, ("+t.Default+") AS _d FROM (",
			") AS _w OFFSET 0) AS _v", in.names)
	}
}

// appendable tells whether a select list can simply be made longer.
func (in *insertion) appendable() bool {
	s := in.query
	return s.Op == pg.SetOperation_SETOP_NONE && len(s.DistinctClause) == 0 && len(s.ValuesLists) == 0 &&
		len(s.TargetList) > 0 && s.IntoClause == nil &&
		s.TargetList[len(s.TargetList)-1].GetResTarget().Location >= 0
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

// wrap puts the query into FROM of another one.
func (in *insertion) wrap(before, after string, names []string) {
	in.castUnknown(names)
	in.edits.insertBefore(int(in.tokens[in.bodyStart].start), before)
	in.edits.insert(in.endOf(in.bodyEnd), after)
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
