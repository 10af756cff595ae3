package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"
)

// defaultValues rewrites DEFAULT VALUES.
func (in *insertion) defaultValues() {
	if len(in.slots) == 0 {
		return
	}
	start, end := int(in.tokens[in.bodyStart].start), in.endOf(in.bodyStart+2)
	in.edits.replace(start, end, "("+quoteAll("", columnsOf(in.slots))+") VALUES ("+in.absentRow()+")")
}

// absentRow are the values of the slots in a row that gives none.
func (in *insertion) absentRow() string {
	return strings.Join(in.extras(nil, in.oncePerRow()), ", ")
}

// oncePerRow evaluates what is absent once, for a row of VALUES.
func (in *insertion) oncePerRow() func(name string) string {
	refs := map[string]string{}
	return func(name string) string {
		if refs[name] == "" {
			text, _ := in.table.byName[name][0].absent.text()
			refs[name] = in.onceRef(text)
		}
		return refs[name]
	}
}

// valuesRows gives every row of VALUES a value for each slot.
func (in *insertion) valuesRows() {
	i := in.bodyStart
	for in.kind(i) == '(' {
		i++
	}
	if !in.is(i, "values") {
		panic("VALUES is not where it was expected")
	}
	in.mixed = in.evaluatesOthers()
	for _, row := range in.query.ValuesLists {
		open := i + 1
		closing := in.closing(open)
		in.valuesRow(row.GetList().GetItems(), open, closing)
		i = closing + 1
	}
}

// evaluatesOthers tells whether some row has a value that may not be evaluated
// twice in a column that does not move.
func (in *insertion) evaluatesOthers() bool {
	for _, row := range in.query.ValuesLists {
		for i, value := range row.GetList().GetItems() {
			moving := i < len(in.names) && in.table.moving(in.names[i])
			if !moving && value.GetSetToDefault() == nil && !in.r.repeatable(value) {
				return true
			}
		}
	}
	return false
}

func (in *insertion) valuesRow(row []*pg.Node, open, closing int) {
	// Where there are too many values, or too few, so there are in the end:
	// PostgreSQL counts the columns.
	places := make([]span, len(row))
	first := open + 1
	for i := range row {
		last := in.exprEnd(first)
		places[i] = span{int(in.tokens[first].start), in.endOf(last)}
		first = last + 1
	}
	values := map[string]string{}
	for i, name := range in.names[:min(len(row), len(in.names))] {
		if in.table.moving(name) {
			values[name] = in.rowValue(row[i], name, places[i])
		}
	}
	once := in.oncePerRow()
	in.rearrange(places, func(s slot) string {
		if text, ok := in.outgrownDefault(row, s); ok {
			return text
		}
		return in.value(s, func(name string) (string, bool) { text, ok := values[name]; return text, ok }, once)
	})
}

// outgrownDefault is what DEFAULT in the place of a source gives its target, where
// that may be too great for the source: the same as when both are left out.
func (in *insertion) outgrownDefault(row []*pg.Node, s slot) (string, bool) {
	for _, c := range in.table.byName[s.column] {
		if s.from >= 0 || !c.target || !c.move.outgrows() {
			continue
		}
		i := slices.Index(in.names, c.move.sources[0].Name)
		if i >= 0 && i < len(row) && row[i].GetSetToDefault() != nil {
			held, _ := c.held(c.absent).text()
			return "(" + held + ")", true
		}
	}
	return "", false
}

// rowValue is what a named column gets in a row of VALUES.
func (in *insertion) rowValue(n *pg.Node, name string, p span) string {
	c := in.table.byName[name][0]
	text, repeats := in.text(p.start, p.end), c.absentRepeats
	if n.GetSetToDefault() == nil {
		repeats = in.r.repeatable(n)
	} else {
		text, _ = c.absent.text()
	}
	once := !repeats && in.uses(name) > 1
	if once {
		text = in.onceRef(text)
	}
	kept := func(s slot) bool { return s.from >= 0 && in.names[s.from] == name }
	if (once || n.GetSetToDefault() != nil && c.explicit()) && slices.ContainsFunc(in.slots, kept) {
		in.replace(p.start, p.end, text)
	}
	return text
}

// setReturning are PostgreSQL's own functions that return sets and are used
// outside of FROM.
var setReturning = wordSet("unnest generate_series generate_subscripts string_to_table " +
	"regexp_matches regexp_split_to_table jsonb_path_query json_object_keys jsonb_object_keys json_each jsonb_each " +
	"json_each_text jsonb_each_text json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text")

// rowOfSets makes a query of a single row of VALUES that stands for several
// because a function in it returns a set: each of them has its own values.
func (in *insertion) rowOfSets() {
	if len(in.query.ValuesLists) > 1 || !in.returnsSet(in.query.ValuesLists[0]) {
		return
	}
	values := in.bodyStart
	for in.kind(values) == '(' {
		values++
	}
	open := values + 1
	closing := in.closing(open)
	query := &pg.SelectStmt{Op: pg.SetOperation_SETOP_NONE}
	first := open + 1
	for _, n := range in.query.ValuesLists[0].GetList().GetItems() {
		start := in.tokens[first].start
		if n.GetSetToDefault() != nil {
			in.refuse(int(start), "Leave out the columns that take their DEFAULT.", "DEFAULT stands in one row with a function that returns a set")
		}
		query.TargetList = append(query.TargetList, &pg.Node{Node: &pg.Node_ResTarget{ResTarget: &pg.ResTarget{Val: n, Location: start}}})
		first = in.exprEnd(first) + 1
	}
	in.query = query
	in.edits.replace(int(in.tokens[values].start), int(in.tokens[open].end), "SELECT ")
	in.edits.replace(int(in.tokens[closing].start), int(in.tokens[closing].end), "")
}

// returnsSet tells whether a function of the expression's own query level is
// known to return a set.
func (in *insertion) returnsSet(n *pg.Node) (found bool) {
	below(n.ProtoReflect(), func(m proto.Message) bool {
		switch m := m.(type) {
		case *pg.SubLink:
			return false
		case *pg.FuncCall:
			found = found || setReturning[m.Funcname[len(m.Funcname)-1].GetString_().GetSval()]
		}
		return true
	})
	return found
}

// text is the text of a value. Looking for edits in every one of many rows
// would take time that grows with their square.
func (in *insertion) text(start, end int) string {
	if !in.edited {
		return in.sql[start:end]
	}
	return in.edits.render(in.sql, start, end)
}
