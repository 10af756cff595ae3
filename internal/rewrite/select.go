package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// selectStmt walks a SELECT, VALUES, TABLE or set operation and returns its
// columns.
func (w *walker) selectStmt(s *pg.SelectStmt, outer *scope, env *ctes) columns {
	if w.refusal != nil {
		return columns{unknown: true}
	}
	env = w.with(s.WithClause, outer, env)
	switch {
	case s.Op != pg.SetOperation_SETOP_NONE:
		left := w.selectStmt(s.Larg, outer, env)
		w.selectStmt(s.Rarg, outer, env)
		w.setOperationTail(s, outer, env)
		return left
	case len(s.ValuesLists) > 0:
		return w.values(s, outer, env)
	}
	sc := w.from(s.FromClause, hasStar(s.TargetList), outer, env)
	out := w.targetList(s.TargetList, sc, env)
	w.expr(s.WhereClause, sc, env)
	w.expr(s.HavingClause, sc, env)
	for _, n := range s.DistinctClause {
		if n.Node != nil {
			w.sortKey(n, nil, sc, env, out)
		}
	}
	g := &grouping{query: s, out: out}
	for _, n := range s.GroupClause {
		w.groupKey(n, g, sc, env)
	}
	for _, n := range s.WindowClause {
		w.window(n.GetWindowDef(), sc, env)
	}
	for _, n := range s.SortClause {
		w.sortKey(n.GetSortBy().GetNode(), s, sc, env, out)
	}
	w.limit(s, sc, env)
	w.selectInto(s.IntoClause)
	return out
}

// setOperationTail walks what belongs to a set operation as a whole. Its ORDER
// BY can name result columns only.
func (w *walker) setOperationTail(s *pg.SelectStmt, outer *scope, env *ctes) {
	w.limit(s, &scope{parent: outer}, env)
}

func (w *walker) limit(s *pg.SelectStmt, sc *scope, env *ctes) {
	w.expr(s.LimitOffset, sc, env)
	w.expr(s.LimitCount, sc, env)
}

func (w *walker) selectInto(into *pg.IntoClause) {
	if into != nil {
		w.creates(into.Rel)
	}
}

// temporary is the Relpersistence of a temporary table.
const temporary = "t"

// creates refuses a new table that has the name of something tracked, and would
// stand before it.
func (w *walker) creates(r *pg.RangeVar) {
	if w.mentionedName(r.Relname) {
		w.refuse(int(r.Location), "Give the new table another name.", "a table named %s is created while that is the name of %s", quote(r.Relname), w.r.meant(r.Relname))
	}
}

func (w *walker) values(s *pg.SelectStmt, outer *scope, env *ctes) columns {
	sc := &scope{parent: outer}
	w.exprs(s.ValuesLists, sc, env)
	names := make([]string, len(s.ValuesLists[0].GetList().GetItems()))
	for i := range names {
		names[i] = valuesColumn(i)
	}
	for _, n := range s.SortClause {
		w.sortKey(n.GetSortBy().GetNode(), nil, sc, env, exactly(names...))
	}
	w.limit(s, sc, env)
	return exactly(names...)
}

// doubtfulKey refuses a key that may be an output column whose name is not
// known, where that would matter.
func (w *walker) doubtfulKey(ref *pg.ColumnRef, name string, s *scope) {
	if s.moving() {
		w.refuse(int(ref.Location), hintQualify, "%s can be an output column whose name is not known, or a column in transition", quote(name))
	}
}

// bareName is the name, if the node is an unqualified column reference.
func bareName(n *pg.Node) (string, *pg.ColumnRef) {
	ref := n.GetColumnRef()
	if ref == nil || len(ref.Fields) != 1 || isStar(ref) {
		return "", nil
	}
	return ref.Fields[0].GetString_().GetSval(), ref
}

// hasStar tells whether a list has a star that is over all of FROM.
func hasStar(list []*pg.Node) bool {
	return slices.ContainsFunc(list, func(n *pg.Node) bool {
		ref := n.GetResTarget().GetVal().GetColumnRef()
		return ref != nil && len(ref.Fields) == 1 && isStar(ref)
	})
}
