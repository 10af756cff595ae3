package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// A column's collation is implicit: it gives way to one that a statement writes.
// One that is written out is not, and is at odds with any other. So what stands
// for a column has its collation written out only where it would have another one.

// carries tells whether an expression over columns of the other side has the
// collation without help: PostgreSQL derives it from those of the operands.
func carries(n *pg.Node, others []transform.Column, collation string) bool {
	all := func(list []*pg.Node) bool {
		return !slices.ContainsFunc(list, func(n *pg.Node) bool { return n.GetAConst() == nil && !carries(n, others, collation) })
	}
	switch n := n.GetNode().(type) {
	case *pg.Node_ColumnRef:
		name := n.ColumnRef.Fields[0].GetString_().GetSval()
		return slices.ContainsFunc(others, func(c transform.Column) bool { return c.Name == name && c.Collation == collation })
	case *pg.Node_AExpr:
		name := n.AExpr.Name[len(n.AExpr.Name)-1].GetString_().GetSval()
		operands := []*pg.Node{n.AExpr.Lexpr, n.AExpr.Rexpr}
		return n.AExpr.Kind == pg.A_Expr_Kind_AEXPR_OP && name == "||" && all(operands) && !constants(operands)
	case *pg.Node_FuncCall:
		name := n.FuncCall.Funcname[len(n.FuncCall.Funcname)-1].GetString_().GetSval()
		return carriers[name] && len(n.FuncCall.Args) > 0 && carries(n.FuncCall.Args[0], others, collation) && all(n.FuncCall.Args)
	case *pg.Node_CoalesceExpr:
		return all(n.CoalesceExpr.Args) && !constants(n.CoalesceExpr.Args)
	}
	return false
}

func constants(list []*pg.Node) bool {
	return !slices.ContainsFunc(list, func(n *pg.Node) bool { return n.GetAConst() == nil })
}

// carriers are functions from text to text.
var carriers = wordSet("lower upper initcap btrim ltrim rtrim left right substr substring replace reverse split_part")

// held is a value as the column holds it, for an expression that leads to the
// other side. Where the columns of a side have several collations, none is written
// out: two would be at odds, and what joins them cannot depend on either.
func (c *moving) held(value template) template {
	column, side := c.Column, c.move.sources
	if c.target {
		side = c.move.targets
	}
	if slices.ContainsFunc(side, func(d *moving) bool { return d.Collation != c.Collation }) {
		column.Collation = ""
	}
	return value.cast(column)
}
