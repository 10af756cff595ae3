package lockstep

import (
	"fmt"
	"slices"
	"strings"
)

// from makes a FROM clause and puts what it has into the scope.
func (g *Generator) from(s *scope) *Node {
	n := seq("from", g.member(s))
	for i := 0; i < 2 && g.chance(45); i++ {
		g.join(s, n)
	}
	return n
}

// join adds a member.
func (g *Generator) join(s *scope, n *Node) {
	left := slices.Clone(s.relations)
	switch pick(g, "comma", "inner", "inner", "left", "right", "full", "cross", "lateral", "using", "natural") {
	case "comma":
		n.Parts = append(n.Parts, optional(seq("", ", ", g.member(s))))
	case "cross":
		n.Parts = append(n.Parts, optional(seq("", " cross join ", g.member(s))))
	case "lateral":
		n.Parts = append(n.Parts, optional(seq("", pick(g, ", lateral ", " cross join lateral "), g.derived(s, s.within()))))
	case "using":
		member := g.member(s)
		shared := common(left, s.relations[len(s.relations)-1])
		if !slices.Contains(shared, "id") {
			n.Parts = append(n.Parts, optional(seq("", " join ", member, " on true")))
			return
		}
		g.using(s, "id")
		n.Parts = append(n.Parts, optional(seq("", pick(g, " join ", " left join ", " full join "), member, " using (id)")))
	case "natural":
		member := g.member(s)
		for _, name := range common(left, s.relations[len(s.relations)-1]) {
			g.using(s, name)
		}
		n.Parts = append(n.Parts, optional(seq("", pick(g, " natural join ", " natural left join "), member)))
	case "full":
		member := g.member(s)
		n.Parts = append(n.Parts, optional(seq("", " full join ", member, " on ", g.equation(s, left))))
	case "left":
		member := g.member(s)
		n.Parts = append(n.Parts, optional(seq("", " left join ", member, " on ", g.expression(s, Bool, 2))))
	case "right":
		member := g.member(s)
		n.Parts = append(n.Parts, optional(seq("", " right join ", member, " on ", g.expression(s, Bool, 2))))
	default:
		member := g.member(s)
		n.Parts = append(n.Parts, optional(seq("", " join ", member, " on ", g.expression(s, Bool, 2))))
	}
}

func (g *Generator) using(s *scope, name string) {
	if s.merged == nil {
		s.merged = map[string]bool{}
	}
	s.merged[name] = true
}

func common(left []relation, right relation) (list []string) {
	for _, c := range visible(right.columns) {
		for _, r := range left {
			if slices.ContainsFunc(visible(r.columns), func(o Column) bool { return o.Name == c.Name }) {
				list = append(list, c.Name)
				break
			}
		}
	}
	return list
}

// equation is a condition that a full join can do.
func (g *Generator) equation(s *scope, left []relation) *Node {
	right := s.relations[len(s.relations)-1]
	for range 10 {
		l := pick(g, left...)
		if len(l.columns) == 0 || len(right.columns) == 0 {
			continue
		}
		a, b := pick(g, l.columns...), pick(g, right.columns...)
		if a.Type == b.Type && !types[a.Type].unordered {
			return seq("expression bool", spelled(a, l.alias), " = ", spelled(b, right.alias))
		}
	}
	return seq("expression bool", "false")
}

// member makes a member of FROM.
func (g *Generator) member(s *scope) *Node {
	switch n := g.rand.IntN(100); {
	case n < 62 || g.nested >= 3:
		return g.columnAliases(s, g.tableMember(s, g.table()))
	case n < 80:
		return g.derived(s, s.within().sealed())
	case n < 86:
		alias := g.alias("v")
		s.relations = append(s.relations, relation{alias: alias, key: "id", columns: []Column{{Name: "id", Type: Int}, {Name: "full_name", Type: Str}}})
		return seq("", "(values (1, 'Ann'), (2, null), (3, 'x')) as ", alias, " (id, full_name)")
	case n < 92:
		alias := g.alias("g")
		s.relations = append(s.relations, relation{alias: alias, key: "name", columns: []Column{{Name: "name", Type: Int}}})
		return seq("", "generate_series(1, 3) as ", alias, "(name)")
	default:
		if len(s.ctes) == 0 {
			return g.tableMember(s, g.table())
		}
		return g.cteMember(s, pick(g, s.ctes...))
	}
}

// sealed is a scope that sees no outer columns.
func (s *scope) sealed() *scope {
	s.outer = nil
	return s
}

// tableMember names a table; where a WITH query has its name, the schema tells
// that the table is meant.
func (g *Generator) tableMember(s *scope, t Table) *Node {
	name := t.Name
	if t.Schema != "public" || s.cte(name) != nil || g.chance(15) {
		name = t.Schema + "." + name
	}
	if g.chance(6) {
		name = "only " + name
	}
	if g.chance(5) {
		name = strings.ReplaceAll(name, t.Name, `"`+t.Name+`"`)
	}
	r := relation{alias: t.Name, columns: columnsOf(t), key: t.Key, table: true}
	taken := slices.ContainsFunc(s.relations, func(o relation) bool { return o.alias == t.Name })
	if taken || g.chance(55) {
		r.alias = g.alias(pick(g, "u", "o", "name"))
		name += pick(g, " ", " as ") + r.alias
	}
	s.relations = append(s.relations, r)
	return seq("", name)
}

// columnAliases gives the columns of the table that was named last other names,
// sometimes.
func (g *Generator) columnAliases(s *scope, member *Node) *Node {
	r := &s.relations[len(s.relations)-1]
	if !strings.HasSuffix(string(member.Parts[0].(Text)), " "+r.alias) || !g.chance(12) {
		return member
	}
	var names []string
	columns := visible(r.columns)
	for i := range columns {
		name := fmt.Sprintf("c%d", i)
		if i == 1+g.rand.IntN(3) {
			name = pick(g, "full_name", "name")
		}
		if slices.Contains(names, name) {
			name = fmt.Sprintf("d%d", i)
		}
		names, columns[i].Name = append(names, name), name
	}
	r.columns, r.table = plainColumns(columns), false
	member.Parts = append(member.Parts, Text(" ("+strings.Join(names, ", ")+")"))
	return member
}

func (g *Generator) cteMember(s *scope, cte relation) *Node {
	r := cte
	name := cte.alias
	if slices.ContainsFunc(s.relations, func(o relation) bool { return o.alias == r.alias }) || g.chance(50) {
		r.alias = g.alias("c")
		name += " " + r.alias
	}
	s.relations = append(s.relations, r)
	return seq("", name)
}

// derived makes a subquery in FROM.
func (g *Generator) derived(s, inner *scope) *Node {
	query, columns := g.query(inner, nil, 1)
	alias := g.alias(pick(g, "d", "users", "full_name"))
	var list string
	columns = distinct(columns)
	if g.chance(30) {
		var names []string
		for i := range columns {
			columns[i].Name = pick(g, fmt.Sprintf("c%d", i), "full_name", "name")
			if slices.Contains(names, columns[i].Name) {
				columns[i].Name = fmt.Sprintf("c%d", i)
			}
			names = append(names, columns[i].Name)
		}
		list = " (" + strings.Join(names, ", ") + ")"
	}
	s.relations = append(s.relations, relation{alias: alias, columns: plainColumns(columns)})
	return seq("", "(", query, ") as ", alias, list)
}

// distinct marks columns whose name another one has as well: they cannot be
// named. The first part of a name keeps its place in the list.
func distinct(columns []Column) []Column {
	columns = slices.Clone(columns)
	count := map[string]int{}
	for _, c := range columns {
		count[c.Name]++
	}
	for i := range columns {
		if count[columns[i].Name] > 1 {
			columns[i].Name = "?column?"
		}
	}
	return columns
}

// plainColumns are columns that have left their table.
func plainColumns(columns []Column) (list []Column) {
	for _, c := range columns {
		if c.Name != "?column?" {
			list = append(list, Column{Name: c.Name, Type: c.Type, SQLType: types[c.Type].sql})
		}
	}
	return list
}
