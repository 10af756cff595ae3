package rewrite

import (
	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// expr walks an expression in the name space s. The kinds that most
// statements consist of are spelled out; any other node is walked by its
// fields, so that none is ever skipped.
func (w *walker) expr(n *pg.Node, s *scope, env *ctes) {
	if n == nil || w.refusal != nil {
		return
	}
	switch kind := n.Node.(type) {
	case nil, *pg.Node_AConst, *pg.Node_ParamRef, *pg.Node_SetToDefault, *pg.Node_SqlvalueFunction, *pg.Node_String_:
	case *pg.Node_ColumnRef:
		w.reference(kind.ColumnRef, s)
	case *pg.Node_AExpr:
		w.comparison(kind.AExpr, s)
		w.expr(kind.AExpr.Lexpr, s, env)
		w.expr(kind.AExpr.Rexpr, s, env)
	case *pg.Node_BoolExpr:
		w.exprs(kind.BoolExpr.Args, s, env)
	case *pg.Node_List:
		w.exprs(kind.List.Items, s, env)
	case *pg.Node_NullTest:
		w.compare(kind.NullTest.Arg, nil, transform.PreserveEquality, s)
		w.expr(kind.NullTest.Arg, s, env)
	case *pg.Node_CoalesceExpr:
		w.exprs(kind.CoalesceExpr.Args, s, env)
	case *pg.Node_GroupingFunc:
		for _, n := range kind.GroupingFunc.Args {
			w.groupingArgument(n, s)
		}
		w.exprs(kind.GroupingFunc.Args, s, env)
	case *pg.Node_TypeCast:
		w.typeName(kind.TypeCast.TypeName)
		w.expr(kind.TypeCast.Arg, s, env)
	case *pg.Node_FuncCall:
		w.funcCall(kind.FuncCall, s, env)
	case *pg.Node_RowExpr:
		w.rowConstructor(kind.RowExpr, s, env)
	case *pg.Node_AIndirection:
		if !w.indirection(kind.AIndirection, s) {
			w.expr(kind.AIndirection.Arg, s, env)
		}
		w.exprs(kind.AIndirection.Indirection, s, env)
	case *pg.Node_SubLink:
		w.comparedToQuery(kind.SubLink, s)
		w.expr(kind.SubLink.Testexpr, s, env)
		w.query(kind.SubLink.Subselect, s, env)
	case *pg.Node_SelectStmt:
		w.selectStmt(kind.SelectStmt, s, env)
	case *pg.Node_TypeName:
		w.typeName(kind.TypeName)
	case *pg.Node_XmlExpr:
		w.exprs(kind.XmlExpr.Args, s, env)
		w.targetList(kind.XmlExpr.NamedArgs, s, env)
	default:
		w.fields(n.ProtoReflect(), s, env)
	}
}

func (w *walker) exprs(nodes []*pg.Node, s *scope, env *ctes) {
	for _, n := range nodes {
		w.expr(n, s, env)
	}
}

func (w *walker) funcCall(f *pg.FuncCall, s *scope, env *ctes) {
	w.calls(f)
	if w.notation(f, s) || w.r.preserving && w.extreme(f, s) {
		return
	}
	if w.r.preserving {
		w.textual(f, s)
	}
	w.exprs(f.Args, s, env)
	w.exprs(f.AggOrder, s, env)
	w.expr(f.AggFilter, s, env)
	if f.Over != nil {
		w.window(f.Over, s, env)
	}
}

// window walks a window's definition; its ORDER BY takes expressions only.
func (w *walker) window(d *pg.WindowDef, s *scope, env *ctes) {
	w.exprs(d.PartitionClause, s, env)
	w.exprs(d.OrderClause, s, env)
	w.expr(d.StartOffset, s, env)
	w.expr(d.EndOffset, s, env)
}

// typeName refuses the row type of a table in transition: its columns are the
// expanded table's.
func (w *walker) typeName(t *pg.TypeName) {
	if t == nil || len(t.Names) == 0 {
		return
	}
	last := t.Names[len(t.Names)-1].GetString_().GetSval()
	schema := ""
	if len(t.Names) > 1 {
		schema = t.Names[len(t.Names)-2].GetString_().GetSval()
	}
	// With %TYPE the last name is a column's.
	table := w.r.table(schema, last)
	if table == nil && schema == "" && w.pathUnknown && w.mentionedName(last) {
		w.refuse(int(t.Location), "Qualify the type's name with its schema.",
			"the search_path has been changed, so it is not known whether %s is the row type of the table in transition", quote(last))
	}
	if table != nil && !t.PctType {
		w.refuse(int(t.Location), "Use a record with a column definition list, or a type of its own.",
			"the row type of %v is used", table)
	}
}

// fields walks the nodes below a message of any kind.
func (w *walker) fields(m protoreflect.Message, s *scope, env *ctes) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil || field.IsMap() {
			return true
		}
		if !field.IsList() {
			w.message(value.Message(), s, env)
			return true
		}
		for list, i := value.List(), 0; i < list.Len(); i++ {
			w.message(list.Get(i).Message(), s, env)
		}
		return true
	})
}

func (w *walker) message(m protoreflect.Message, s *scope, env *ctes) {
	switch n := m.Interface().(type) {
	case *pg.Node:
		w.expr(n, s, env)
	case *pg.SelectStmt:
		w.selectStmt(n, s, env)
	case *pg.TypeName:
		w.typeName(n)
	case *pg.WindowDef:
		w.window(n, s, env)
	default:
		w.fields(m, s, env)
	}
}
