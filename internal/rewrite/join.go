package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// join walks a join and returns the items it makes visible.
func (w *walker) join(j *pg.JoinExpr, s *scope, before []*item, env *ctes) []*item {
	left := w.fromItem(j.Larg, s, before, env)
	right := w.fromItem(j.Rarg, s, slices.Concat(before, left), env)
	items := slices.Concat(left, right)
	if j.IsNatural {
		w.natural(left, right)
		w.natural(right, left)
		s.merged = true
	}
	if len(j.UsingClause) > 0 {
		w.using(stringsOf(j.UsingClause), items)
		s.merged = true
	}
	// The condition sees the two sides, not what stands left of the join.
	w.expr(j.Quals, &scope{parent: s.parent, items: items}, env)
	if j.JoinUsingAlias != nil {
		items = append(items, &item{name: j.JoinUsingAlias.Aliasname, byName: true, columns: exactly(stringsOf(j.UsingClause)...)})
	}
	if j.Alias != nil {
		return []*item{w.joined(j.Alias, items)}
	}
	return items
}

// joined is a join with an alias of its own, which hides what it joins.
func (w *walker) joined(alias *pg.Alias, items []*item) *item {
	it := &item{name: alias.Aliasname, columns: columns{exact: true}}
	for _, inner := range items {
		if inner.byName {
			continue
		}
		it.blurred = it.blurred || inner.blurred || inner.table != nil
		it.columns = it.columns.and(inner.columns)
	}
	if it.blurred && len(alias.Colnames) > 0 {
		w.refuse(-1, "Leave out the list of column aliases.", "column aliases are given to a join that contains a table in transition")
	}
	it.columns = it.columns.renamed(aliasColumns(alias))
	return it
}

// natural refuses a NATURAL JOIN in which the moving column of one side could
// match a column of the other side.
func (w *walker) natural(side, other []*item) {
	for _, it := range side {
		if it.blurred {
			w.refuse(-1, "Write the columns with USING or ON.", "NATURAL JOIN with a join that contains a table in transition")
		}
		if it.table == nil {
			continue
		}
		for _, o := range other {
			if o.physical(it.table.Source) != no || o.physical(it.table.Target) != no {
				w.refuse(-1, "Write the columns with USING or ON.", "NATURAL JOIN can match the moving column of %v", it.table)
			}
		}
	}
}

// using refuses a USING list with the moving column of one of the items.
func (w *walker) using(names []string, items []*item) {
	for _, it := range items {
		for _, name := range names {
			if it.table != nil && it.table.moves(name) || it.blurred && w.r.names[name] {
				w.refuse(-1, "Write the condition with ON.", "JOIN USING (%s) names a column in transition", quote(name))
			}
		}
	}
}
