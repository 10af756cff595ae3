package rewrite

import (
	"slices"
	"strings"
)

// slot is a column of the expanded table in an INSERT.
type slot struct {
	column string
	// from is the place of the named column whose value it takes as it is, or -1.
	from int
	// behind is the place of the named column behind which it stands; the last
	// one when it follows from none.
	behind int
	// value is over the moving columns, when from is -1.
	value    template
	identity bool
}

// slots are the columns that take values instead of the named ones, in order.
func (t *table) slots(names []string, effects []effect) []slot {
	var list []slot
	for i, name := range names {
		if !t.moving(name) || slices.ContainsFunc(effects, func(e effect) bool { return e.own && e.column == name }) {
			list = append(list, slot{column: name, from: i, behind: i})
		}
		for _, e := range effects {
			if !e.own && t.lead(e, names) == i {
				list = append(list, slot{column: e.column, from: -1, behind: i, value: e.value, identity: e.move.Identity()})
			}
		}
	}
	for _, e := range effects {
		if !e.own && t.lead(e, names) < 0 {
			list = append(list, slot{column: e.column, from: -1, behind: len(names) - 1, value: e.value, identity: e.move.Identity()})
		}
	}
	return list
}

func columnsOf(slots []slot) []string {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.column
	}
	return names
}

// kept tells whether every named column takes its value as it is.
func (in *insertion) kept() bool {
	n := 0
	for _, s := range in.slots {
		if s.from >= 0 {
			n++
		}
	}
	return n == len(in.names)
}

// span is a range of the text.
type span struct{ start, end int }

// rearrange edits a list that has a member for each named column, so that it has
// one for each slot. text writes one that is not there yet.
func (in *insertion) rearrange(places []span, text func(slot) string) {
	for i, p := range places[:min(len(places), len(in.names))] {
		var more []string
		kept := false
		for _, s := range in.slots {
			switch {
			case s.from == i:
				kept = true
			case s.from < 0 && s.behind == i:
				more = append(more, text(s))
			}
		}
		switch list := strings.Join(more, ", "); {
		case kept && list != "":
			in.edits.insert(p.end, ", "+list)
		case kept:
		case list != "":
			in.replace(p.start, p.end, list)
		case i+1 < len(places):
			// What it was leads to something behind it.
			in.replace(p.start, places[i+1].start, "")
		}
	}
}

// replace puts a text in the place of another one, whatever was edited in that.
func (in *insertion) replace(start, end int, text string) {
	if in.edited { // looking for edits in every one of many rows takes long
		in.edits.take(in.sql, start, end)
	}
	in.edits.replace(start, end, text)
}

// value is the text of a slot's value. given is the new value of a named column,
// nil when there is none; the others are absent. Where what is absent may not be
// evaluated twice, once evaluates it.
func (in *insertion) value(s slot, given func(name string) (string, bool), once func(name string) string) string {
	var queries []string
	// What is made of a value that is evaluated once stands in the query that
	// refers to it: around the query, it would take the parser long to see that
	// the parentheses are not all the query's.
	inside := func(text string) string {
		v, ok := in.onceValues[text]
		if !ok || s.identity {
			return text
		}
		if !slices.Contains(queries, v.query) {
			queries = append(queries, v.query)
		}
		return v.query + "." + v.column
	}
	text := s.value.render(func(name string) string {
		if given != nil {
			if text, ok := given(name); ok {
				return inside(text)
			}
		}
		c := in.table.byName[name][0]
		text, _ := c.absent.text()
		if !c.absentRepeats && in.uses(name) > 1 {
			text = inside(once(name))
		}
		if s.identity {
			return text
		}
		held, _ := c.held(constant(text)).text()
		return "(" + held + ")"
	})
	if len(queries) > 0 {
		return "(SELECT " + text + " FROM " + strings.Join(queries, ", ") + ")"
	}
	return text
}

// uses counts how often the slots need a column's value.
func (in *insertion) uses(name string) int {
	n := 0
	for _, s := range in.slots {
		if s.from >= 0 && in.names[s.from] == name {
			n++
		}
		for _, column := range s.value.columns {
			if column == name {
				n++
			}
		}
	}
	return n
}
