package lockstep

import "fmt"

// grouped makes a query with GROUP BY.
func (g *Generator) grouped(s *scope, wanted []Type, depth int) (*Node, []Column) {
	from := g.from(s)
	if wanted == nil && g.chance(20) {
		if n, columns := g.byKey(s, from); n != nil {
			return n, columns
		}
	}
	items, keys := list(", "), list(", ")
	var columns []Column
	want := func(i int) Type {
		if wanted != nil {
			return wanted[i]
		}
		return pick(g, Int, Str, Str, Big, g.anyType(s))
	}
	n := 1 + g.rand.IntN(3)
	if wanted != nil {
		n = len(wanted)
	}
	for i := range n {
		t := want(i)
		if i > 0 && g.chance(50) || types[t].unordered {
			item, c := g.aggregate(s, t)
			item.Width = 1
			items.Parts, columns = append(items.Parts, item), append(columns, c)
			continue
		}
		item, key, c := g.groupKey(s, t, i)
		if wanted == nil {
			key.Switch = optional(item).Switch
		}
		items.Parts, keys.Parts, columns = append(items.Parts, item), append(keys.Parts, key), append(columns, c)
	}
	query := seq("query", "select ", items, " from ", from)
	// Of two equal keys PostgreSQL 15 sorts by one only, though with grouping
	// sets one may be null where the other is not.
	sets := false
	if g.chance(40) {
		query.Parts = append(query.Parts, optional(seq("", " where ", g.expression(s, Bool, 1))))
	}
	if len(keys.Parts) > 0 {
		form := pick(g, "%s", "%s", "%s", "%s", "rollup (%s)", "cube (%s)", "grouping sets ((%s), ())", "(%s)")
		before, after := split(form)
		sets = len(form) > len("(%s)")
		query.Parts = append(query.Parts, Text(" group by "+before), keys, Text(after))
	}
	if g.chance(30) {
		having, _ := g.aggregate(s, Big)
		having.Parts = having.Parts[:len(having.Parts)-1] // without its label
		query.Parts = append(query.Parts, optional(seq("", " having ", having, " > 0")))
	}
	if depth >= 3 && !sets && g.chance(50) {
		order := optional(seq("", " order by ", Positions{items}))
		order.Total = true
		query.Parts = append(query.Parts, order)
	}
	return query, columns
}

func split(form string) (before, after string) {
	for i := range form {
		if form[i] == '%' {
			return form[:i], form[i+2:]
		}
	}
	return form, ""
}

// groupKey makes an output column and the key to group it by: the expression
// again, the name of the column, its number.
func (g *Generator) groupKey(s *scope, t Type, i int) (item, key *Node, c Column) {
	if list := s.references(func(c Column) bool { return c.Type == t && c.Hidden == nil }); len(list) > 0 && g.chance(60) {
		r := pick(g, list...)
		column := g.reference(r)
		item, key, c = seq("", column), seq("", column), Column{Name: r.column.Name, Type: t}
		if g.chance(40) {
			item, c = g.labelled(item, t)
			// By the label, if it means the label; or by the column still.
			if g.chance(40) && s.first(c.Name) == nil {
				key = seq("", quoted(c.Name))
			}
		}
	} else {
		e := g.expression(s, t, 1)
		if list := s.references(func(c Column) bool { return c.Type == t }); len(list) > 0 {
			e = seq("", "coalesce(", g.reference(pick(g, list...)), ", ", pick(g, types[t].values[:2]...), ")")
		}
		item, c = g.labelled(seq("", e), t)
		key = seq("", e)
		if s.first(c.Name) == nil && g.chance(50) {
			key = seq("", quoted(c.Name))
		}
	}
	if g.chance(20) {
		key = seq("", fmt.Sprint(i+1))
	}
	item.Width = 1
	return item, key, c
}

// aggregate makes an aggregate of a type with a label.
func (g *Generator) aggregate(s *scope, t Type) (*Node, Column) {
	s = s.near()
	of := func(t Type) *Node { return g.expression(s, t, 1) }
	var n *Node
	switch t {
	case Int, Big:
		n = pick(g, seq("", "count(*)"), seq("", "count(", of(Str), ")"), seq("", "count(distinct ", of(g.comparable(s)), ")"), seq("", "sum(", of(Int), ")"))
		n.Parts = append([]Part{Text("(")}, append(n.Parts, g.filter(s), Text(")::"+types[t].sql))...)
	case Bool:
		n = seq("", pick(g, "bool_and(", "bool_or(", "every("), of(Bool), ")", g.filter(s))
	case Strs:
		e := of(Str)
		n = seq("", "array_agg(", e, " order by ", e, ")")
	case Str:
		e := of(Str)
		n = pick(g, seq("", "max(", e, ")", g.filter(s)), seq("", "string_agg(", e, ", ',' order by ", e, pick(g, "", " desc"), ")"))
	case JSONB:
		e := of(Str)
		n = seq("", "jsonb_agg(", e, " order by ", e, ")")
	case JSON:
		e := of(Str)
		n = seq("", "json_agg(", e, " order by ", e, ")")
	case UUID:
		n = seq("", "(max(", of(UUID), "::text))::uuid")
	default:
		n = seq("", pick(g, "max(", "min("), of(t), ")", g.filter(s))
	}
	return g.labelled(n, t)
}

func (g *Generator) filter(s *scope) *Node {
	n := optional(seq("", " filter (where ", g.expression(s, Bool, 1), ")"))
	n.Switch.off = !g.chance(30)
	return n
}

// byKey groups by the primary key of a table, on which its other columns depend.
func (g *Generator) byKey(s *scope, from *Node) (*Node, []Column) {
	r := pick(g, s.relations...)
	if !r.table {
		return nil, nil
	}
	items := list(", ")
	var columns []Column
	for range 1 + g.rand.IntN(3) {
		c := pick(g, r.columns...)
		if c.Hidden != nil {
			continue
		}
		item := optional(seq("", spelled(c, r.alias)))
		item.Width = 1
		items.Parts, columns = append(items.Parts, item), append(columns, Column{Name: c.Name, Type: c.Type})
	}
	count, c := g.aggregate(s, Big)
	count.Width = 1
	items.Parts = append(items.Parts, count)
	return seq("query", "select ", items, " from ", from, " group by ", r.alias, ".", r.key), append(columns, c)
}
