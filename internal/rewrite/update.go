package rewrite

import pg "github.com/sqlc-dev/oliphant"

// updateStmt walks an UPDATE.
func (w *walker) updateStmt(u *pg.UpdateStmt, env *ctes) columns {
	env = w.with(u.WithClause, nil, env)
	target := w.tableItem(u.Relation)
	w.writeThrough(u.Relation, pg.CmdType_CMD_UPDATE)
	s := w.targetScope(target, u.FromClause, u.ReturningClause, env)
	w.assignments(u.TargetList, target, s, env)
	w.expr(u.WhereClause, s, env)
	return w.returning(u.ReturningClause, target, s, env)
}
