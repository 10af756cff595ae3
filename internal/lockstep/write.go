package lockstep

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// value makes a value to write to a column, one for which its move is exact.
// deterministic tells whether it is known which row gets which: a value that
// counts calls may be written only then.
func (g *Generator) value(s *scope, c Column, deterministic bool) *Node {
	n := g.valueOf(s, c, deterministic)
	n.Sort, n.Simple = "value of "+c.Name, g.literals(c)[0]
	return n
}

func (g *Generator) valueOf(s *scope, c Column, deterministic bool) *Node {
	// In which order the columns of a row are evaluated is open.
	deterministic = deterministic && !g.counted
	literals := g.literals(c)
	own := s.references(func(o Column) bool { return o.Move != nil && o.Move == c.Move && o.Name == c.Name && o.Type == c.Type })
	switch n := g.rand.IntN(100); {
	case n < 25 && g.params != nil:
		return seq("", g.parameter("column "+c.Name+c.SQLType, g.texts(c)))
	case n < 35 && !c.NotNull && (c.Move == nil || len(c.Move.Sources)+len(c.Move.Targets) == 2):
		return seq("", "null")
	case n < 42 && c.Type == Str && c.Free() && deterministic:
		g.counted = true
		return seq("", "gen(", g.expression(s, Str, 1), ")")
	case n < 50 && deterministic:
		g.counted = true
		return seq("", "(case when nextval('public.volatile') % 2 = 0 then ", pick(g, literals...), " else ", pick(g, literals...), " end)::"+c.SQLType)
	case n < 58 && len(own) > 0:
		return seq("", g.reference(pick(g, own...)))
	case n < 64 && len(own) > 0:
		return seq("", "case when ", g.expression(s, Bool, 1), " then ", g.reference(pick(g, own...)), " else ", pick(g, literals...), " end")
	case n < 70 && len(own) > 0:
		return seq("", "coalesce(", g.reference(pick(g, own...)), ", ", pick(g, literals...), ")")
	case n < 82 && c.Free() && c.SQLType != "character varying(20)":
		return g.expression(s, c.Type, 2)
	}
	return seq("", pick(g, literals...))
}

// literals are values of a column as SQL.
func (g *Generator) literals(c Column) []string {
	if c.Values != nil {
		return c.Values
	}
	if c.Name == "note" {
		return []string{"'n'", "'Ann'", "''"}
	}
	return types[c.Type].values
}

// texts are values of a column in text format.
func (g *Generator) texts(c Column) (list []string) {
	if c.Values == nil {
		return texts[c.Type]
	}
	for _, v := range c.Values {
		list = append(list, strings.Trim(v, "'"))
	}
	return list
}

// assignable are the columns of a table that a statement may write, in groups
// that are written together: a column, or one side of a move.
type assignable struct {
	columns []Column
	// move is set when the columns are the targets of a move that is not a mere
	// change of name: the original database gets what leads back to the sources.
	move *Move
}

// names lists the columns to write, in both spellings.
func (a assignable) names() Part {
	var list []string
	for _, c := range a.columns {
		list = append(list, quoted(c.Name))
	}
	expanded := Text(strings.Join(list, ", "))
	switch {
	case a.move != nil:
		list = nil
		for _, c := range a.move.Sources {
			list = append(list, quoted(c.Name))
		}
		return Either{Text(strings.Join(list, ", ")), expanded}
	case a.columns[0].Hidden != nil:
		return Either{Text(quoted(a.columns[0].Move.Sources[0].Name)), expanded}
	}
	return expanded
}

// values are the values to write, in both spellings.
func (a assignable) values(list []*Node) Part {
	expanded := &Node{Sep: ", "}
	for _, n := range list {
		expanded.Parts = append(expanded.Parts, n)
	}
	if a.move == nil {
		return expanded
	}
	original := &Node{Sep: ", "}
	for _, source := range a.move.Sources {
		original.Parts = append(original.Parts, a.backward(source, list))
	}
	return Either{original, expanded}
}

// backward is the value of a source, made of those that are written to the
// targets.
func (a assignable) backward(source transform.Column, list []*Node) *Node {
	const hole = "\x01"
	text := a.move.Backward(source, func(name string) string {
		i := slices.IndexFunc(a.columns, func(c Column) bool { return c.Name == name })
		return fmt.Sprintf("%s%d%s", hole, i, hole)
	})
	n := &Node{}
	for i, piece := range strings.Split(text, hole) {
		if i%2 == 0 {
			n.Parts = append(n.Parts, Text(piece))
			continue
		}
		var at int
		_, _ = fmt.Sscan(piece, &at) // made above
		n.Parts = append(n.Parts, Text("("), list[at], Text(")::"+a.columns[at].SQLType))
	}
	return n
}

// assignables are the groups of columns of a table. For each move, either the
// sources, or the targets.
func (g *Generator) assignables(t Table) (list []assignable) {
	decided := map[*Move]bool{}
	for _, c := range t.Columns {
		if c.Move == nil {
			list = append(list, assignable{columns: []Column{c}})
			continue
		}
		if decided[c.Move] {
			continue
		}
		decided[c.Move] = true
		targets := g.chance(35)
		var group []Column
		for _, o := range columnsOf(t) {
			if o.Move == c.Move && (o.Hidden != nil) == targets {
				group = append(group, o)
			}
		}
		switch {
		case targets && c.Move.Kind != transform.Rename:
			list = append(list, assignable{columns: group, move: c.Move})
		case len(group) > 1 && c.Move.Kind == transform.Merge:
			for _, o := range group {
				list = append(list, assignable{columns: []Column{o}})
			}
		default:
			list = append(list, assignable{columns: group})
		}
	}
	return list
}

// valuesOf makes a value for each column of the group.
func (g *Generator) valuesOf(s *scope, a assignable, deterministic bool) (list []*Node) {
	for _, c := range a.columns {
		if a.move == nil {
			list = append(list, g.value(s, c, deterministic))
			continue
		}
		// The original may write it more than once, and reads another column.
		list = append(list, seq("", pick(g, c.Values...)))
	}
	return list
}

// returning makes a RETURNING clause, or nothing. It must when columns is given.
func (g *Generator) returning(s *scope, n *Node, columns *[]Column) {
	if columns == nil && g.chance(40) {
		return
	}
	items, list := g.items(s, nil, 1)
	clause := seq("", " "+g.keyword("returning")+" ", items)
	if columns == nil {
		clause = optional(clause)
	} else {
		*columns = list
	}
	n.Parts = append(n.Parts, clause)
}
