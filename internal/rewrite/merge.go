package rewrite

import pg "github.com/sqlc-dev/oliphant"

// mergeStmt walks a MERGE.
func (w *walker) mergeStmt(m *pg.MergeStmt, env *ctes) columns {
	env = w.with(m.WithClause, nil, env)
	target := w.tableItem(m.Relation)
	s := w.targetScope(target, []*pg.Node{m.SourceRelation}, m.ReturningClause, env)
	w.expr(m.JoinCondition, s, env)
	source := &scope{items: s.items[1:]}
	actions := w.mergeActions(m)
	w.rowAssignments = 0
	before := 0
	for k, n := range m.MergeWhenClauses {
		when := n.GetMergeWhenClause()
		inner := s
		if when.MatchKind == pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_TARGET {
			inner = source
		}
		for _, n := range when.TargetList {
			if ref := n.GetResTarget().Val.GetMultiAssignRef(); ref.GetColno() == 1 && ref.Source.GetSubLink() != nil {
				before++
			}
		}
		w.expr(when.Condition, inner, env)
		w.writeThrough(m.Relation, when.CommandType)
		switch when.CommandType {
		case pg.CmdType_CMD_UPDATE:
			w.assignments(when.TargetList, target, inner, env)
		case pg.CmdType_CMD_INSERT:
			w.exprs(when.Values, inner, env)
			if target.table != nil && w.refusal == nil {
				w.mergeInsert(m, when, target.table, actions[k])
			}
		}
	}
	if w.rowAssignments > 0 && before+w.rowAssignments > 1 {
		// PostgreSQL mixes up sub-queries that are assigned to lists in several actions.
		w.refuse(int(m.Relation.Location), "Evaluate the values in the query behind USING.",
			"several actions of MERGE assign what must be evaluated once to %v", target.table)
	}
	if m.ReturningClause != nil {
		// The source's columns come before the target's.
		s.items = append(s.items[1:], s.items[0])
	}
	return w.returning(m.ReturningClause, target, s, env)
}

// mergeInsert rewrites INSERT, the action that begins at token i: one row, whose
// values have no place to be evaluated but the row.
func (w *walker) mergeInsert(m *pg.MergeStmt, when *pg.MergeWhenClause, t *table, i int) {
	w.use(t.moves...)
	in := &insertion{walker: w, table: t, edited: true}
	list := i // the token behind which a list of columns can stand
	switch {
	case len(when.TargetList) > 0:
		if !in.listed(when.TargetList) {
			return
		}
		i = w.closing(list + 1)
	case len(when.Values) > 0 && len(when.Values) <= len(t.visible):
		w.wholly(t, int(m.Relation.Location))
		in.names = t.visible[:len(when.Values)]
	}
	if len(when.Values) != 0 && len(when.Values) != len(in.names) {
		return // PostgreSQL counts the columns
	}
	if in.is(i+1, "overriding") {
		i += 3
	}
	w.ownDefaults(t, in.names, [][]*pg.Node{when.Values}, int(m.Relation.Location))
	effects := w.effects(t, in.names, int(m.Relation.Location), true)
	if w.refusal != nil {
		return
	}
	in.slots, in.bodyStart = t.slots(in.names, effects), i+1
	if len(when.Values) == 0 {
		in.defaultValues()
	} else {
		in.valuesRow(when.Values, i+2, w.closing(i+2))
		in.writeList(when.TargetList, list)
	}
	if len(in.once) > 0 {
		w.refuse(int(m.Relation.Location), "Evaluate it in the query behind USING, or use INSERT ... ON CONFLICT.",
			"a value that MERGE inserts into %v must be evaluated once", t)
	}
}

// mergeActions are the tokens that the actions of MERGE begin with, in order. The
// clauses have no place in the parse tree.
func (w *walker) mergeActions(m *pg.MergeStmt) []int {
	var actions []int
	cases := 0
	for i := w.at(int(m.Relation.Location)); i < len(w.tokens) && len(actions) < len(m.MergeWhenClauses); i++ {
		switch {
		case w.kind(i) == '(' || w.kind(i) == '[':
			i = w.closing(i)
		case w.kind(i-1) == '.' || w.is(i-1, "as"):
		case w.is(i, "case"):
			cases++
		case w.is(i, "end"):
			cases--
		case w.is(i, "then") && cases == 0:
			actions = append(actions, i+1)
		}
	}
	return actions
}
