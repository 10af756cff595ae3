package ddl

import (
	"fmt"
	"strings"
)

// Duplicates is a query for the values that a unique index over keys would find
// more than once, with the number of their rows: n. condition tells which rows
// it compares, "" for all; of them the first ones are looked at, all with 0.
func Duplicates(table Name, keys []string, condition string, first int) string {
	rows := table.String()
	if condition != "" {
		rows = "(select * from " + rows + " where " + condition + ")"
	}
	if first > 0 {
		rows = fmt.Sprintf("(select * from %s as t limit %d)", rows, first)
	}
	return "select count(*) as n from " + rows + " as t group by " + strings.Join(keys, ", ") + " having count(*) > 1"
}
