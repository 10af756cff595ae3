package rewrite

import (
	"fmt"

	pg "github.com/sqlc-dev/oliphant"
)

// repeats tells whether the text of an expression may stand twice.
func (r *Rewriter) repeats(expr string) (bool, error) {
	tree, err := r.parser.parse("select " + expr)
	if err != nil {
		return false, err
	}
	s := tree.Stmts[0].Stmt.GetSelectStmt()
	if len(tree.Stmts) != 1 || s == nil || len(s.TargetList) != 1 {
		return false, fmt.Errorf("%q is not one expression", expr)
	}
	return r.repeatable(s.TargetList[0].GetResTarget().GetVal()), nil
}

// repeatable tells whether evaluating the expression twice in one row gives
// one value and has no effects. A nil expression is DEFAULT elsewhere.
func (r *Rewriter) repeatable(n *pg.Node) bool {
	if n == nil {
		return false
	}
	switch n := n.Node.(type) {
	case *pg.Node_AConst, *pg.Node_ParamRef, *pg.Node_SqlvalueFunction:
		return true
	case *pg.Node_ColumnRef:
		return !isStar(n.ColumnRef)
	case *pg.Node_FuncCall:
		return r.steadyCall(n.FuncCall) && r.allRepeatable(n.FuncCall.Args)
	case *pg.Node_TypeCast:
		return r.repeatable(n.TypeCast.Arg)
	case *pg.Node_CollateClause:
		return r.repeatable(n.CollateClause.Arg)
	case *pg.Node_AExpr:
		return pureOperator(n.AExpr) && r.repeatableOrAbsent(n.AExpr.Lexpr) && r.repeatableOrAbsent(n.AExpr.Rexpr)
	case *pg.Node_List:
		return r.allRepeatable(n.List.Items)
	case *pg.Node_BoolExpr:
		return r.allRepeatable(n.BoolExpr.Args)
	case *pg.Node_NullTest:
		return r.repeatable(n.NullTest.Arg)
	case *pg.Node_BooleanTest:
		return r.repeatable(n.BooleanTest.Arg)
	case *pg.Node_CoalesceExpr:
		return r.allRepeatable(n.CoalesceExpr.Args)
	case *pg.Node_MinMaxExpr:
		return r.allRepeatable(n.MinMaxExpr.Args)
	case *pg.Node_RowExpr:
		return r.allRepeatable(n.RowExpr.Args)
	case *pg.Node_AArrayExpr:
		return r.allRepeatable(n.AArrayExpr.Elements)
	case *pg.Node_CaseExpr:
		return r.repeatableOrAbsent(n.CaseExpr.Arg) && r.allRepeatable(n.CaseExpr.Args) && r.repeatableOrAbsent(n.CaseExpr.Defresult)
	case *pg.Node_CaseWhen:
		return r.repeatable(n.CaseWhen.Expr) && r.repeatable(n.CaseWhen.Result)
	}
	return false
}

func (r *Rewriter) repeatableOrAbsent(n *pg.Node) bool { return n == nil || r.repeatable(n) }

func (r *Rewriter) allRepeatable(nodes []*pg.Node) bool {
	for _, n := range nodes {
		if !r.repeatable(n) {
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
