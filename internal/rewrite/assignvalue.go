package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// directly writes the effects with the values in them.
func (u *setList) directly(given []*setting, effects []effect) {
	values := map[string]string{}
	for _, a := range given {
		values[a.Name] = u.value(a)
		if a.removed = true; slices.ContainsFunc(effects, func(e effect) bool { return e.own && e.column == a.Name }) {
			a.removed = false
			if a.node.GetSetToDefault() != nil && u.table.explicit(a.Name) {
				a.text = values[a.Name]
			}
		}
	}
	var others []effect
	for _, e := range effects {
		if !e.own {
			others = append(others, e)
		}
	}
	value := func(name string) (string, bool) { text, ok := values[name]; return text, ok }
	last := given[len(given)-1]
	if len(others) == 1 && last.removed && others[0].move.Identity() {
		last.removed, last.rename = false, others[0].column
		if last.node.GetSetToDefault() != nil {
			last.text = values[last.Name]
		}
		return
	}
	for _, e := range others {
		last.after = append(last.after, quote(e.column)+" = "+u.instance(e, value))
	}
	if last.removed {
		last.removed, last.instead, last.after = false, strings.Join(last.after, ", "), nil
	}
}

// once assigns values that are evaluated once. The condition on the target's row
// makes PostgreSQL evaluate them for each row instead of once a statement, and
// OFFSET keeps the planner from copying them.
func (u *setList) once(given []*setting, effects []effect) string {
	u.rowAssignments++
	var columns, results, evaluated []string
	value := func(name string) (string, bool) {
		i := slices.IndexFunc(given, func(a *setting) bool { return a.Name == name })
		return "_v._" + itoa(i+1), i >= 0
	}
	for _, e := range effects {
		columns = append(columns, quote(e.column))
		results = append(results, u.instance(e, value))
	}
	for i, a := range given {
		text := u.value(a)
		if untyped(a.node) {
			text += "::" + u.table.typeOf(a.Name)
		}
		evaluated = append(evaluated, "("+text+") AS _"+itoa(i+1))
	}
	return "(" + strings.Join(columns, ", ") + ") = (SELECT " + strings.Join(results, ", ") + " FROM (SELECT " +
		strings.Join(evaluated, ", ") + " WHERE " + u.prefix() + "ctid IS NOT NULL OFFSET 0) AS _v)"
}

// fromSubquery assigns the columns of a sub-query's row, and what follows from
// them.
func (u *setList) fromSubquery(g *setGroup, given []*setting, effects []effect) {
	for _, a := range given {
		if a.group != g {
			u.severalOrigins(a)
			return
		}
	}
	query := g.sub.GetSubselect().GetSelectStmt()
	if query == nil {
		u.refuse(int(given[0].Location), "Assign the columns one by one.", "the value for %v is not a row or sub-query", u.table)
		return
	}
	place := func(name string) int {
		return slices.IndexFunc(g.settings, func(a *setting) bool { return a.Name == name })
	}
	identity := !slices.ContainsFunc(effects, func(e effect) bool { return !e.own && !e.move.Identity() })
	var columns, results []string
	kept := 0
	for k, a := range g.settings {
		if !slices.Contains(given, a) || slices.ContainsFunc(effects, func(e effect) bool { return e.own && e.column == a.Name }) {
			columns, results = append(columns, u.columnText(a.ResTarget)), append(results, "_v._"+itoa(k+1))
			kept++
		}
	}
	var more []effect
	for _, e := range effects {
		if !e.own {
			more = append(more, e)
			columns = append(columns, quote(e.column))
		}
	}
	items := query.TargetList
	oneByOne := kept == len(g.settings) || kept+len(more) == len(g.settings)
	if identity && oneByOne && u.extendable(query) && len(items) == len(g.settings) &&
		!slices.ContainsFunc(given, func(a *setting) bool { return !u.r.repeatable(items[place(a.Name)].GetResTarget().Val) }) {
		u.extendSubquery(g, given, more, kept, items, place)
		return
	}
	for _, e := range more {
		results = append(results, u.instance(e, func(name string) (string, bool) {
			k := place(name)
			return "_v._" + itoa(k+1), k >= 0
		}))
	}
	open := u.at(int(g.sub.Location))
	closing := u.closing(open)
	before, after := "SELECT "+strings.Join(results, ", ")+" FROM (", ") AS _v("+numbered(len(g.settings))+")"
	if !identity {
		// No row is a row of NULLs, which an expression may make something of.
		before, after = "SELECT "+strings.Join(results, ", ")+" FROM (SELECT 1) AS _o LEFT JOIN (", after+" ON true"
	}
	u.edits.insertBefore(int(u.tokens[open].end), before)
	u.edits.insert(u.endOf(closing), after)
	u.replaceColumns(g, columns)
}

func (u *setList) severalOrigins(a *setting) {
	u.refuse(int(a.Location), "Assign the columns one by one.", "the values for %v come from a sub-query and from elsewhere", u.table)
}

// extendSubquery repeats items of the sub-query's list.
func (u *setList) extendSubquery(g *setGroup, given []*setting, more []effect, kept int, items []*pg.Node, place func(string) int) {
	if kept == len(g.settings) {
		texts := make([]string, len(more))
		names := make([]string, len(more))
		for i, e := range more {
			from, _ := e.value.bare()
			texts[i], names[i] = u.itemText(items[place(from)].GetResTarget()), quote(e.column)
		}
		u.appendItem(items, strings.Join(texts, ", "))
		closing := u.closing(g.first)
		u.edits.insert(u.endOf(closing), ", "+strings.Join(names, ", "))
		return
	}
	for _, e := range more {
		from, _ := e.value.bare()
		a := given[slices.IndexFunc(given, func(a *setting) bool { return a.Name == from })]
		u.renameToken(u.at(int(a.Location)), a.Name, quote(e.column))
	}
}

// replaceColumns writes another list of columns before the =.
func (u *setList) replaceColumns(g *setGroup, columns []string) {
	start, end := int(u.tokens[g.first].end), u.endOf(u.closing(g.first))
	u.edits.take(u.sql, start, end)
	u.edits.replace(start, end, strings.Join(columns, ", "))
}

// parts decides on assignments of array elements and fields: a move that keeps
// values as they are takes them to both columns. Of a row that is not yet filled
// the target then has no more than the part; the backfill is still to come by.
func (u *setList) parts() {
	for _, a := range u.settings {
		if !u.table.moving(a.Name) || len(a.Indirection) == 0 || u.refusal != nil {
			continue
		}
		u.part(a)
	}
}

func (u *setList) part(a *setting) {
	effects := u.effects(u.table, []string{a.Name}, int(a.Location), false)
	if u.refusal != nil || keeps(effects, u.table, []string{a.Name}) {
		return
	}
	text := u.columnText(a.ResTarget)
	behind := u.edits.render(u.sql, u.endOf(u.afterName(u.at(int(a.Location)))), u.endOf(u.behindColumn(u.at(int(a.Location)))))
	var columns []string
	for _, e := range effects {
		if _, ok := e.value.bare(); !ok {
			u.refuse(int(a.Location), "Write the whole value.", "a part of a column of %v is written", u.table)
			return
		}
		if !e.own {
			text = quote(e.column) + behind
		}
		columns = append(columns, text)
	}
	other := slices.ContainsFunc(u.settings, func(b *setting) bool {
		return b != a && b.Name != a.Name && u.table.moving(b.Name) && slices.Contains(u.table.reach(a.Name), u.table.byName[b.Name][0].move)
	})
	value := u.value(a)
	switch {
	case a.group.sub != nil || other || a.node.GetSetToDefault() != nil:
		u.refuse(int(a.Location), "Write the whole value.", "a part of a column of %v is written together with others", u.table)
	case len(columns) == 1:
		a.instead = columns[0] + " = " + value
	case u.r.repeatable(a.node):
		a.instead = columns[0] + " = " + value + ", " + columns[1] + " = " + value
	default:
		u.rowAssignments++
		a.instead = "(" + strings.Join(columns, ", ") + ") = (SELECT _v._1, _v._1 FROM (SELECT (" + value + ") AS _1 WHERE " +
			u.prefix() + "ctid IS NOT NULL OFFSET 0) AS _v)"
	}
}
