package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// A comparison of a source that is read back from its target could use an index
// only on that very expression. Where the move preserves what the comparison is
// about, the target itself is compared, with what the other side becomes.

// comparisons are the operators that need no more than the given preservation.
var comparisons = map[string]transform.Preserve{
	"=": transform.PreserveEquality, "<>": transform.PreserveEquality, "!=": transform.PreserveEquality,
	"<": transform.PreserveOrder, ">": transform.PreserveOrder, "<=": transform.PreserveOrder, ">=": transform.PreserveOrder,
	"BETWEEN": transform.PreserveOrder, "NOT BETWEEN": transform.PreserveOrder,
	"BETWEEN SYMMETRIC": transform.PreserveOrder, "NOT BETWEEN SYMMETRIC": transform.PreserveOrder,
	"~~": transform.PreserveComparison, "!~~": transform.PreserveComparison,
}

// comparison prepares the operands of a comparison before they are walked.
func (w *walker) comparison(e *pg.A_Expr, s *scope) {
	if !w.r.preserving || w.arbiters || len(e.Name) == 0 || e.Lexpr == nil || e.Rexpr == nil {
		return
	}
	needs, ok := comparisons[e.Name[len(e.Name)-1].GetString_().GetSval()]
	if !ok || len(e.Name) > 1 && e.Name[0].GetString_().GetSval() != "pg_catalog" {
		return
	}
	switch e.Kind {
	case pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP_ALL:
		w.compareArray(e.Lexpr, e.Rexpr, needs, s)
	case pg.A_Expr_Kind_AEXPR_OP, pg.A_Expr_Kind_AEXPR_LIKE:
		left, right := e.Lexpr.GetRowExpr(), e.Rexpr.GetRowExpr()
		if left == nil || right == nil || len(left.Args) != len(right.Args) {
			w.compare(e.Lexpr, []*pg.Node{e.Rexpr}, needs, s)
			w.compare(e.Rexpr, []*pg.Node{e.Lexpr}, needs, s)
			return
		}
		for i := range left.Args {
			w.compare(left.Args[i], []*pg.Node{right.Args[i]}, needs, s)
			w.compare(right.Args[i], []*pg.Node{left.Args[i]}, needs, s)
		}
	case pg.A_Expr_Kind_AEXPR_IN:
		w.compareList(e.Lexpr, e.Rexpr.GetList().GetItems(), needs, s)
	case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN,
		pg.A_Expr_Kind_AEXPR_BETWEEN_SYM, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		w.compare(e.Lexpr, e.Rexpr.GetList().GetItems(), needs, s)
	}
}

// compare lets a reference read the target as it is, when all the values that
// it is compared with can follow.
func (w *walker) compare(n *pg.Node, values []*pg.Node, needs transform.Preserve, s *scope) {
	if !w.r.preserving || w.arbiters {
		return
	}
	source, target := w.readBack(n, s)
	if source == nil || !source.move.preserves(needs) {
		return
	}
	asItIs := source.move.preserves(transform.PreserveComparison)
	if !asItIs && len(values) == 1 {
		if other, column := w.readBack(values[0], s); other != nil && other.move == source.move {
			w.compareAs(n.GetColumnRef(), target)
			w.compareAs(values[0].GetColumnRef(), column)
			return
		}
	}
	follows := func(v *pg.Node) bool { return w.isLeaf(v) || !asItIs && w.isOf(v, source.BaseType) }
	if !asItIs && slices.ContainsFunc(values, func(v *pg.Node) bool { return !follows(v) }) {
		return
	}
	w.compareAs(n.GetColumnRef(), target)
	for _, v := range values {
		if follows(v) {
			w.follow(v, source, asItIs)
		}
	}
}

// compareList handles IN. The members of a list have one type in common, which
// parameters among them take: it must not come to be another one.
func (w *walker) compareList(n *pg.Node, values []*pg.Node, needs transform.Preserve, s *scope) {
	source, _ := w.readBack(n, s)
	if source == nil {
		return
	}
	several := len(values) > 1 && slices.ContainsFunc(values, w.isLeaf)
	if several && slices.ContainsFunc(values, func(v *pg.Node) bool { return !w.isLeaf(v) && !w.isOf(v, source.BaseType) }) {
		return
	}
	w.compare(n, values, needs, s)
	if !several || !isText(source) || !source.move.preserves(transform.PreserveComparison) {
		return // compare has given them the source's type
	}
	for _, v := range values {
		if v.GetParamRef() != nil {
			_, end := w.leaf(v)
			w.edits.insert(end, "::"+source.BaseType)
		}
	}
}

// comparedToQuery handles IN, ANY and ALL of a sub-query.
func (w *walker) comparedToQuery(l *pg.SubLink, s *scope) {
	needs := transform.PreserveEquality // IN
	if len(l.OperName) > 0 {
		var ok bool
		if needs, ok = comparisons[l.OperName[len(l.OperName)-1].GetString_().GetSval()]; !ok || len(l.OperName) > 1 {
			return
		}
	}
	left := []*pg.Node{l.Testexpr}
	if row := l.Testexpr.GetRowExpr(); row != nil {
		left = row.Args
	}
	for _, n := range left {
		if n == nil {
			continue
		}
		source, target := w.readBack(n, s)
		if source != nil && source.move.preserves(needs) && source.move.preserves(transform.PreserveComparison) {
			w.compareAs(n.GetColumnRef(), target)
		}
	}
}

// compareArray handles = ANY (array).
func (w *walker) compareArray(n, array *pg.Node, needs transform.Preserve, s *scope) {
	source, target := w.readBack(n, s)
	if source == nil || !source.move.preserves(needs) {
		return
	}
	typ := unlimited(source.BaseType) + "[]"
	switch asItIs := source.move.preserves(transform.PreserveComparison); {
	case asItIs:
		w.compareAs(n.GetColumnRef(), target)
		if w.isLeaf(array) && !isText(source) {
			_, end := w.leaf(array)
			w.edits.insert(end, "::"+typ)
		}
	case w.isLeaf(array) || w.isOf(array, source.BaseType+"[]"):
		// A sub-query of its own gives the array, and no array for none.
		w.compareAs(n.GetColumnRef(), target)
		start, end := w.leaf(array)
		text := "(" + w.sql[start:end] + ")::" + typ
		value := source.move.targets[0].value.enclosed().render(func(string) string { return "_e" })
		w.edits.replace(start, end, "CASE WHEN "+text+" IS NOT NULL THEN ARRAY(SELECT "+value+" FROM unnest("+text+") AS _u(_e)) END")
	}
}

// follow makes a value of what a leaf becomes beside the target.
func (w *walker) follow(v *pg.Node, source *moving, asItIs bool) {
	start, end := w.leaf(v)
	switch {
	case !asItIs:
		forward := source.move.targets[0].value
		value := column("").cast(source.Column).enclosed()
		text := value.render(func(string) string { return w.sql[start:end] })
		w.edits.replace(start, end, forward.enclosed().render(func(string) string { return text }))
	case !isText(source):
		// It has no type of its own, and would get the target's.
		w.edits.insert(end, "::"+unlimited(source.BaseType))
	}
}

// textual lets a function of texts read a target that is one: an index on the
// function is found then.
func (w *walker) textual(f *pg.FuncCall, s *scope) {
	if len(f.Funcname) != 1 || !textFunctions[f.Funcname[0].GetString_().GetSval()] {
		return
	}
	for _, n := range f.Args {
		source, target := w.readBack(n, s)
		if source != nil && source.move.preserves(transform.PreserveComparison) && isText(source) && isText(source.move.targets[0]) {
			w.compareAs(n.GetColumnRef(), target)
		}
	}
}

// textFunctions take texts, and whatever they return is the same for a varchar.
var textFunctions = wordSet("lower upper initcap length char_length octet_length btrim ltrim rtrim left right substr " +
	"replace reverse split_part strpos starts_with md5 to_tsvector")

// isText: a varchar is compared as text already.
func isText(source *moving) bool {
	return source.BaseType == "character varying" || source.BaseType == "text"
}

// readBack is the source that a reference means, if it is read back from a
// target of its own, and that target's column.
func (w *walker) readBack(n *pg.Node, s *scope) (*moving, string) {
	it, name := w.movingItem(n, s)
	if it == nil {
		return nil, ""
	}
	return it.readBack(name)
}

func (it *item) readBack(name string) (*moving, string) {
	for _, c := range it.table.byName[name] {
		if c.target || c.serves() || c.move.Identity() || len(c.move.targets) != 1 || len(c.move.sources) != 1 {
			continue
		}
		if target, ok := it.table.read(c.move.targets[0].Name).bare(); ok {
			return c, target
		}
	}
	return nil, ""
}

// movingItem is the table in transition whose moving column a reference means, and
// the column's name.
func (w *walker) movingItem(n *pg.Node, s *scope) (*item, string) {
	ref := n.GetColumnRef()
	if ref == nil || isStar(ref) || !s.moving() {
		return nil, ""
	}
	fields := stringsOf(ref.Fields)
	name := fields[len(fields)-1]
	if !w.r.names[name] || len(fields) > 3 {
		return nil, ""
	}
	var it *item
	switch len(fields) {
	case 1:
		found, ok := w.lookup(ref, name, s)
		if !ok {
			return nil, ""
		}
		it = found.item
	case 2:
		it, _, _ = s.named("", fields[0])
	case 3:
		it, _, _ = s.named(fields[0], fields[1])
	}
	if it == nil || it.table == nil || it.veiled || !it.table.moving(name) {
		return nil, ""
	}
	return it, name
}

// readElsewhere is the moving column that a reference means, if it is read from
// the other side of its move, and the item.
func (w *walker) readElsewhere(n *pg.Node, s *scope) (*item, *moving) {
	it, name := w.movingItem(n, s)
	if it == nil {
		return nil, nil
	}
	for _, c := range it.table.byName[name] {
		if !c.serves() {
			return it, c
		}
	}
	return nil, nil
}

func (w *walker) compareAs(ref *pg.ColumnRef, target string) {
	if w.compared == nil {
		w.compared = map[*pg.ColumnRef]string{}
	}
	w.compared[ref] = target
}
