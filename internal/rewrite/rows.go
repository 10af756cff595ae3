package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
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
	for _, row := range in.query.ValuesLists {
		open := i + 1
		closing := in.closing(open)
		in.valuesRow(row.GetList().GetItems(), open, closing)
		i = closing + 1
	}
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

// value is the text of a value. Looking for edits in every one of many rows
// would take time that grows with their square.
func (in *insertion) value(start, end int) string {
	if !in.edited {
		return in.sql[start:end]
	}
	return in.edits.render(in.sql, start, end)
}
