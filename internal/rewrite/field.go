package rewrite

import pg "github.com/sqlc-dev/oliphant"

// A column of a whole row can be named in three more ways: (u).name, name(u) and,
// for all of them, (u).*.

// indirection handles (u).name; false for any other.
func (w *walker) indirection(n *pg.A_Indirection, s *scope) bool {
	it, ref := wholeRowOf(n.Arg, s)
	if it == nil || it.veiled || len(n.Indirection) == 0 {
		return false
	}
	name := n.Indirection[0].GetString_().GetSval()
	if name == "" {
		return false
	}
	if !it.table.moving(name) && !w.r.names[it.name] {
		return true // the row has it
	}
	first, last, ok := w.inParentheses(ref)
	if !ok || !identEquals(w.sql, w.tokens, last, name) {
		w.refuse(int(ref.Location), hintColumns, "a field of the whole row of %v is named", it.table)
		return true
	}
	w.field(ref, it, name, first, w.afterName(last), s)
	return true
}

// notation handles name(u); false for any other call.
func (w *walker) notation(f *pg.FuncCall, s *scope) bool {
	if len(f.Funcname) != 1 || len(f.Args) != 1 || f.AggFilter != nil || f.Over != nil {
		return false
	}
	name := f.Funcname[0].GetString_().GetSval()
	it, ref := wholeRowOf(f.Args[0], s)
	switch {
	case it == nil || it.veiled || !it.table.moving(name) && !it.table.shows(name):
		return false
	case !it.table.moving(name) && !it.table.moving(it.name):
		return true // the row has it, and no column covers the row
	}
	first := w.at(int(f.Location))
	w.field(ref, it, name, first, w.closing(w.afterName(first))+1, s)
	return true
}

// field puts a column in the place of the tokens [first, behind).
func (w *walker) field(ref *pg.ColumnRef, it *item, name string, first, behind int, s *scope) {
	w.use(it.table.reach(name)...)
	prefix := w.rowPrefix(ref, it, s)
	text := it.read(name).enclosed().render(func(column string) string { return prefix + quote(column) })
	w.edits.replace(int(w.tokens[first].start), w.endOf(behind), text)
	w.fieldsNamed++
}

// allFields handles (u).* in a list of columns; false for any other item.
func (w *walker) allFields(n *pg.A_Indirection, s *scope) (columns, bool) {
	it, ref := wholeRowOf(n.GetArg(), s)
	if it == nil || it.veiled || len(n.Indirection) != 1 {
		return columns{}, false
	}
	if _, star := n.Indirection[0].Node.(*pg.Node_AStar); !star {
		return columns{}, false
	}
	first, last, ok := w.inParentheses(ref)
	if !ok {
		w.refuse(int(ref.Location), hintColumns, "the fields of the whole row of %v are listed", it.table)
		return columns{unknown: true}, true
	}
	w.wholly(it.table, int(ref.Location))
	w.expectStar(last)
	w.edits.replace(int(w.tokens[first].start), int(w.tokens[last].end), it.list(w.rowPrefix(ref, it, s)))
	return exactly(it.table.visible...), true
}

// inParentheses are the opening parenthesis before a one-name reference, and
// the token behind the dot that follows the closing one.
func (w *walker) inParentheses(ref *pg.ColumnRef) (first, last int, ok bool) {
	i := w.at(int(ref.Location))
	behind := w.afterName(i)
	ok = len(ref.Fields) == 1 && w.kind(i-1) == '(' && w.kind(behind) == ')' && w.kind(behind+1) == '.'
	return i - 1, behind + 2, ok && behind+2 < len(w.tokens)
}

// wholeRowOf is the item whose whole row a node means, or nil.
func wholeRowOf(n *pg.Node, s *scope) (*item, *pg.ColumnRef) {
	ref := n.GetColumnRef()
	switch {
	case ref == nil:
		return nil, nil
	case isStar(ref):
		return s.starred(ref), ref
	case len(ref.Fields) == 1:
		return s.row(ref.Fields[0].GetString_().GetSval()), ref
	}
	return nil, nil
}

// rowConstructor walks ROW (...), in which u.* stands for its columns.
func (w *walker) rowConstructor(r *pg.RowExpr, s *scope, env *ctes) {
	for _, n := range r.Args {
		ref := n.GetColumnRef()
		if ref == nil || !isStar(ref) {
			w.expr(n, s, env)
			continue
		}
		it := s.starred(ref)
		if it == nil || it.veiled {
			continue
		}
		first := w.at(int(ref.Location))
		last := w.lastStar(ref)
		w.wholly(it.table, int(ref.Location))
		prefix := w.sql[w.tokens[first].start:w.tokens[last].start]
		w.edits.replace(int(w.tokens[first].start), int(w.tokens[last].end), it.values(prefix))
	}
}

// lastStar is the token of the star that a reference ends in.
func (w *walker) lastStar(ref *pg.ColumnRef) int {
	i := w.lastName(ref)
	w.expectStar(i)
	return i
}
