package rewrite

import (
	"slices"
	"strconv"

	pg "github.com/sqlc-dev/oliphant"
)

// targetList walks a select list or RETURNING list: stars over a table in
// transition become lists, and what is read under another name gets its own
// name back.
func (w *walker) targetList(list []*pg.Node, s *scope, env *ctes) columns {
	out := columns{exact: true, names: make([]string, 0, len(list))}
	for _, n := range list {
		t := n.GetResTarget()
		if ref := t.Val.GetColumnRef(); ref != nil && isStar(ref) {
			c := w.star(ref, s)
			out = out.and(c)
			continue
		}
		if c, ok := w.allFields(t.Val.GetAIndirection(), s); ok {
			out = out.and(c)
			continue
		}
		renames, fields := len(w.renamed), w.fieldsNamed
		w.expr(t.Val, s, env)
		if w.refusal != nil {
			break
		}
		if it, ref := wholeRowOf(t.Val, s); it != nil && w.isResult(n) {
			w.refuse(int(ref.Location), "Name the columns, or write row_to_json(...), or (...)::text, around it.",
				"the result has the whole row of %v as one column, whose type has other columns now", it.table)
		}
		if t.Name != "" {
			out.names = append(out.names, t.Name)
			continue
		}
		name, ref := label(t.Val)
		out.names = append(out.names, name)
		if w.fieldsNamed > fields || ref != nil && slices.Contains(w.renamed[renames:], ref) || w.recastIn(t.Val) {
			w.edits.insert(w.endOf(w.exprEnd(w.at(int(t.Location)))), " AS "+quote(name))
		}
	}
	return out
}

func valuesColumn(i int) string { return "column" + strconv.Itoa(i+1) }

func itoa(n int) string { return strconv.Itoa(n) }

// isResult tells whether an item is of the list that gives the top-level
// statement its columns.
func (w *walker) isResult(item *pg.Node) bool {
	var list []*pg.Node
	switch top := w.top.GetNode().(type) {
	case *pg.Node_SelectStmt:
		s := top.SelectStmt
		for s.Op != pg.SetOperation_SETOP_NONE {
			s = s.Larg
		}
		list = s.TargetList
	case *pg.Node_InsertStmt:
		list = top.InsertStmt.ReturningClause.GetExprs()
	case *pg.Node_UpdateStmt:
		list = top.UpdateStmt.ReturningClause.GetExprs()
	case *pg.Node_DeleteStmt:
		list = top.DeleteStmt.ReturningClause.GetExprs()
	case *pg.Node_MergeStmt:
		list = top.MergeStmt.ReturningClause.GetExprs()
	}
	return slices.Contains(list, item)
}
