package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"
)

// defaultValues rewrites DEFAULT VALUES.
func (in *insertion) defaultValues() {
	if !in.table.defaulted() {
		return
	}
	start, end := int(in.tokens[in.bodyStart].start), in.endOf(in.bodyStart+2)
	in.edits.replace(start, end, "("+quoteAll("", in.table.writes)+") VALUES ("+in.defaults()+")")
}

// defaults is the default, once for each column that the phase writes.
func (in *insertion) defaults() string {
	value := in.table.Default
	if len(in.table.writes) > 1 && !in.table.defaultRepeats {
		value = in.onceRef(value)
	}
	return strings.Join(slices.Repeat([]string{value}, len(in.table.writes)), ", ")
}

// valuesRows gives every row of VALUES a value for each column that the phase
// writes.
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
			if i != in.position && value.GetSetToDefault() == nil && !repeatable(value) {
				return true
			}
		}
	}
	return false
}

func (in *insertion) valuesRow(row []*pg.Node, open, closing int) {
	if in.position < 0 {
		if in.table.defaulted() {
			in.edits.insert(in.endOf(closing), ", "+in.defaults())
		}
		return
	}
	if in.position >= len(row) {
		return // PostgreSQL counts the columns
	}
	first := open + 1
	for range in.position {
		first = in.exprEnd(first) + 1
	}
	last := in.exprEnd(first)
	start, end := int(in.tokens[first].start), in.endOf(last)
	value := row[in.position]
	twice := in.table.other(in.names[in.position]) != ""
	switch _, isDefault := value.Node.(*pg.Node_SetToDefault); {
	case isDefault && in.table.defaulted():
		in.edits.replace(start, end, in.defaults())
	case !twice:
	case isDefault || repeatable(value):
		in.edits.insert(end, ", "+in.value(start, end))
	default:
		ref := in.onceRef(in.value(start, end))
		if in.edited {
			in.edits.take(in.sql, start, end)
		}
		in.edits.replace(start, end, ref+", "+ref)
	}
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
	in.below(n.ProtoReflect(), func(m proto.Message) bool {
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

// value is the text of a value. Looking for edits in every one of many rows
// would take time that grows with their square.
func (in *insertion) value(start, end int) string {
	if !in.edited {
		return in.sql[start:end]
	}
	return in.edits.render(in.sql, start, end)
}
