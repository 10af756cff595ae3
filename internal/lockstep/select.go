package lockstep

import (
	"fmt"
	"slices"
)

// topSelect makes a query that is a statement.
func (g *Generator) topSelect() *Node {
	s := &scope{}
	root := seq("")
	if g.chance(30) {
		root.Parts = append(root.Parts, g.with(s))
	}
	query, _ := g.query(s, nil, 3)
	root.Parts = append(root.Parts, query)
	return root
}

// query makes a query; wanted are the types of its columns, if they matter. It
// returns the columns that it has. The scope is its own.
func (g *Generator) query(s *scope, wanted []Type, depth int) (*Node, []Column) {
	g.nested++
	defer func() { g.nested-- }()
	if depth > 1 && g.chance(12) {
		return g.setOperation(s, wanted, depth)
	}
	if wanted == nil && g.chance(4) {
		t := g.table()
		if s.cte(t.Name) == nil {
			return seq("query", "table "+t.Schema+"."+t.Name), visible(t.Columns)
		}
	}
	if g.chance(15) {
		return g.grouped(s, wanted, depth)
	}
	from := g.from(s)
	items, columns := g.items(s, wanted, depth)
	n := seq("query", g.keyword("select "))
	distinct, tail := g.tail(s, items, columns, depth)
	if distinct != nil {
		n.Parts = append(n.Parts, distinct)
	}
	n.Parts = append(n.Parts, items, Text(" from "), from)
	if g.chance(55) {
		n.Parts = append(n.Parts, optional(seq("", " where ", g.expression(s, Bool, depth))))
	}
	if tail != nil {
		n.Parts = append(n.Parts, tail)
	}
	return n, columns
}

// items makes a select list.
func (g *Generator) items(s *scope, wanted []Type, depth int) (*Node, []Column) {
	n := list(", ")
	var columns []Column
	add := func(item *Node, width int, list ...Column) {
		item.Width = width
		if wanted == nil {
			item = optional(item)
		}
		n.Parts = append(n.Parts, item)
		columns = append(columns, list...)
	}
	if wanted != nil {
		for _, t := range wanted {
			item, c := g.item(s, t, depth)
			add(item, 1, c)
		}
		return n, columns
	}
	for range 1 + g.rand.IntN(4) {
		switch r := pick(g, s.relations...); {
		case g.chance(12):
			var all []Column
			for _, r := range s.relations {
				all = append(all, visible(r.columns)...)
			}
			if len(s.merged) == 0 {
				add(seq("", "*"), len(all), all...)
			}
		case g.chance(14):
			shown := visible(r.columns)
			add(seq("", r.alias, ".*"), len(shown), shown...)
		case g.chance(6) && r.table:
			add(g.wholeRow(r), 1, Column{Name: "?column?", Type: Str})
		default:
			item, c := g.item(s, g.anyType(s), depth)
			add(item, 1, c)
		}
	}
	if len(n.Parts) == 0 {
		add(seq("", "1 as one"), 1, Column{Name: "one", Type: Int})
	}
	return n, columns
}

// wholeRow makes something of the row of a table.
func (g *Generator) wholeRow(r relation) *Node {
	form := pick(g, "row_to_json(%[1]s)", "%[1]s::text", "to_jsonb(%[1]s) - 'id'", "row(%[1]s.*)::text",
		"(%[1]s).%[2]s", "%[2]s(%[1]s)", "%[1]s is null", "(%[1]s = %[1]s)", "to_jsonb(%[1]s) ->> 'id'", "%[1]s")
	column := pick(g, visible(r.columns)...)
	if types[column.Type].unordered {
		column = r.columns[0]
	}
	return seq("", fmt.Sprintf(form, r.alias, quoted(column.Name))+" as whole")
}

// anyType picks a type, mostly one of the scope's columns that move.
func (g *Generator) anyType(s *scope) Type {
	if list := s.references(func(c Column) bool { return c.Move != nil }); len(list) > 0 && g.chance(60) {
		return pick(g, list...).column.Type
	}
	return pick(g, Int, Str, Str, Big, Bool, Num, JSONB, Strs, Mood)
}

// item makes an output column, and tells what it is called.
func (g *Generator) item(s *scope, t Type, depth int) (*Node, Column) {
	if depth >= 2 && g.chance(7) {
		return g.labelled(g.window(s, t), t)
	}
	list := s.references(func(c Column) bool { return c.Type == t })
	if len(list) > 0 && g.chance(50) {
		r := pick(g, list...)
		n := seq("", g.reference(r))
		if g.chance(70) {
			if r.column.Hidden != nil {
				n.Parts = append(n.Parts, Either{Text(" as " + quoted(r.column.Name)), Text("")})
			}
			return n, Column{Name: r.column.Name, Type: t}
		}
		return g.labelled(n, t)
	}
	return g.labelled(seq("", g.expression(s, t, depth)), t)
}

// window makes a window function whose result does not depend on the order of
// peers.
func (g *Generator) window(s *scope, t Type) *Node {
	key := func() *Node { return g.leaf(s, pick(g, Str, g.anyType(s))) }
	switch t {
	case Int:
		return seq("", pick(g, "(rank() over (order by ", "(dense_rank() over (partition by true order by "), key(), pick(g, " desc", ""), "))::int")
	case Bool:
		return seq("", "count(*) over (partition by ", key(), ") > 1")
	case JSON, JSONB, UUID, Strs:
		return g.leaf(s, t)
	}
	return seq("", pick(g, "max(", "min("), g.leaf(s, t), ") over (partition by ", key(), ")")
}

// labelled gives an output column a name, one that causes trouble perhaps.
func (g *Generator) labelled(n *Node, t Type) (*Node, Column) {
	name := g.label()
	n.Parts = append(n.Parts, Text(" as "+quoted(name)))
	return n, Column{Name: name, Type: t}
}

func (g *Generator) label() string {
	return pick(g, g.alias("x"), g.alias("x"), "full_name", "name", "users", "id", "Full Name", "first_name")
}

// tail makes a DISTINCT and what stands behind WHERE. Both may be nil.
func (g *Generator) tail(s *scope, items *Node, columns []Column, depth int) (distinct, tail *Node) {
	orderable := len(columns) > 0 && !slices.ContainsFunc(columns, func(c Column) bool { return types[c.Type].unordered || c.Name == "?column?" })
	switch n := g.rand.IntN(100); {
	case n < 8 && orderable:
		return optional(seq("", "distinct ")), nil
	case n < 13 && orderable:
		key := g.expression(s, pick(g, Str, g.anyType(s)), 1)
		tail := optional(seq("", " order by ", key, ", ", Positions{items}))
		tail.Total = depth >= 3
		return &Node{Parts: []Part{Text("distinct on ("), key, Text(") ")}, Switch: tail.Switch}, tail
	case n < 40 && orderable:
		return nil, g.total(s, items, columns, depth)
	case n < 46 && depth >= 3:
		return nil, optional(seq("", " order by ", g.orderBy(s, columns, depth)))
	case n < 52 && depth >= 2 && len(s.relations) == 1 && s.relations[0].table:
		return nil, optional(seq("", pick(g, " for update of ", " for share of ", " for no key update of "), s.relations[0].alias, pick(g, "", " skip locked")))
	}
	return nil, nil
}

// total makes an ORDER BY that leaves nothing open, and a LIMIT perhaps.
func (g *Generator) total(s *scope, items *Node, columns []Column, depth int) *Node {
	n := seq("", " order by ")
	n.Total = depth >= 3
	if g.chance(70) {
		n.Parts = append(n.Parts, optional(seq("", g.orderBy(s, columns, depth), ", ")))
	}
	n.Parts = append(n.Parts, Positions{items})
	if g.chance(45) {
		n.Parts = append(n.Parts, optional(seq("", pick(g, " limit 3", " limit 2 offset 1", " offset 1", " fetch first 2 rows only", " fetch first 2 rows with ties"))))
	}
	return optional(n)
}

// orderBy makes sort keys: names of output columns, input columns, expressions.
func (g *Generator) orderBy(s *scope, columns []Column, depth int) *Node {
	n := list(", ")
	for range 1 + g.rand.IntN(2) {
		var key *Node
		if c := named(columns); len(c) > 0 && g.chance(35) {
			key = seq("", quoted(pick(g, c...)))
		} else if list := s.references(func(c Column) bool { return !types[c.Type].unordered }); len(list) > 0 && g.chance(60) {
			key = seq("", g.reference(pick(g, list...)))
		} else if key = seq("", g.fill(s, pick(g, templates[pick(g, Int, Str, Bool)]...), depth-1)); g.chance(20) {
			key = seq("", "case when ", g.expression(s, Bool, 1), " then 0 else 1 end")
		}
		key.Parts = append(key.Parts, Text(pick(g, "", "", " desc", " asc nulls first", " desc nulls last")))
		n.Parts = append(n.Parts, optional(key))
	}
	return n
}

// named are the names of output columns that an ORDER BY can use.
func named(columns []Column) (list []string) {
	for _, c := range distinct(columns) {
		if c.Name != "?column?" && !types[c.Type].unordered {
			list = append(list, c.Name)
		}
	}
	return list
}
