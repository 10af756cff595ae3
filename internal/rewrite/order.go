package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// sortKey walks a member of ORDER BY or DISTINCT ON: a bare name is an output
// column if there is one of this name, else an expression.
func (w *walker) sortKey(n *pg.Node, q *pg.SelectStmt, s *scope, env *ctes, out columns) {
	if w.sortOutput(n, q, s) {
		return
	}
	name, ref := bareName(n)
	if ref == nil || out.has(name) == no {
		w.sortable(n, q, s)
	}
	if ref == nil || !w.r.names[name] && s.row(name) == nil {
		w.expr(n, s, env)
		return
	}
	switch out.has(name) {
	case yes:
	case maybe:
		w.doubtfulKey(ref, name, s)
	default:
		w.unqualified(ref, name, s, out.names)
	}
}

// rowwise tells whether a query's rows are those of FROM, one by one.
func rowwise(q *pg.SelectStmt) bool {
	return q != nil && len(q.DistinctClause) == 0 && len(q.GroupClause) == 0 && q.HavingClause == nil
}

// sortable lets a sort key read the target as it is, when the move preserves
// the order.
func (w *walker) sortable(n *pg.Node, q *pg.SelectStmt, s *scope) {
	if !w.r.preserving || !rowwise(q) {
		return
	}
	if source, target := w.readBack(n, s); source != nil && source.move.preserves(transform.PreserveOrder) {
		w.compareAs(n.GetColumnRef(), target)
	}
}

// sortOutput sorts by the target itself what names an output column that is just
// a source; false when it is anything else.
func (w *walker) sortOutput(n *pg.Node, q *pg.SelectStmt, s *scope) bool {
	name, ref := bareName(n)
	if ref == nil || !w.r.preserving || !rowwise(q) || !s.moving() {
		return false
	}
	it, column := w.outputColumn(q.TargetList, name, s)
	if it == nil {
		return false
	}
	source, target := it.readBack(column)
	prefix, ok := s.qualifier(it)
	if source == nil || !ok || !source.move.preserves(transform.PreserveOrder) {
		return false
	}
	w.use(it.table.reach(column)...)
	w.renameToken(w.at(int(ref.Location)), name, prefix+quote(target))
	return true
}

// outputColumn is the column of a table in transition that the one output column
// of this name is.
func (w *walker) outputColumn(list []*pg.Node, name string, s *scope) (found *item, column string) {
	for _, n := range list {
		t := n.GetResTarget()
		ref := t.Val.GetColumnRef()
		if ref == nil {
			if outputs, _ := label(t.Val); t.Name == name || t.Name == "" && outputs == name || t.Val.GetAIndirection() != nil {
				return nil, ""
			}
			continue
		}
		it, from := w.itemShown(ref, t.Name, name, s)
		switch {
		case from == "":
		case it == nil || found != nil:
			return nil, ""
		default:
			found, column = it, from
		}
	}
	return found, column
}

// itemShown is where the output column of a name comes from, if the reference, with
// its label, gives one of this name: the column's name is then not empty. The
// item is nil when it is not a table in transition, or not known.
func (w *walker) itemShown(ref *pg.ColumnRef, as, name string, s *scope) (*item, string) {
	if !isStar(ref) {
		last := ref.Fields[len(ref.Fields)-1].GetString_().GetSval()
		if as == "" && last != name || as != "" && as != name {
			return nil, ""
		}
		it, _ := w.movingItem(&pg.Node{Node: &pg.Node_ColumnRef{ColumnRef: ref}}, s)
		return it, last
	}
	if len(ref.Fields) > 1 {
		if it := s.starred(ref); it == nil {
			return nil, name // of something else, whatever it has
		} else if it.table.shows(name) {
			return it, name
		}
		return nil, ""
	}
	var found *item
	for _, it := range s.items {
		switch {
		case it.table == nil || it.veiled:
			return nil, name
		case found != nil && it.table.shows(name):
			return nil, name
		case it.table.shows(name):
			found = it
		}
	}
	if found == nil {
		return nil, ""
	}
	return found, name
}

// extreme rewrites min and max of a source as those of the target, so that they can
// come from an index; false for any other call.
func (w *walker) extreme(f *pg.FuncCall, s *scope) bool {
	names := stringsOf(f.Funcname)
	function := names[len(names)-1]
	if function != "min" && function != "max" || len(names) > 1 && names[0] != "pg_catalog" || len(f.Args) != 1 ||
		f.AggFilter != nil || f.Over != nil || f.AggDistinct || len(f.AggOrder) > 0 || f.AggStar {
		return false
	}
	ref := f.Args[0].GetColumnRef()
	source, target := w.readBack(f.Args[0], s)
	if source == nil || !source.move.preserves(transform.PreserveOrder) || len(source.value.columns) != 1 {
		return false
	}
	w.compareAs(ref, target)
	w.reference(ref, s)
	// The result has the type without its length, and text for varchar.
	typ := unlimited(source.BaseType)
	if typ == "character varying" {
		typ = "text"
	}
	after := source.value.texts[1] + ")"
	if typ != source.Type {
		after += "::" + typ
	}
	w.edits.insertBefore(int(f.Location), "("+source.value.texts[0])
	w.edits.insert(w.endOf(w.closing(w.at(int(f.Location))+2*len(names)-1)+1), after)
	w.recast = append(w.recast, f)
	return true
}

// apart puts a query for the first or last of all values into a sub-query: beside
// a WITH, PostgreSQL does not look for it in an index.
func (w *walker) apart(n *pg.Node, first int) {
	q := n.GetSelectStmt()
	if q == nil || q.Op != pg.SetOperation_SETOP_NONE || len(q.FromClause) != 1 || q.FromClause[0].GetRangeVar() == nil || len(q.GroupClause) > 0 ||
		q.IntoClause != nil || len(q.LockingClause) > 0 || !w.hasExtreme(q) {
		return
	}
	last := w.until(first, func(i int) bool { return w.is(i, "with") && !w.is(i+1, "time") }) // WITH NO DATA
	w.edits.insertBefore(int(w.tokens[first].start), "SELECT * FROM (")
	w.edits.insert(w.endOf(last), ") AS _q")
}

// hasExtreme tells whether min or max is called by the query itself.
func (w *walker) hasExtreme(q *pg.SelectStmt) (found bool) {
	for _, n := range q.TargetList {
		below(n.ProtoReflect(), func(m proto.Message) bool {
			switch m := m.(type) {
			case *pg.SubLink:
				return false
			case *pg.FuncCall:
				name := m.Funcname[len(m.Funcname)-1].GetString_().GetSval()
				found = found || (name == "min" || name == "max") && len(m.Args) == 1 && m.Over == nil &&
					m.AggFilter == nil && !m.AggDistinct
			}
			return !found
		})
	}
	return found
}

// recastIn tells whether the name of an output column was that of a call which
// stands inside of something else now.
func (w *walker) recastIn(n *pg.Node) bool {
	for {
		switch inner := n.GetNode().(type) {
		case *pg.Node_FuncCall:
			return slices.Contains(w.recast, inner.FuncCall)
		case *pg.Node_TypeCast:
			n = inner.TypeCast.Arg
		case *pg.Node_CollateClause:
			n = inner.CollateClause.Arg
		default:
			return false
		}
	}
}
