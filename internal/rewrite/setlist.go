package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

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
	// row or sub is the value of a list of columns; a list of one has neither
	// when its value is a sub-query, which is then a value like any other.
	listed bool
	row    *pg.RowExpr
	sub    *pg.SubLink
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
			g.listed, g.row, g.sub = true, multi.Source.GetRowExpr(), multi.Source.GetSubLink()
		} else {
			g.value = u.behindColumn(g.first) + 1
		}
		g.behind = u.exprEnd(g.value)
		if slices.ContainsFunc(g.row.GetArgs(), isStarNode) {
			u.refuseStars(members)
		}
		var ranges [][2]int
		if g.row != nil {
			ranges = u.rowItems(g.value, g.behind)
		}
		for k, member := range members {
			a := &setting{ResTarget: member, group: g, node: member.Val, start: int(u.tokens[g.value].start), end: u.endOf(g.behind)}
			switch {
			case g.sub != nil && len(members) == 1:
				a.node = multi.Source
			case multi != nil:
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
		if len(members) == 1 {
			g.sub = nil
		}
		u.groups = append(u.groups, g)
		u.settings = append(u.settings, g.settings...)
	}
}

// refuseStars refuses a row that does not say which value goes where, unless it
// is of other columns.
func (u *setList) refuseStars(members []*pg.ResTarget) {
	for _, member := range members {
		if u.table.moving(member.Name) {
			u.refuse(int(member.Location), "Write the values one by one.", "a column of %v is assigned from a row that contains *", u.table)
		}
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

// emit writes what was decided.
func (u *setList) emit() {
	for i, g := range u.groups {
		if !slices.ContainsFunc(g.settings, (*setting).changed) {
			continue
		}
		a := g.settings[0]
		start, end := int(u.tokens[g.first].start), u.endOf(g.behind)
		switch {
		case g.listed:
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
