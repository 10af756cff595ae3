package rewrite

import (
	"slices"

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
	written := func(a *setting) bool { return a.node.GetSetToDefault() != nil && u.table.explicit(a.Name) }
	if u.refusal != nil || keeps(effects, u.table, names) && !slices.ContainsFunc(list, written) {
		return
	}
	queried := u.fromQueries(list, effects, names)
	for i := range list {
		if slices.Contains(queried, list[i]) {
			continue
		}
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

// fromQueries deals with what comes from sub-queries, each of which is edited once
// for all the moves that it gives values for, and returns those assignments.
func (u *setList) fromQueries(list []*setting, effects []effect, names []string) (queried []*setting) {
	for _, g := range u.groups {
		if g.sub == nil {
			continue
		}
		var given []*setting
		var mine []effect
		inGroup := func(e effect) bool { i := u.table.lead(e, names); return i >= 0 && list[i].group == g }
		for _, e := range effects {
			if inGroup(e) {
				mine = append(mine, e)
			}
		}
		for _, a := range list {
			if slices.ContainsFunc(mine, func(e effect) bool { return slices.Contains(u.table.reach(a.Name), e.move) }) {
				given = append(given, a)
			}
		}
		if len(mine) > 0 {
			u.fromSubquery(g, given, mine)
			queried = append(queried, given...)
		}
	}
	return queried
}

// spread decides how the effects of the given assignments are written: behind
// the last of them.
func (u *setList) spread(given []*setting, effects []effect) {
	once := false
	for _, a := range given {
		if a.group.sub != nil {
			u.severalOrigins(a)
			return
		}
		once = once || uses(effects, a.Name) > 1 && !u.repeats(a)
	}
	switch last := given[len(given)-1]; {
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
