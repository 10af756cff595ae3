package rewrite

import pg "github.com/sqlc-dev/oliphant"

// label is the name that PostgreSQL gives an output column without AS, and the
// column reference that decides it, if one does. It follows FigureColname.
func label(n *pg.Node) (name string, ref *pg.ColumnRef) {
	name, ref, _ = figure(n)
	if name == "" {
		name = "?column?"
	}
	return name, ref
}

// figure also tells how strong the name is: a type's or CASE's gives way to
// one from inside.
func figure(n *pg.Node) (name string, ref *pg.ColumnRef, strength int) {
	if n == nil {
		return "", nil, 0
	}
	switch n := n.Node.(type) {
	case *pg.Node_ColumnRef:
		if name := n.ColumnRef.Fields[len(n.ColumnRef.Fields)-1].GetString_().GetSval(); name != "" {
			return name, n.ColumnRef, 2
		}
	case *pg.Node_AIndirection:
		for i := len(n.AIndirection.Indirection) - 1; i >= 0; i-- {
			if name := n.AIndirection.Indirection[i].GetString_().GetSval(); name != "" {
				return name, nil, 2
			}
		}
		return figure(n.AIndirection.Arg)
	case *pg.Node_FuncCall:
		return n.FuncCall.Funcname[len(n.FuncCall.Funcname)-1].GetString_().GetSval(), nil, 2
	case *pg.Node_AExpr:
		if n.AExpr.Kind == pg.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", nil, 2
		}
	case *pg.Node_TypeCast:
		if name, ref, strength = figure(n.TypeCast.Arg); strength > 1 {
			return name, ref, strength
		}
		if names := n.TypeCast.TypeName.GetNames(); len(names) > 0 {
			return names[len(names)-1].GetString_().GetSval(), nil, 1
		}
	case *pg.Node_CollateClause:
		return figure(n.CollateClause.Arg)
	case *pg.Node_CaseExpr:
		if name, ref, strength = figure(n.CaseExpr.Defresult); strength > 1 {
			return name, ref, strength
		}
		return "case", nil, 1
	case *pg.Node_SubLink:
		switch n.SubLink.SubLinkType {
		case pg.SubLinkType_EXISTS_SUBLINK:
			return "exists", nil, 2
		case pg.SubLinkType_ARRAY_SUBLINK:
			return "array", nil, 2
		case pg.SubLinkType_EXPR_SUBLINK:
			// The sub-query's own list keeps its column's name.
			return subqueryLabel(n.SubLink.Subselect.GetSelectStmt()), nil, 2
		}
	default:
		if name := fixedLabel(n); name != "" {
			return name, nil, 2
		}
	}
	return "", nil, 0
}

func subqueryLabel(s *pg.SelectStmt) string {
	for s.GetOp() != pg.SetOperation_SETOP_NONE && s.GetLarg() != nil {
		s = s.Larg
	}
	switch {
	case len(s.GetValuesLists()) > 0:
		return "column1"
	case len(s.GetTargetList()) == 0:
		return ""
	}
	t := s.TargetList[0].GetResTarget()
	if t.Name != "" {
		return t.Name
	}
	name, _ := label(t.Val)
	return name
}

// fixedLabel names what is called by what it is.
func fixedLabel(n any) string {
	switch n := n.(type) {
	case *pg.Node_GroupingFunc:
		return "grouping"
	case *pg.Node_MergeSupportFunc:
		return "merge_action"
	case *pg.Node_AArrayExpr:
		return "array"
	case *pg.Node_RowExpr:
		return "row"
	case *pg.Node_CoalesceExpr:
		return "coalesce"
	case *pg.Node_MinMaxExpr:
		if n.MinMaxExpr.Op == pg.MinMaxOp_IS_LEAST {
			return "least"
		}
		return "greatest"
	case *pg.Node_SqlvalueFunction:
		return sqlValueLabels[n.SqlvalueFunction.Op]
	case *pg.Node_XmlExpr:
		return xmlLabels[n.XmlExpr.Op]
	case *pg.Node_XmlSerialize:
		return "xmlserialize"
	case *pg.Node_JsonParseExpr:
		return "json"
	case *pg.Node_JsonScalarExpr:
		return "json_scalar"
	case *pg.Node_JsonSerializeExpr:
		return "json_serialize"
	case *pg.Node_JsonObjectConstructor:
		return "json_object"
	case *pg.Node_JsonArrayConstructor, *pg.Node_JsonArrayQueryConstructor:
		return "json_array"
	case *pg.Node_JsonObjectAgg:
		return "json_objectagg"
	case *pg.Node_JsonArrayAgg:
		return "json_arrayagg"
	case *pg.Node_JsonFuncExpr:
		return jsonLabels[n.JsonFuncExpr.Op]
	}
	return ""
}

var sqlValueLabels = map[pg.SQLValueFunctionOp]string{
	pg.SQLValueFunctionOp_SVFOP_CURRENT_DATE:        "current_date",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME:        "current_time",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:      "current_time",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:   "current_timestamp",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N: "current_timestamp",
	pg.SQLValueFunctionOp_SVFOP_LOCALTIME:           "localtime",
	pg.SQLValueFunctionOp_SVFOP_LOCALTIME_N:         "localtime",
	pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP:      "localtimestamp",
	pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:    "localtimestamp",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:        "current_role",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_USER:        "current_user",
	pg.SQLValueFunctionOp_SVFOP_USER:                "user",
	pg.SQLValueFunctionOp_SVFOP_SESSION_USER:        "session_user",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:     "current_catalog",
	pg.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:      "current_schema",
}

var xmlLabels = map[pg.XmlExprOp]string{
	pg.XmlExprOp_IS_XMLCONCAT:  "xmlconcat",
	pg.XmlExprOp_IS_XMLELEMENT: "xmlelement",
	pg.XmlExprOp_IS_XMLFOREST:  "xmlforest",
	pg.XmlExprOp_IS_XMLPARSE:   "xmlparse",
	pg.XmlExprOp_IS_XMLPI:      "xmlpi",
	pg.XmlExprOp_IS_XMLROOT:    "xmlroot",
}

var jsonLabels = map[pg.JsonExprOp]string{
	pg.JsonExprOp_JSON_EXISTS_OP: "json_exists",
	pg.JsonExprOp_JSON_QUERY_OP:  "json_query",
	pg.JsonExprOp_JSON_VALUE_OP:  "json_value",
}
