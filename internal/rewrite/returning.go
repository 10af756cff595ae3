package rewrite

import pg "github.com/sqlc-dev/oliphant"

// targetScope is the name space of a data-modifying statement: its target, and
// what its FROM or USING adds. Sub-queries there don't see the target.
func (w *walker) targetScope(target *item, from []*pg.Node, returning *pg.ReturningClause, env *ctes) *scope {
	s := w.from(from, hasStar(returning.GetExprs()), nil, env)
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
			row.name, row.schema, row.byName, row.optional = name, "", true, true
			items = append(items, &row)
		}
	}
	return w.targetList(clause.Exprs, &scope{parent: s.parent, items: items, merged: s.merged}, env)
}
