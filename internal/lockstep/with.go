package lockstep

import "strings"

// with makes WITH queries and puts them into the scope. Some bear the name of
// a table, and then hide it.
func (g *Generator) with(s *scope) *Node {
	n := seq("with", g.keyword("with "))
	for i := range 1 + g.rand.IntN(2) {
		if i > 0 {
			n.Parts = append(n.Parts, Text(", "))
		}
		name := pick(g, g.alias("w"), g.alias("w"), "users", "users", "orders", "full_name")
		if s.cte(name) != nil {
			name = g.alias("w")
		}
		query, columns := g.query(&scope{ctes: s.ctes}, nil, 1)
		columns = distinct(columns)
		var list string
		if g.chance(25) {
			var names []string
			for i := range columns {
				columns[i].Name = g.alias("k")
				if i == 0 {
					columns[i].Name = pick(g, "full_name", "name", "id")
				}
				names = append(names, columns[i].Name)
			}
			list = " (" + strings.Join(names, ", ") + ")"
		}
		n.Parts = append(n.Parts, seq("", name, list, " as ", pick(g, "", "", "materialized ", "not materialized "), "(", query, ")"))
		s.ctes = append(s.ctes, relation{alias: name, columns: plainColumns(columns)})
	}
	if g.chance(15) {
		return g.recursive(s, n)
	}
	return optional(n)
}

// recursive adds a WITH query that refers to itself.
func (g *Generator) recursive(s *scope, n *Node) *Node {
	t := g.moving()
	inner := &scope{ctes: s.ctes}
	member := g.tableMember(inner, t)
	value := g.leaf(inner, Str)
	name := pick(g, "r", "full_name")
	if s.cte(name) != nil {
		name = "r"
	}
	n.Parts[0] = Text("with recursive ")
	n.Parts = append(n.Parts, seq("", ", ", name, " (n, full_name) as (select 1, ", value, "::text from ", member,
		" union select n + 1, full_name || '.' from ", name, " where n < 3)"))
	s.ctes = append(s.ctes, relation{alias: name, columns: []Column{{Name: "n", Type: Int}, {Name: "full_name", Type: Str}}})
	return optional(n)
}

// modifyingCTE makes a statement with WITH queries that write.
func (g *Generator) modifyingCTE() *Node {
	s := &scope{}
	name := pick(g, g.alias("w"), "orders", "full_name")
	var write *Node
	var columns []Column
	for columns == nil {
		returning := &[]Column{}
		switch pick(g, "insert", "update", "delete") {
		case "insert":
			write = g.insert(returning, false)
		case "update":
			write = g.update(returning, false)
		default:
			write = g.delete(returning, false)
		}
		columns = distinct(*returning)
	}
	s.ctes = append(s.ctes, relation{alias: name, columns: plainColumns(columns)})
	root := seq("", "with ", name, " as (", write, ") ")
	query, _ := g.query(s, nil, 2)
	root.Parts = append(root.Parts, query)
	return root
}
