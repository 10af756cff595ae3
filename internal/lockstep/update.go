package lockstep

import "fmt"

// update makes an UPDATE.
func (g *Generator) update(returning *[]Column, top bool) *Node {
	t := g.table()
	s := &scope{}
	n := seq("")
	if top && g.chance(15) {
		n.Parts = append(n.Parts, g.with(s))
	}
	target := &scope{}
	member := g.tableMember(target, t)
	n.Parts = append(n.Parts, Text(g.keyword("update ")), member, Text(" set "))
	all := &scope{ctes: s.ctes, relations: target.relations}
	var from *Node
	single := g.chance(35)
	if !single && g.chance(40) {
		from = g.other(all, target.relations[0])
	}
	n.Parts = append(n.Parts, g.assignments(all, t, single))
	if from != nil {
		n.Parts = append(n.Parts, from)
	}
	n.Parts = append(n.Parts, g.where(all, target.relations[0], single, from != nil))
	g.returning(all, n, returning)
	return n
}

// other makes a FROM or USING of one table, and puts it into the scope.
func (g *Generator) other(s *scope, target relation) *Node {
	t := g.table()
	for t.Name == target.alias {
		t = g.table()
	}
	return seq("", pick(g, " from "), g.tableMember(s, t))
}

// where picks the rows: one by its key, or some by a condition. With a second
// relation each row finds at most one partner, by key.
func (g *Generator) where(s *scope, target relation, single, joined bool) *Node {
	switch {
	case single:
		return seq("", " where ", target.alias, ".id = ", fmt.Sprint(1+g.rand.IntN(8)))
	case joined:
		return seq("", " where ", target.alias, ".id = ", s.relations[len(s.relations)-1].alias, ".id", optional(seq("", " and ", g.expression(s, Bool, 2))))
	case g.chance(10):
		return seq("")
	}
	return seq("", " where ", g.expression(s, Bool, 3))
}

// assignments make a SET list.
func (g *Generator) assignments(s *scope, t Table, single bool) *Node {
	n := list(", ")
	groups := g.assignables(t)[1:] // without the key
	for range 10 {
		n.Parts = nil
		for _, a := range groups {
			if g.chance(35) || a.columns[0].Move != nil && g.chance(50) {
				n.Parts = append(n.Parts, g.assignment(s, t, a, single))
			}
		}
		if n.Parts != nil {
			break
		}
	}
	if n.Parts == nil {
		n.Parts = append(n.Parts, g.assignment(s, t, groups[0], single))
	}
	return n
}

// assignment sets a group of columns, one by one or as a row.
func (g *Generator) assignment(s *scope, t Table, a assignable, single bool) *Node {
	c := a.columns[0]
	if a.move == nil && len(a.columns) == 1 && g.chance(8) && c.Default && (single || c.Name != "code" && (c.Move == nil || !c.Move.Counts())) {
		return optional(seq("", a.names(), " = default"))
	}
	values := a.values(g.valuesOf(s, a, single))
	if len(a.columns) > 1 || a.move != nil && len(a.move.Sources) > 1 {
		return optional(seq("", "(", a.names(), ") = row (", values, ")"))
	}
	switch g.rand.IntN(8) {
	case 0:
		return optional(seq("", "(", a.names(), ") = row (", values, ")"))
	case 1:
		if a.move != nil {
			break // a literal in a query is a text, and the original has a cast
		}
		values = seq("", "(", values, ")::"+c.SQLType)
		return optional(seq("", "(", a.names(), ") = (select ", values, ")"))
	case 2:
		if a.move == nil && c.Name != "tags" && t.Name != "stock" {
			inner := s.within()
			member := g.tableMember(inner, g.moving())
			value := g.value(inner, c, false)
			where := optional(seq("", " where ", g.expression(inner, Bool, 1)))
			return optional(seq("", a.names(), " = (select ", value, "::"+c.SQLType+" from ", member, where, " order by ", inner.relations[0].alias, ".id limit 1)"))
		}
	}
	return optional(seq("", a.names(), " = ", values))
}
