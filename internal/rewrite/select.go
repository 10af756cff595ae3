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
			w.sortKey(n, sc, env, out)
		}
	}
	for _, n := range s.GroupClause {
		w.groupKey(n, sc, env, out)
	}
	for _, n := range s.WindowClause {
		w.window(n.GetWindowDef(), sc, env)
	}
	for _, n := range s.SortClause {
		w.sortKey(n.GetSortBy().GetNode(), sc, env, out)
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
	if into == nil {
		return
	}
	if w.mentionedName(into.Rel.Relname) {
		w.refuse(int(into.Rel.Location), "Give the new table another name.", "a table named %s is created while that is the name of %s", quote(into.Rel.Relname), w.r.meant(into.Rel.Relname))
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
		w.sortKey(n.GetSortBy().GetNode(), sc, env, exactly(names...))
	}
	w.limit(s, sc, env)
	return exactly(names...)
}

// sortKey walks a member of ORDER BY or DISTINCT ON: a bare name is an output
// column if there is one of this name, else an expression.
func (w *walker) sortKey(n *pg.Node, s *scope, env *ctes, out columns) {
	name, ref := bareName(n)
	if ref == nil || !w.r.names[name] {
		w.expr(n, s, env)
		return
	}
	switch out.has(name) {
	case yes:
	case maybe:
		w.doubtfulKey(ref, name, s)
	default:
		w.unqualified(ref, name, s, out.names)
	}
}

// groupKey walks a member of GROUP BY: a bare name is a column of FROM if
// there is one, else an output column, else an expression.
func (w *walker) groupKey(n *pg.Node, s *scope, env *ctes, out columns) {
	if g := n.GetGroupingSet(); g != nil {
		for _, inner := range g.Content {
			w.groupKey(inner, s, env, out)
		}
		return
	}
	if row := n.GetRowExpr(); row.GetRowFormat() == pg.CoercionForm_COERCE_IMPLICIT_CAST {
		// PostgreSQL takes (a, b) for two keys, but not ROW (a, b).
		for _, inner := range row.Args {
			w.groupKey(inner, s, env, out)
		}
		return
	}
	name, ref := bareName(n)
	if ref == nil || !w.r.names[name] || !s.moving() {
		w.expr(n, s, env)
		return
	}
	input := no
	var captor *table
	for _, it := range s.items {
		if it.seen(name) {
			input = max(input, it.logical(name))
		}
		if it.table != nil && !it.veiled && it.table.moving(name) {
			captor = it.table
		}
	}
	switch has := out.has(name); {
	case input == yes || has == no:
		w.unqualified(ref, name, s, nil)
	case input == maybe || has == maybe:
		w.doubtfulKey(ref, name, s)
	case captor != nil:
		// The output column of this name is meant, but in the database the
		// table's column would be preferred: name it by its position.
		w.use(captor.reach(name)...)
		w.byPosition(ref, name, out)
	}
}

func (w *walker) byPosition(ref *pg.ColumnRef, name string, out columns) {
	position := 0
	for i, known := range out.names {
		if known == name && position != 0 {
			position = -1
		} else if known == name {
			position = i + 1
		}
	}
	if !out.exact || position < 1 {
		w.refuse(int(ref.Location), "Group by the expression, or by its position.",
			"GROUP BY %s means an output column, but would find the column in transition", quote(name))
		return
	}
	w.renameToken(w.at(int(ref.Location)), name, itoa(position))
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
