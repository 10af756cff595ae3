package rewrite

import pg "github.com/sqlc-dev/oliphant"

// repeatable tells whether evaluating the expression twice in one row gives
// one value and has no effects. A nil expression is DEFAULT elsewhere.
func repeatable(n *pg.Node) bool {
	if n == nil {
		return false
	}
	switch n := n.Node.(type) {
	case *pg.Node_AConst, *pg.Node_ParamRef, *pg.Node_SqlvalueFunction:
		return true
	case *pg.Node_ColumnRef:
		return !isStar(n.ColumnRef)
	case *pg.Node_TypeCast:
		return repeatable(n.TypeCast.Arg)
	case *pg.Node_CollateClause:
		return repeatable(n.CollateClause.Arg)
	case *pg.Node_AExpr:
		return pureOperator(n.AExpr) && repeatableOrAbsent(n.AExpr.Lexpr) && repeatableOrAbsent(n.AExpr.Rexpr)
	case *pg.Node_List:
		return allRepeatable(n.List.Items)
	case *pg.Node_BoolExpr:
		return allRepeatable(n.BoolExpr.Args)
	case *pg.Node_NullTest:
		return repeatable(n.NullTest.Arg)
	case *pg.Node_BooleanTest:
		return repeatable(n.BooleanTest.Arg)
	case *pg.Node_CoalesceExpr:
		return allRepeatable(n.CoalesceExpr.Args)
	case *pg.Node_MinMaxExpr:
		return allRepeatable(n.MinMaxExpr.Args)
	case *pg.Node_AArrayExpr:
		return allRepeatable(n.AArrayExpr.Elements)
	case *pg.Node_CaseExpr:
		return repeatableOrAbsent(n.CaseExpr.Arg) && allRepeatable(n.CaseExpr.Args) && repeatableOrAbsent(n.CaseExpr.Defresult)
	case *pg.Node_CaseWhen:
		return repeatable(n.CaseWhen.Expr) && repeatable(n.CaseWhen.Result)
	}
	return false
}

func repeatableOrAbsent(n *pg.Node) bool { return n == nil || repeatable(n) }

func allRepeatable(nodes []*pg.Node) bool {
	for _, n := range nodes {
		if !repeatable(n) {
			return false
		}
	}
	return true
}

// pureOperator tells whether an operator is one of PostgreSQL's own that
// compute and do nothing else.
func pureOperator(e *pg.A_Expr) bool {
	switch len(e.Name) {
	case 0:
		return true
	case 1:
	case 2:
		if e.Name[0].GetString_().GetSval() != "pg_catalog" {
			return false
		}
	default:
		return false
	}
	switch e.Name[len(e.Name)-1].GetString_().GetSval() {
	case "+", "-", "*", "/", "%", "^", "||", "=", "<>", "!=", "<", ">", "<=", ">=",
		"~~", "!~~", "~~*", "!~~*", "&", "|", "#", "~", "<<", ">>", "->", "->>", "#>", "#>>", "@>", "<@",
		"BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC", "NOT BETWEEN SYMMETRIC":
		return true
	}
	return false
}
