package lockstep

import (
	"fmt"
	"slices"
)

// insert makes an INSERT. With returning it has a RETURNING clause, whose
// columns go there. top: it may have WITH queries of its own.
func (g *Generator) insert(returning *[]Column, top bool) *Node {
	t := g.table()
	outer := &scope{}
	n := seq("")
	if top && g.chance(15) {
		n.Parts = append(n.Parts, g.with(outer))
	}
	name := t.Schema + "." + t.Name
	if t.Schema == "public" && g.chance(80) {
		name = t.Name // a WITH query does not hide the table that is written
	}
	alias := t.Name
	n.Parts = append(n.Parts, Text(g.keyword("insert into ")+name))
	if g.chance(25) {
		alias = pick(g, "x", "name", "full_name")
		n.Parts = append(n.Parts, Text(" as "+alias))
	}
	g.source(n, outer, t)
	s := &scope{ctes: outer.ctes, relations: []relation{{alias: alias, columns: columnsOf(t), table: true}}}
	if g.chance(35) {
		n.Parts = append(n.Parts, g.conflict(s, t))
	}
	g.returning(s, n, returning)
	return n
}

// source adds what is inserted.
func (g *Generator) source(n *Node, outer *scope, t Table) {
	groups := g.assignables(t)
	if g.chance(65) {
		groups = g.some(groups)
	} else if !slices.ContainsFunc(groups, func(a assignable) bool { return a.columns[0].Hidden != nil }) {
		groups = slices.Clone(groups[:1+g.rand.IntN(len(groups))])
		g.rows(n, outer, groups, nil)
		return
	}
	names := list(", ")
	switches := make([]*Switch, len(groups))
	for i, a := range groups {
		element := optional(seq("", a.names()))
		switches[i] = element.Switch
		names.Parts = append(names.Parts, element)
	}
	n.Parts = append(n.Parts, Text(" ("), names, Text(")"))
	g.rows(n, outer, groups, switches)
}

// some picks columns to write, the key always among them, in an order of their own.
func (g *Generator) some(groups []assignable) (list []assignable) {
	for i, a := range groups {
		if i == 0 || g.chance(45) {
			list = append(list, a)
		}
	}
	if g.chance(30) {
		g.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// rows adds VALUES or a query. The switches leave out a column's name and its
// values together.
func (g *Generator) rows(n *Node, outer *scope, groups []assignable, switches []*Switch) {
	if g.chance(6) {
		n.Parts = append(n.Parts, Text(" overriding user value"))
	}
	if g.chance(25) {
		n.Parts = append(n.Parts, g.selected(outer, groups, switches))
		return
	}
	rows := list(", ")
	for range pick(g, 1, 1, 1, 2, 3) {
		rows.Parts = append(rows.Parts, optional(g.row(outer, groups, switches)))
	}
	n.Parts = append(n.Parts, Text(" "+g.keyword("values")+" "), rows)
}

func (g *Generator) row(outer *scope, groups []assignable, switches []*Switch) *Node {
	row := &Node{Sep: ", "}
	g.counted = false
	for i, a := range groups {
		value := &Node{}
		switch c := a.columns[0]; {
		case c.Name == "id":
			value.Parts = []Part{Text(fmt.Sprint(pick(g, 1, 4, 7) + g.rand.IntN(60)))}
		case g.chance(18) && a.move == nil && (c.Default || !c.NotNull):
			defaults := &Node{Sep: ", "}
			for range a.columns {
				defaults.Parts = append(defaults.Parts, Text("default"))
			}
			value.Parts = []Part{defaults}
		default:
			value.Parts = []Part{a.values(g.valuesOf(outer.within(), a, true))}
		}
		if switches != nil {
			value.Switch = switches[i]
		}
		row.Parts = append(row.Parts, value)
	}
	return seq("", "(", row, ")")
}

// selected makes a query whose rows are inserted in a known order.
func (g *Generator) selected(outer *scope, groups []assignable, switches []*Switch) *Node {
	inner := &scope{ctes: outer.ctes}
	member := g.tableMember(inner, g.table())
	items := &Node{Sep: ", "}
	for i, a := range groups {
		value := &Node{}
		if a.columns[0].Name == "id" {
			value.Parts = []Part{Text(fmt.Sprintf("%s.id + %d", inner.relations[0].alias, pick(g, 0, 10, 20, 30, 40, 50)))}
		} else {
			value.Parts = []Part{a.values(g.valuesOf(inner, a, false))}
		}
		if switches != nil {
			value.Switch = switches[i]
		}
		items.Parts = append(items.Parts, value)
	}
	where := optional(seq("", " where ", g.expression(inner, Bool, 2)))
	return seq("", " select ", items, " from ", member, where, " order by ", inner.relations[0].alias, ".id")
}

// conflict makes an ON CONFLICT clause.
func (g *Generator) conflict(s *scope, t Table) *Node {
	target := " (" + t.Key + ")"
	if t.Key != "id" {
		target = pick(g, target, " on constraint "+keyName(t.Name))
	}
	for _, c := range t.Columns {
		if c.Move == nil || !c.Move.Unique || g.chance(50) {
			continue
		}
		target = pick(g, " ("+quoted(c.Name)+")", " on constraint "+quoted(uniqueName(t.Name, c.Name)))
	}
	if g.chance(35) {
		return optional(seq("", " on conflict", pick(g, "", target), " do nothing"))
	}
	both := &scope{ctes: s.ctes, relations: append(slices.Clone(s.relations), relation{alias: "excluded", columns: columnsOf(t)})}
	n := seq("", " on conflict", target, " do update set ", g.assignments(both, t, false))
	if g.chance(40) {
		n.Parts = append(n.Parts, optional(seq("", " where ", g.expression(both, Bool, 2))))
	}
	return optional(n)
}
