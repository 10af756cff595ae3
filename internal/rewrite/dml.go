package rewrite

import (
	pg "github.com/sqlc-dev/oliphant"
)

// updateStmt walks an UPDATE.
func (w *walker) updateStmt(u *pg.UpdateStmt, env *ctes) columns {
	env = w.with(u.WithClause, nil, env)
	target := w.tableItem(u.Relation)
	s := w.targetScope(target, u.FromClause, env)
	w.assignments(u.TargetList, target, s, env)
	w.expr(u.WhereClause, s, env)
	return w.returning(u.ReturningClause, target, s, env)
}

// deleteStmt walks a DELETE.
func (w *walker) deleteStmt(d *pg.DeleteStmt, env *ctes) columns {
	env = w.with(d.WithClause, nil, env)
	target := w.tableItem(d.Relation)
	s := w.targetScope(target, d.UsingClause, env)
	w.expr(d.WhereClause, s, env)
	return w.returning(d.ReturningClause, target, s, env)
}

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

// targetScope is the name space of a data-modifying statement: its target, and
// what its FROM or USING adds. Sub-queries there don't see the target.
func (w *walker) targetScope(target *item, from []*pg.Node, env *ctes) *scope {
	s := w.from(from, nil, env)
	s.items = append([]*item{target}, s.items...)
	return s
}

// returning walks a RETURNING list, which from PostgreSQL 18 on can name the
// target's rows before and after as well.
func (w *walker) returning(clause *pg.ReturningClause, target *item, s *scope, env *ctes) columns {
	if clause == nil {
		return columns{exact: true}
	}
	before, after := "old", "new"
	for _, n := range clause.Options {
		o := n.GetReturningOption()
		if o.Option == pg.ReturningOptionKind_RETURNING_OPTION_OLD {
			before = o.Value
		} else {
			after = o.Value
		}
	}
	items := s.items[:len(s.items):len(s.items)]
	for _, name := range []string{before, after} {
		if it, _, _ := s.named("", name); it == nil {
			row := *target
			row.name, row.schema, row.byName = name, "", true
			items = append(items, &row)
		}
	}
	return w.targetList(clause.Exprs, &scope{parent: s.parent, items: items, merged: s.merged}, env)
}
