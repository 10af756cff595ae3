package lockstep

import "fmt"

// merge makes a MERGE.
func (g *Generator) merge() *Node {
	t := g.table()
	s := &scope{}
	member := g.tableMember(s, t)
	target := s.relations[0]
	outer := &scope{}
	var using *Node
	if g.chance(60) {
		o := g.table()
		for o.Name == target.alias {
			o = g.table()
		}
		using = g.tableMember(s, o)
	} else {
		s.relations = append(s.relations, relation{alias: "s", columns: []Column{{Name: "id", Type: Int}, {Name: "full_name", Type: Str}}})
		using = seq("", "(values (1, 'Ann'), (30, 'x'), (31, null)) as s (id, full_name)")
	}
	source := s.relations[1]
	n := seq("", g.keyword("merge into "), member, " using ", using, " on ", target.alias, ".id = ", source.alias, ".id")
	for i := range 1 + g.rand.IntN(2) {
		// Nothing may follow a clause without a condition.
		condition := g.also(s)
		condition.Switch.off = i == 1 && g.chance(60)
		n.Parts = append(n.Parts, optional(seq("", " when matched", condition, " then ", pick(g,
			seq("", "update set ", g.assignments(s, t, false)), seq("", "delete"), seq("", "do nothing")))))
	}
	if g.chance(60) {
		unmatched := &scope{outer: outer, relations: []relation{source}}
		groups := g.some(g.assignables(t))
		names, row := list(", "), &Node{Sep: ", "}
		for _, a := range groups {
			name := optional(seq("", a.names()))
			value := &Node{Switch: name.Switch, Parts: []Part{a.values(g.valuesOf(unmatched, a, false))}}
			if a.columns[0].Name == "id" {
				value.Parts = []Part{Text(fmt.Sprintf("%s.id + 20", source.alias))}
			}
			names.Parts, row.Parts = append(names.Parts, name), append(row.Parts, value)
		}
		n.Parts = append(n.Parts, optional(seq("", " when not matched", g.also(unmatched), " then insert (", names, ") values (", row, ")")))
	} else {
		n.Parts = append(n.Parts, optional(seq("", " when not matched then do nothing")))
	}
	return n
}

// also makes a further condition.
func (g *Generator) also(s *scope) *Node {
	n := optional(seq("", " and ", g.expression(s, Bool, 2)))
	n.Switch.off = g.chance(40)
	return n
}
