package rewrite

import pg "github.com/sqlc-dev/oliphant"

// onConflict walks ON CONFLICT. The arbiter index is the one on the column
// that the phase reads.
func (w *walker) onConflict(c *pg.OnConflictClause, target *item, s *scope, env *ctes) {
	if c == nil || w.refusal != nil {
		return
	}
	if c.Infer != nil {
		w.inference(c, target, s, env)
		w.constraint(c, target)
	}
	excluded := *target
	excluded.name, excluded.schema = "excluded", ""
	both := &scope{items: []*item{target, &excluded}}
	w.assignments(c.TargetList, target, both, env)
	w.expr(c.WhereClause, both, env)
}

// constraint renames the name behind ON CONFLICT ON CONSTRAINT.
func (w *walker) constraint(c *pg.OnConflictClause, target *item) {
	name := c.Infer.Conname
	if name == "" || target.table == nil {
		return
	}
	if now := target.table.constraint(name); now != name {
		w.renameToken(w.at(int(c.Location))+4, name, quote(now))
	}
}

// inference walks the list of columns and expressions that choose an index.
func (w *walker) inference(c *pg.OnConflictClause, target *item, s *scope, env *ctes) {
	// A plain column has no place in the parse tree: go by the tokens behind
	// ON CONFLICT and the opening parenthesis.
	i := w.at(int(c.Location)) + 3
	for _, n := range c.Infer.IndexElems {
		e := n.GetIndexElem()
		switch {
		case e.Expr != nil:
			w.expr(e.Expr, s, env)
		case target.table != nil && target.table.moves(e.Name) && e.Name != target.table.read:
			w.renameToken(i, e.Name, quote(target.table.read))
		}
		i = w.exprEnd(i) + 1
	}
	w.expr(c.Infer.WhereClause, s, env)
}
