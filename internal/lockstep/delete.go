package lockstep

import "fmt"

// delete makes a DELETE.
func (g *Generator) delete(returning *[]Column, top bool) *Node {
	t := g.table()
	s := &scope{}
	n := seq("")
	if top && g.chance(15) {
		n.Parts = append(n.Parts, g.with(s))
	}
	target := &scope{}
	member := g.tableMember(target, t)
	n.Parts = append(n.Parts, Text(g.keyword("delete from ")), member)
	all := &scope{ctes: s.ctes, relations: target.relations}
	joined := g.chance(30)
	if joined {
		from := g.other(all, target.relations[0])
		from.Parts[0] = Text(" using ")
		n.Parts = append(n.Parts, from)
	}
	where := g.where(all, target.relations[0], g.chance(40) && !joined, joined)
	// Some rows should be left for the statements to come.
	if len(where.Parts) == 0 {
		where = seq("", fmt.Sprintf(" where %s.id > 4", target.relations[0].alias))
	}
	n.Parts = append(n.Parts, where)
	g.returning(all, n, returning)
	return n
}
