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
			out.names = append(out.names, c.names...)
			out.exact, out.unknown = out.exact && c.exact, out.unknown || c.unknown
			continue
		}
		renames := len(w.renamed)
		w.expr(t.Val, s, env)
		if w.refusal != nil {
			break
		}
		if t.Name != "" {
			out.names = append(out.names, t.Name)
			continue
		}
		name, ref := label(t.Val)
		out.names = append(out.names, name)
		if ref != nil && slices.Contains(w.renamed[renames:], ref) {
			w.edits.insert(w.endOf(w.exprEnd(w.at(int(t.Location)))), " AS "+quote(name))
		}
	}
	return out
}

func valuesColumn(i int) string { return "column" + strconv.Itoa(i+1) }

func itoa(n int) string { return strconv.Itoa(n) }
