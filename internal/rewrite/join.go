package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// join walks a join and returns the items it makes visible. Where it matches
// columns by their names, or hides what it joins behind an alias, tables in
// transition get a veil.
func (w *walker) join(j *pg.JoinExpr, s *scope, before []*item, veil veiling, env *ctes) []*item {
	names := stringsOf(j.UsingClause)
	veil = veiling{all: veil.all || j.IsNatural || j.Alias != nil, names: slices.Concat(veil.names, names)}
	left := w.fromItem(j.Larg, s, before, veil, env)
	right := w.fromItem(j.Rarg, s, slices.Concat(before, left), veil, env)
	switch j.Jointype {
	case pg.JoinType_JOIN_LEFT:
		optional(right)
	case pg.JoinType_JOIN_RIGHT:
		optional(left)
	case pg.JoinType_JOIN_FULL:
		optional(left)
		optional(right)
	}
	items := slices.Concat(left, right)
	s.merged = s.merged || j.IsNatural || len(names) > 0
	// The condition sees the two sides, not what stands left of the join.
	w.expr(j.Quals, &scope{parent: s.parent, items: items}, env)
	if j.IsNatural || len(names) > 0 {
		items = w.merge(left, right, names)
	}
	if j.JoinUsingAlias != nil {
		items = append(items, &item{name: j.JoinUsingAlias.Aliasname, byName: true, columns: exactly(names...)})
	}
	if j.Alias != nil {
		return []*item{joined(j.Alias, items)}
	}
	return items
}

// joined is a join with an alias of its own, which hides what it joins.
func joined(alias *pg.Alias, items []*item) *item {
	it := &item{name: alias.Aliasname, columns: columns{exact: true}}
	for _, inner := range items {
		if !inner.byName {
			it.columns = it.columns.and(inner.columns)
		}
	}
	it.columns = it.columns.renamed(aliasColumns(alias))
	return it
}

// optional marks items whose rows an outer join can make up.
func optional(items []*item) {
	for _, it := range items {
		it.optional = true
	}
}

// merge joins the items of two sides whose columns of the same name become
// one: those of the names, or all for NATURAL. Only names that matter are looked
// at.
func (w *walker) merge(left, right []*item, names []string) []*item {
	items := slices.Concat(left, right)
	var merged []string
	for name := range w.r.names {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		if hasColumn(left, name) && hasColumn(right, name) {
			merged = append(merged, name)
		}
	}
	if len(merged) == 0 {
		return items
	}
	for _, it := range items {
		if !it.byName {
			it.merged = append(it.merged, merged...)
		}
	}
	return append([]*item{{columns: exactly(merged...), unstarred: true}}, items...)
}

func hasColumn(items []*item, name string) bool {
	return slices.ContainsFunc(items, func(it *item) bool { return it.seen(name) && it.logical(name) == yes })
}
