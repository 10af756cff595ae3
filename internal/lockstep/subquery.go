package lockstep

import "fmt"

// subquery makes an expression of a type with a query in it; nil when the type
// has none.
func (g *Generator) subquery(s *scope, t Type) *Node {
	inner := s.within()
	switch t {
	case Bool:
		switch pick(g, 0, 1, 2, 3) {
		case 0:
			query, _ := g.query(inner, nil, 1)
			return seq("", pick(g, "exists (", "not exists ("), query, ")")
		case 1:
			of := g.comparable(s)
			query, _ := g.query(inner, []Type{of}, 1)
			return seq("", g.expression(s, of, 1), pick(g, " in (", " not in (", " = any (", " <> all (", " > all (", " = some ("), query, ")")
		case 2:
			of := g.comparable(s)
			query, _ := g.query(inner, []Type{of, Int}, 1)
			return seq("", "(", g.expression(s, of, 1), ", ", g.expression(s, Int, 1), ") in (", query, ")")
		default:
			from := g.from(inner)
			return seq("", "exists (select * from ", from, " where ", g.expression(inner, Bool, 1), ")")
		}
	case Int, Str, Big, Num, Mood:
		from := g.from(inner)
		of := g.expression(inner.near(), t, 1)
		where := optional(seq("", " where ", g.expression(inner, Bool, 1)))
		return seq("", "(select ", pick(g, "max(", "min("), of, ") from ", from, where, ")")
	case Strs:
		from := g.from(inner)
		of := g.expression(inner, Str, 1)
		return seq("", "array(select ", of, " from ", from, " order by 1)")
	}
	return nil
}

// near is a scope without what is around it. An aggregate of outer columns alone
// would belong to the outer query.
func (s *scope) near() *scope { return &scope{relations: s.relations, merged: s.merged, ctes: s.ctes} }

// comparable picks a type whose values can be compared.
func (g *Generator) comparable(s *scope) Type {
	if t := g.anyType(s); !types[t].unordered {
		return t
	}
	return Str
}

// setOperation makes two queries with an operation between them.
func (g *Generator) setOperation(s *scope, wanted []Type, depth int) (*Node, []Column) {
	top := wanted == nil
	if top {
		for range 1 + g.rand.IntN(3) {
			wanted = append(wanted, pick(g, Int, Str, Str, Big, Bool, g.movingType()))
		}
	}
	for i, t := range wanted {
		if types[t].unordered {
			wanted[i] = Str
		}
	}
	left, columns := g.query(s.sibling(), wanted, 1)
	right, _ := g.query(s.sibling(), wanted, 1)
	n := seq("query", "(", left, ") ", pick(g, "union", "union all", "except", "intersect", "except all"), " (", right, ")")
	columns = distinct(columns)
	if c := pick(g, columns...); top && c.Name != "?column?" && g.chance(50) {
		order := optional(seq("", " order by ", pick(g, quoted(c.Name), fmt.Sprint(len(columns)))))
		n.Parts = append(n.Parts, order)
	}
	return n, columns
}

// sibling is an empty scope that sees what s sees around it.
func (s *scope) sibling() *scope { return &scope{outer: s.outer, ctes: s.ctes} }

// movingType is the type of a column that moves.
func (g *Generator) movingType() Type {
	t := g.moving()
	for _, c := range t.Columns {
		if c.Move != nil {
			return c.Type
		}
	}
	panic("nothing moves in " + t.Name)
}
