package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// assignments walks the list of SET: of UPDATE, MERGE, or ON CONFLICT DO UPDATE.
func (w *walker) assignments(list []*pg.Node, target *item, s *scope, env *ctes) {
	var groups [][]*pg.ResTarget
	moves := false
	for i := 0; i < len(list); {
		group := assignmentGroup(list[i:])
		i += len(group)
		groups = append(groups, group)
		w.assigned(group[0].Val, s, env)
		for _, a := range group {
			w.exprs(a.Indirection, s, env)
			moves = moves || target.table != nil && target.table.moving(a.Name)
		}
	}
	if !moves || w.refusal != nil {
		return
	}
	u := &setList{walker: w, table: target.table, target: target, scope: s}
	u.layout(groups)
	u.whole()
	u.parts()
	if w.refusal == nil {
		u.emit()
	}
}

// assignmentGroup is the first member of a SET list: the columns that one
// parenthesised list names, or a single one.
func assignmentGroup(list []*pg.Node) []*pg.ResTarget {
	group := []*pg.ResTarget{list[0].GetResTarget()}
	if ref := group[0].Val.GetMultiAssignRef(); ref != nil {
		for _, n := range list[1:ref.Ncolumns] {
			group = append(group, n.GetResTarget())
		}
	}
	return group
}

// assigned walks the value of an assignment.
func (w *walker) assigned(n *pg.Node, s *scope, env *ctes) {
	if ref := n.GetMultiAssignRef(); ref != nil {
		if ref.Colno == 1 {
			w.expr(ref.Source, s, env)
		}
		return
	}
	w.expr(n, s, env)
}

// setList is the list of SET of a table in transition.
type setList struct {
	*walker
	table    *table
	target   *item
	scope    *scope
	groups   []*setGroup
	settings []*setting
}

// setGroup is one member of the list: column = value, or (columns) = row.
type setGroup struct {
	settings []*setting
	row      *pg.RowExpr
	sub      *pg.SubLink
	// Tokens: where the member starts, the first of its value and the one behind
	// it.
	first, value, behind int
}

// setting is one column with its value, and what becomes of it.
type setting struct {
	*pg.ResTarget
	group *setGroup
	node  *pg.Node // nil for a column of a sub-query
	// start and end are the range of the value.
	start, end int

	// What takes its place, all of it; or its column's new name, a new value,
	// and what follows it.
	removed               bool
	instead, rename, text string
	after                 []string
}

func (a *setting) changed() bool {
	return a.removed || a.instead != "" || a.rename != "" || a.text != "" || len(a.after) > 0
}

// layout finds the members and their values among the tokens.
func (u *setList) layout(groups [][]*pg.ResTarget) {
	for _, members := range groups {
		g := &setGroup{first: u.at(int(members[0].Location))}
		multi := members[0].Val.GetMultiAssignRef()
		if multi != nil {
			g.first--
			g.value = u.closing(g.first) + 2 // behind =
			g.row, g.sub = multi.Source.GetRowExpr(), multi.Source.GetSubLink()
		} else {
			g.value = u.behindColumn(g.first) + 1
		}
		g.behind = u.exprEnd(g.value)
		var ranges [][2]int
		if g.row != nil {
			ranges = u.rowItems(g.value, g.behind)
		}
		for k, member := range members {
			a := &setting{ResTarget: member, group: g, node: member.Val, start: int(u.tokens[g.value].start), end: u.endOf(g.behind)}
			if multi != nil {
				a.node = valueAt(g.row, k)
			}
			if k < len(ranges) {
				a.start, a.end = ranges[k][0], ranges[k][1]
			}
			g.settings = append(g.settings, a)
		}
		if multi != nil && g.sub == nil && len(g.row.GetArgs()) != len(members) {
			continue // PostgreSQL rejects it
		}
		u.groups = append(u.groups, g)
		u.settings = append(u.settings, g.settings...)
	}
}

// behindColumn is the token behind a column and its subscripts and fields.
func (w *walker) behindColumn(i int) int {
	i = w.afterName(i)
	for w.kind(i) == '[' || w.kind(i) == '.' {
		if w.kind(i) == '[' {
			i = w.closing(i) + 1
			continue
		}
		i = w.afterName(i + 1)
	}
	return i
}

func valueAt(row *pg.RowExpr, k int) *pg.Node {
	if row == nil || k >= len(row.Args) {
		return nil
	}
	return row.Args[k]
}

// rowItems are the byte ranges of the members of the row constructor between
// two tokens.
func (w *walker) rowItems(first, last int) [][2]int {
	if w.is(first, "row") {
		first++
	}
	var ranges [][2]int
	for i := first + 1; i < last; i++ {
		start := i
		i = w.exprEnd(i)
		ranges = append(ranges, [2]int{int(w.tokens[start].start), w.endOf(i)})
	}
	return ranges
}

// whole decides on the assignments of whole values.
func (u *setList) whole() {
	var list []*setting
	var names []string
	for _, a := range u.settings {
		if !u.table.moving(a.Name) || len(a.Indirection) > 0 {
			continue
		}
		if slices.Contains(names, a.Name) {
			u.refuse(int(a.Location), "Assign it once.", "column %s is assigned more than once", quote(a.Name))
			return
		}
		list, names = append(list, a), append(names, a.Name)
		if a.node.GetSetToDefault() != nil {
			u.ownDefaults(u.table, nil, nil, int(a.Location))
		}
	}
	if len(list) == 0 {
		return
	}
	effects := u.effects(u.table, names, int(list[0].Location), false)
	written := func(a *setting) bool { return a.node.GetSetToDefault() != nil && u.table.byName[a.Name][0].explicit() }
	if u.refusal != nil || keeps(effects, u.table, names) && !slices.ContainsFunc(list, written) {
		return
	}
	for i := range list {
		own := func(e effect) bool { return u.table.lead(e, names) == i }
		if mine := slices.DeleteFunc(slices.Clone(effects), func(e effect) bool { return !own(e) }); len(mine) > 0 {
			var given []*setting
			for _, a := range list {
				if slices.Contains(u.table.reach(a.Name), mine[0].move) {
					given = append(given, a)
				}
			}
			u.spread(given, mine)
		}
	}
}

// spread decides how the effects of the given assignments are written: behind
// the last of them.
func (u *setList) spread(given []*setting, effects []effect) {
	subquery, once := false, false
	for _, a := range given {
		subquery = subquery || a.group.sub != nil
		once = once || uses(effects, a.Name) > 1 && !u.repeats(a)
	}
	switch last := given[len(given)-1]; {
	case subquery:
		u.fromSubquery(given, effects)
	case once:
		for _, a := range given {
			a.removed = true
		}
		last.removed, last.instead = false, u.once(given, effects)
	default:
		u.directly(given, effects)
	}
}

// repeats tells whether an assignment's value may be evaluated twice.
func (u *setList) repeats(a *setting) bool {
	if a.node.GetSetToDefault() == nil {
		return u.r.repeatable(a.node)
	}
	return u.table.byName[a.Name][0].absentRepeats
}

// value is what an assignment assigns. DEFAULT is written out: the column may
// have lost it.
func (u *setList) value(a *setting) string {
	if a.node.GetSetToDefault() == nil {
		return u.edits.render(u.sql, a.start, a.end)
	}
	text, _ := u.table.byName[a.Name][0].absent.text()
	return text
}

// instance is an effect's value, with what stands for the new values; the others
// are those of the row as it is.
func (u *setList) instance(e effect, given func(name string) (string, bool)) string {
	return e.value.render(func(name string) string {
		if text, ok := given(name); ok {
			return text
		}
		return u.table.read(name).enclosed().render(func(column string) string { return u.prefix() + quote(column) })
	})
}

// prefix is the qualifier of the row that is updated.
func (u *setList) prefix() string {
	prefix, ok := u.scope.qualifier(u.target)
	if !ok {
		u.refuse(-1, "Give the table an alias.", "a value for %v needs what stands in its row, which cannot be named", u.table)
	}
	return prefix
}

// emit writes what was decided.
func (u *setList) emit() {
	for i, g := range u.groups {
		if !slices.ContainsFunc(g.settings, (*setting).changed) {
			continue
		}
		a := g.settings[0]
		start, end := int(u.tokens[g.first].start), u.endOf(g.behind)
		switch {
		case len(g.settings) > 1 || g.row != nil:
			var parts []string
			for _, a := range g.settings {
				parts = append(parts, u.settingText(a)...)
			}
			u.edits.take(u.sql, start, end)
			u.replaceMember(i, start, end, strings.Join(parts, ", "))
		case a.removed || a.instead != "":
			u.edits.take(u.sql, start, end)
			u.replaceMember(i, start, end, a.instead)
		default:
			if a.rename != "" {
				u.renameToken(g.first, a.Name, quote(a.rename))
			}
			if a.text != "" {
				u.edits.take(u.sql, a.start, a.end)
				u.edits.replace(a.start, a.end, strings.Join(append([]string{a.text}, a.after...), ", "))
			} else if len(a.after) > 0 {
				u.edits.insert(end, ", "+strings.Join(a.after, ", "))
			}
		}
	}
}

// replaceMember replaces a member of the list, or takes it out with its comma.
func (u *setList) replaceMember(i, start, end int, text string) {
	if text == "" {
		end = int(u.tokens[u.groups[i+1].first].start)
	}
	u.edits.replace(start, end, text)
}

// settingText is what becomes of one column of a row that is taken apart into
// single assignments, which is what it means.
func (u *setList) settingText(a *setting) []string {
	switch {
	case a.removed:
		return nil
	case a.instead != "":
		return []string{a.instead}
	}
	name := u.columnText(a.ResTarget)
	if a.rename != "" {
		name = quote(a.rename)
	}
	value := a.text
	if value == "" {
		value = u.edits.render(u.sql, a.start, a.end)
	}
	return append([]string{name + " = " + value}, a.after...)
}

// columnText is an assignment's column as it is written, subscripts included.
func (w *walker) columnText(a *pg.ResTarget) string {
	first := w.at(int(a.Location))
	return w.edits.render(w.sql, int(w.tokens[first].start), w.endOf(w.behindColumn(first)))
}
