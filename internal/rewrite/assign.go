package rewrite

import (
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// assignments walks the list of SET: of UPDATE, or of ON CONFLICT DO UPDATE.
func (w *walker) assignments(list []*pg.Node, target *item, s *scope, env *ctes) {
	written := ""
	for i := 0; i < len(list) && w.refusal == nil; {
		group := assignmentGroup(list[i:])
		i += len(group)
		w.assigned(group[0].Val, s, env)
		if target.table == nil || w.refusal != nil {
			continue
		}
		for k, a := range group {
			if !target.table.moves(a.Name) {
				continue
			}
			t := target.table
			w.use(t)
			switch {
			case written != "" && written != a.Name:
				w.refuse(int(a.Location), "Name one of the two columns; crossfade writes both where needed.",
					"both %s and %s are written, but they are one column", quote(t.Source), quote(t.Target))
			case len(a.Indirection) > 0:
				w.refuse(int(a.Location), "Write the whole value.", "a part of the column of %v is written", t)
			case len(group) == 1 && a.Val.GetMultiAssignRef() == nil:
				w.assignment(a, target, s)
			default:
				w.rowAssignment(group, k, target, s)
			}
			written = a.Name
		}
	}
}

// assignmentGroup is the first member of a SET list: the columns that one
// parenthesised list names, or a single one.
func assignmentGroup(list []*pg.Node) []*pg.ResTarget {
	group := []*pg.ResTarget{list[0].GetResTarget()}
	if ref := group[0].Val.GetMultiAssignRef(); ref != nil {
		for _, n := range list[1:ref.Ncolumns] {
			group = append(group, n.GetResTarget())
		}
	}
	return group
}

// assigned walks the value of an assignment.
func (w *walker) assigned(n *pg.Node, s *scope, env *ctes) {
	if ref := n.GetMultiAssignRef(); ref != nil {
		if ref.Colno == 1 {
			w.expr(ref.Source, s, env)
		}
		return
	}
	w.expr(n, s, env)
}

// assignment rewrites column = value.
func (w *walker) assignment(a *pg.ResTarget, target *item, s *scope) {
	t := target.table
	name := w.at(int(a.Location))
	if to := t.written(a.Name); to != a.Name {
		w.renameToken(name, a.Name, quote(to))
	}
	first := w.afterName(name) + 1 // behind =
	last := w.exprEnd(first)
	start, end := int(w.tokens[first].start), w.endOf(last)
	other := t.other(a.Name)
	_, isDefault := a.Val.Node.(*pg.Node_SetToDefault)
	isDefault = isDefault && t.defaulted()
	switch {
	case other == "" && isDefault:
		w.edits.replace(start, end, t.Default)
	case other == "":
	case isDefault && t.defaultRepeats:
		w.edits.replace(start, end, t.Default+", "+quote(other)+" = "+t.Default)
	case isDefault:
		w.edits.replace(int(w.tokens[name].start), end, w.twice(a.Name, other, t.Default, target, s))
	case repeatable(a.Val) || a.Val.GetSetToDefault() != nil:
		w.edits.insert(end, ", "+quote(other)+" = "+w.edits.render(w.sql, start, end))
	default:
		text := w.edits.take(w.sql, start, end)
		w.edits.replace(int(w.tokens[name].start), end, w.twice(a.Name, other, text, target, s))
	}
}

// twice assigns one value to two columns. The condition on the target's row
// makes PostgreSQL evaluate it for each row instead of once a statement, and
// OFFSET keeps the planner from copying it.
func (w *walker) twice(column, other, value string, target *item, s *scope) string {
	prefix, ok := s.qualifier(target)
	if !ok {
		w.refuse(-1, "Give the table an alias.", "a value for %v cannot be evaluated once a row", target.table)
	}
	return "(" + quote(column) + ", " + quote(other) + ") = (SELECT v, v FROM (SELECT (" + value + ") AS v WHERE " +
		prefix + "ctid IS NOT NULL OFFSET 0) AS _v)"
}

// rowAssignment rewrites (..., column, ...) = row or sub-query. k is the
// moving column's index.
func (w *walker) rowAssignment(group []*pg.ResTarget, k int, target *item, s *scope) {
	t := target.table
	a := group[k]
	other := t.other(a.Name)
	open := w.at(int(group[0].Location)) - 1
	closing := w.closing(open)
	first := closing + 2 // behind =
	last := w.exprEnd(first)
	row := a.Val.GetMultiAssignRef().Source.GetRowExpr()
	_, isDefault := valueAt(row, k).GetNode().(*pg.Node_SetToDefault)
	if row != nil && (isDefault && t.defaulted() || other != "" && !isDefault && !repeatable(valueAt(row, k))) {
		w.splitRow(group, k, row, target, s, open, first, last)
		return
	}
	if to := t.written(a.Name); to != a.Name {
		w.renameToken(w.at(int(a.Location)), a.Name, quote(to))
	}
	if other == "" {
		return
	}
	w.edits.insert(w.endOf(closing), ", "+quote(other))
	if row != nil {
		ranges := w.rowItems(first, last)
		w.edits.insert(w.endOf(last-1), ", "+w.edits.render(w.sql, ranges[k][0], ranges[k][1]))
		return
	}
	sub := a.Val.GetMultiAssignRef().Source.GetSubLink()
	query := sub.GetSubselect().GetSelectStmt()
	if query == nil {
		w.refuse(int(a.Location), "Assign the columns one by one.", "the value for %v is not a row or sub-query", t)
		return
	}
	if items := query.TargetList; w.extendable(query) && len(items) == len(group) && repeatable(items[k].GetResTarget().Val) {
		w.appendItem(items, w.itemText(items[k].GetResTarget()))
		return
	}
	column := "_" + itoa(k+1)
	inside := w.at(int(sub.Location))
	end := w.closing(inside)
	w.edits.insertBefore(int(w.tokens[inside].end), "SELECT _v.*, _v."+column+" FROM (")
	w.edits.insert(w.endOf(end), ") AS _v("+numbered(k+1)+")")
}

func valueAt(row *pg.RowExpr, k int) *pg.Node {
	if row == nil || k >= len(row.Args) {
		return nil
	}
	return row.Args[k]
}

// splitRow takes a row assignment apart into single ones, which is what it
// means, because the moving column's value needs a form of its own.
func (w *walker) splitRow(group []*pg.ResTarget, k int, row *pg.RowExpr, target *item, s *scope, open, first, last int) {
	t := target.table
	if len(row.Args) != len(group) {
		return // PostgreSQL counts the columns
	}
	ranges := w.rowItems(first, last)
	parts := make([]string, len(group))
	for i, a := range group {
		value := w.edits.render(w.sql, ranges[i][0], ranges[i][1])
		other := t.other(a.Name)
		_, isDefault := row.Args[i].Node.(*pg.Node_SetToDefault)
		if i == k && isDefault {
			value = t.Default
		}
		name := w.columnText(a)
		switch {
		case i != k:
			parts[i] = name + " = " + value
		case other == "":
			parts[i] = quote(t.written(a.Name)) + " = " + value
		case isDefault && t.defaultRepeats:
			parts[i] = name + " = " + value + ", " + quote(other) + " = " + value
		default:
			parts[i] = w.twice(a.Name, other, value, target, s)
		}
	}
	start, end := int(w.tokens[open].start), w.endOf(last)
	w.edits.take(w.sql, start, end)
	w.edits.replace(start, end, strings.Join(parts, ", "))
}

// columnText is an assignment's column as it is written, subscripts included.
func (w *walker) columnText(a *pg.ResTarget) string {
	first := w.at(int(a.Location))
	return w.edits.render(w.sql, int(w.tokens[first].start), w.endOf(w.exprEnd(first)))
}

// rowItems are the byte ranges of the members of the row constructor between
// two tokens.
func (w *walker) rowItems(first, last int) [][2]int {
	if w.is(first, "row") {
		first++
	}
	var ranges [][2]int
	for i := first + 1; i < last; i++ {
		start := i
		i = w.exprEnd(i)
		ranges = append(ranges, [2]int{int(w.tokens[start].start), w.endOf(i)})
	}
	return ranges
}
