package rewrite

import pg "github.com/sqlc-dev/oliphant"

// mergeStmt walks a MERGE. It reads columns in transition like any other
// statement, but does not write them yet.
func (w *walker) mergeStmt(m *pg.MergeStmt, env *ctes) columns {
	env = w.with(m.WithClause, nil, env)
	target := w.tableItem(m.Relation)
	s := w.targetScope(target, []*pg.Node{m.SourceRelation}, env)
	w.expr(m.JoinCondition, s, env)
	source := &scope{items: s.items[1:]}
	for _, n := range m.MergeWhenClauses {
		when := n.GetMergeWhenClause()
		inner := s
		if when.MatchKind == pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_TARGET {
			inner = source
		}
		w.expr(when.Condition, inner, env)
		w.exprs(when.Values, inner, env)
		if when.CommandType == pg.CmdType_CMD_INSERT && target.table != nil {
			w.refuse(int(m.Relation.Location), "Use INSERT ... ON CONFLICT.", "MERGE inserts into %v", target.table)
		}
		for _, n := range when.TargetList {
			t := n.GetResTarget()
			if target.table != nil && target.table.moves(t.Name) {
				w.refuse(int(t.Location), "Use UPDATE, or INSERT ... ON CONFLICT.", "MERGE writes a column of %v", target.table)
			}
			w.assigned(t.Val, inner, env)
		}
	}
	if m.ReturningClause != nil {
		// The source's columns come before the target's.
		s.items = append(s.items[1:], s.items[0])
	}
	return w.returning(m.ReturningClause, target, s, env)
}
