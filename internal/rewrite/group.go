package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// grouping is the GROUP BY of a query.
type grouping struct {
	query *pg.SelectStmt
	out   columns
	// inSet: within ROLLUP, CUBE or GROUPING SETS.
	inSet bool
}

// groupKey walks a member of GROUP BY: a bare name is a column of FROM if
// there is one, else an output column, else an expression.
func (w *walker) groupKey(n *pg.Node, g *grouping, s *scope, env *ctes) {
	if set := n.GetGroupingSet(); set != nil {
		inner := *g
		inner.inSet = true
		for _, n := range set.Content {
			w.groupKey(n, &inner, s, env)
		}
		return
	}
	if row := n.GetRowExpr(); row.GetRowFormat() == pg.CoercionForm_COERCE_IMPLICIT_CAST {
		// PostgreSQL takes (a, b) for two keys, but not ROW (a, b).
		for _, inner := range row.Args {
			w.groupKey(inner, g, s, env)
		}
		return
	}
	if s.moving() && w.groupOutput(n, g, s) {
		return
	}
	name, ref := bareName(n)
	if ref == nil {
		w.groupColumn(n, g, s)
	}
	out := g.out
	switch {
	case ref == nil || !w.r.names[name] && out.has(name) != yes || !s.moving():
		w.expr(n, s, env)
		return
	case !w.r.names[name] && s.row(name) != nil:
		return // an output column comes before a whole row
	}
	input := no
	var captor *table
	for _, it := range s.items {
		if it.seen(name) {
			input = max(input, it.logical(name))
		}
		if it.table != nil && !it.veiled && it.table.moving(name) {
			captor = it.table
		}
	}
	switch has := out.has(name); {
	case input == yes || has == no:
		w.groupColumn(n, g, s)
		w.unqualified(ref, name, s, nil)
	case input == maybe || has == maybe:
		w.doubtfulKey(ref, name, s)
	case captor != nil:
		// The output column of this name is meant, but in the database the
		// table's column would be preferred: name it by its position.
		w.use(captor.reach(name)...)
		w.byPosition(ref, name, out)
	}
}

func (w *walker) byPosition(ref *pg.ColumnRef, name string, out columns) {
	position := 0
	for i, known := range out.names {
		if known == name && position != 0 {
			position = -1
		} else if known == name {
			position = i + 1
		}
	}
	if !out.exact || position < 1 {
		w.refuse(int(ref.Location), "Group by the expression, or by its position.",
			"GROUP BY %s means an output column, but would find the column in transition", quote(name))
		return
	}
	w.renameToken(w.at(int(ref.Location)), name, itoa(position))
}

// groupColumn lets a key that is a moving column be the column on the side that
// is read, when equal values are equal on both sides: what reads back from it, and
// what compares it, are functions of it then. Where the query uses columns that
// only a primary key among the keys makes single, that key can be on either side
// of the move, and both become keys.
func (w *walker) groupColumn(n *pg.Node, g *grouping, s *scope) {
	ref := n.GetColumnRef()
	it, c := w.readElsewhere(n, s)
	if c == nil {
		if more := w.groupSource(n, g, s); more != "" {
			w.edits.insert(w.endOf(w.afterName(w.lastName(ref))), more)
		}
		return
	}
	end := w.endOf(w.afterName(w.lastName(ref)))
	if more := w.groupSides(c, g, it, s, func(column string) { w.compareAs(ref, column) }); more != "" {
		w.edits.insert(end, more)
	}
}

// groupingArgument makes of an argument of GROUPING what the key is.
func (w *walker) groupingArgument(n *pg.Node, s *scope) {
	it, c := w.readElsewhere(n, s)
	if c == nil || !c.move.preserves(transform.PreserveEquality) {
		return
	}
	if other, plain := it.table.read(c.others()[0].Name).bare(); plain {
		w.compareAs(n.GetColumnRef(), other)
	}
}

// groupOutput does so for a key that is the place or name of an output column;
// false when that is not a moving column.
func (w *walker) groupOutput(n *pg.Node, g *grouping, s *scope) bool {
	item := g.output(n, s)
	it, c := w.readElsewhere(item.GetVal(), s)
	if c == nil {
		return w.groupSourceBehind(n, item, g, s)
	}
	prefix, ok := s.qualifier(it)
	if !ok {
		return false
	}
	key := ""
	more := w.groupSides(c, g, it, s, func(column string) { key = prefix + quote(column) })
	location := int(n.GetColumnRef().GetLocation())
	if n.GetAConst() != nil {
		location = int(n.GetAConst().Location)
	}
	i := w.at(location)
	if key != "" {
		w.edits.replace(location, w.endOf(w.afterName(i)), key)
	}
	if more != "" {
		w.edits.insert(w.endOf(w.afterName(i)), more)
	}
	return key != "" || more != ""
}

// output is the item of the list that a key names or numbers, if it is known to
// be the one.
func (g *grouping) output(n *pg.Node, s *scope) *pg.ResTarget {
	list := g.query.TargetList
	if slices.ContainsFunc(list, func(n *pg.Node) bool {
		return n.GetResTarget().GetVal().GetAIndirection() != nil || isStarNode(n.GetResTarget().GetVal())
	}) {
		return nil
	}
	if number := n.GetAConst().GetIval(); number != nil && number.Ival >= 1 && int(number.Ival) <= len(list) {
		return list[number.Ival-1].GetResTarget()
	}
	name, ref := bareName(n)
	if ref == nil {
		return nil
	}
	for _, it := range s.items {
		// A column of FROM comes first.
		if it.table == nil && !it.columns.exact || it.physical(name) != no {
			return nil
		}
	}
	for _, n := range list {
		if t := n.GetResTarget(); t.Name == name {
			return t
		}
	}
	return nil
}

// groupSides says how a moving column that is read from the other side is a key:
// instead takes the column in its place, if there is one; the result are further
// keys.
func (w *walker) groupSides(c *moving, g *grouping, it *item, s *scope, instead func(column string)) (more string) {
	t := it.table
	w.use(t.reach(c.Name)...)
	other, plain := t.read(c.others()[0].Name).bare()
	if len(c.others()) != 1 || !plain {
		return ""
	}
	prefix, ok := s.qualifier(it)
	depends := ok && !g.inSet && c.move.keyed() && w.dependsOnKey(g, it)
	switch {
	case c.move.Identity():
	case c.move.preserves(transform.PreserveEquality):
		instead(other)
	case depends:
		more += ", " + prefix + quote(other)
	}
	if depends && !c.target && t.written(c.Name) { // a target may not be filled yet
		more += ", " + prefix + quote(c.Name)
	}
	return more
}

// dependsOnKey tells whether the query uses a column of the item that is no key,
// outside of aggregates: PostgreSQL allows it when a primary key is among the keys.
func (w *walker) dependsOnKey(g *grouping, it *item) (found bool) {
	keys, items := g.keys()
	visit := func(m proto.Message) bool {
		switch m := m.(type) {
		case *pg.FuncCall:
			return !aggregates[m.Funcname[len(m.Funcname)-1].GetString_().GetSval()] || m.Over != nil
		case *pg.ColumnRef:
			fields := stringsOf(m.Fields)
			name := fields[len(fields)-1]
			mine := len(fields) == 1 || fields[len(fields)-2] == it.name
			found = found || mine && (isStar(m) || (it.table.moving(name) || it.table.shows(name)) && !slices.Contains(keys, name))
		}
		return !found
	}
	for _, list := range [][]*pg.Node{items, {g.query.HavingClause}, g.query.SortClause} {
		for _, n := range list {
			if n != nil {
				below(n.ProtoReflect(), visit)
			}
		}
	}
	return found
}

// keys are the names of the columns that are keys, and the items of the list that
// are not.
func (g *grouping) keys() (names []string, items []*pg.Node) {
	places := map[int]bool{}
	var collect func(list []*pg.Node)
	collect = func(list []*pg.Node) {
		for _, n := range list {
			if ref := n.GetColumnRef(); ref != nil && !isStar(ref) {
				names = append(names, ref.Fields[len(ref.Fields)-1].GetString_().GetSval())
			} else if number := n.GetAConst().GetIval(); number != nil {
				places[int(number.Ival)] = true
			}
			collect(n.GetRowExpr().GetArgs())
		}
	}
	collect(g.query.GroupClause)
	for i, n := range g.query.TargetList {
		if name := n.GetResTarget().Name; !places[i+1] && (name == "" || !slices.Contains(names, name)) {
			items = append(items, n)
		}
	}
	return names, items
}

// aggregates are PostgreSQL's own; what is in the arguments of another one is
// taken for a use by the query itself, which costs it a needless key.
var aggregates = wordSet("count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg " +
	"bool_and bool_or every bit_and bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop var_samp corr " +
	"any_value mode percentile_cont percentile_disc range_agg xmlagg")
