package rewrite

import pg "github.com/sqlc-dev/oliphant"

// with walks the queries of a WITH clause and returns what the statement sees.
func (w *walker) with(clause *pg.WithClause, outer *scope, env *ctes) *ctes {
	if clause == nil {
		return env
	}
	if clause.Recursive {
		// Every query of the list sees every other, and itself: until they
		// have been walked only their alias lists are known.
		list := make([]*ctes, len(clause.Ctes))
		for i, n := range clause.Ctes {
			c := n.GetCommonTableExpr()
			env = &ctes{parent: env, name: c.Ctename, columns: columns{unknown: true}.renamed(stringsOf(c.Aliascolnames))}
			list[i] = env
		}
		for i, n := range clause.Ctes {
			c := n.GetCommonTableExpr()
			if s := c.Ctequery.GetSelectStmt(); s != nil && s.Op != pg.SetOperation_SETOP_NONE {
				list[i].columns = w.recursive(c, list[i], outer, env)
				continue
			}
			list[i].columns = cteColumns(c, w.query(c.Ctequery, outer, env))
		}
		return env
	}
	for _, n := range clause.Ctes {
		c := n.GetCommonTableExpr()
		env = &ctes{parent: env, name: c.Ctename, columns: cteColumns(c, w.query(c.Ctequery, outer, env))}
	}
	return env
}

// recursive walks a set operation in WITH RECURSIVE: the left side gives the
// columns that the right side sees of the query itself.
func (w *walker) recursive(c *pg.CommonTableExpr, self *ctes, outer *scope, env *ctes) columns {
	s := c.Ctequery.GetSelectStmt()
	inner := w.with(s.WithClause, outer, env)
	left := w.selectStmt(s.Larg, outer, inner)
	self.columns = cteColumns(c, left)
	w.selectStmt(s.Rarg, outer, inner)
	w.setOperationTail(s, outer, inner)
	return self.columns
}

func cteColumns(c *pg.CommonTableExpr, query columns) columns {
	query = query.renamed(stringsOf(c.Aliascolnames))
	var more []string
	if s := c.SearchClause; s != nil {
		more = append(more, s.SearchSeqColumn)
	}
	if s := c.CycleClause; s != nil {
		more = append(more, s.CycleMarkColumn, s.CyclePathColumn)
	}
	if len(more) == 0 {
		return query
	}
	return query.and(exactly(more...))
}
