package rewrite

import pg "github.com/sqlc-dev/oliphant"

// deleteStmt walks a DELETE.
func (w *walker) deleteStmt(d *pg.DeleteStmt, env *ctes) columns {
	env = w.with(d.WithClause, nil, env)
	target := w.tableItem(d.Relation)
	w.writeThrough(d.Relation, pg.CmdType_CMD_DELETE)
	s := w.targetScope(target, d.UsingClause, d.ReturningClause, env)
	w.expr(d.WhereClause, s, env)
	return w.returning(d.ReturningClause, target, s, env)
}
