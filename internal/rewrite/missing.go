package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// An outer join makes rows of NULLs up. What is read back from them must be NULL
// too, whatever the expression makes of NULLs: concat_ws gives an empty text.

// read is what is read under a name of a table in transition.
func (it *item) read(name string) template {
	read := it.table.read(name)
	if _, bare := read.bare(); bare || !it.optional || !it.table.fills(name) {
		return read
	}
	return constant("CASE WHEN ").and(column("ctid")).and(constant(" IS NOT NULL THEN ")).and(read).and(constant(" END"))
}

// list is the columns that a star over the item shows.
func (it *item) list(prefix string) string { return listOf(it.table.visible, prefix, it.read) }

// values is list without names, for a row constructor.
func (it *item) values(prefix string) string {
	values := make([]string, len(it.table.visible))
	for i, name := range it.table.visible {
		values[i] = it.read(name).enclosed().render(func(column string) string { return prefix + quote(column) })
	}
	return strings.Join(values, ", ")
}

// fills tells whether what is read under a name may be something where all columns
// are NULL.
func (t *table) fills(name string) bool {
	for _, m := range t.reach(name) {
		if slices.ContainsFunc(slices.Concat(m.sources, m.targets), func(c *moving) bool { return c.fills }) {
			return true
		}
	}
	return false
}

// strict tells whether an expression over columns is known to be NULL when they all
// are.
func strict(n *pg.Node) bool {
	switch n := n.GetNode().(type) {
	case *pg.Node_ColumnRef:
		return true
	case *pg.Node_TypeCast:
		return strict(n.TypeCast.Arg)
	case *pg.Node_CollateClause:
		return strict(n.CollateClause.Arg)
	case *pg.Node_AExpr:
		return n.AExpr.Kind == pg.A_Expr_Kind_AEXPR_OP && (strict(n.AExpr.Lexpr) || strict(n.AExpr.Rexpr))
	case *pg.Node_FuncCall:
		name := n.FuncCall.Funcname[len(n.FuncCall.Funcname)-1].GetString_().GetSval()
		if !carriers[name] && name != "timezone" && name != "date_trunc" {
			return false
		}
		return slices.ContainsFunc(n.FuncCall.Args, strict)
	}
	return false
}
