package queryplan

import (
	"fmt"
	"strings"
)

// node is a node of a plan, as EXPLAIN (VERBOSE, FORMAT JSON) gives it.
type node struct {
	Type      string  `json:"Node Type"`
	Schema    string  `json:"Schema"`
	Relation  string  `json:"Relation Name"`
	Alias     string  `json:"Alias"`
	Index     string  `json:"Index Name"`
	Condition string  `json:"Index Cond"`
	Filter    string  `json:"Filter"`
	Cost      float64 `json:"Total Cost"`
	Plans     []*node `json:"Plans"`
}

// access is how a plan gets at the rows of one mention of a table.
type access struct {
	node *node
	// indexes are the index scans that serve it: the node itself, or those
	// below a bitmap heap scan.
	indexes []*node
}

// accesses are all accesses to a table, in the plan's order.
func (n *node) accesses(schema, table string) []access {
	var all []access
	if n.Relation == table && n.Schema == schema && n.Type != "ModifyTable" {
		a := access{node: n}
		a.collect(n)
		all = append(all, a)
	}
	for _, below := range n.Plans {
		all = append(all, below.accesses(schema, table)...)
	}
	return all
}

// collect finds the index scans of an access. Below a bitmap heap scan are
// BitmapAnd, BitmapOr and Bitmap Index Scan only, apart from sub-plans, which
// scan relations of their own.
func (a *access) collect(n *node) {
	if n.Index != "" {
		a.indexes = append(a.indexes, n)
	}
	for _, below := range n.Plans {
		if strings.HasPrefix(below.Type, "Bitmap") && below.Relation == "" {
			a.collect(below)
		}
	}
}

// sequential tells whether every row of the table is read.
func (a access) sequential() bool {
	return a.node.Type == "Seq Scan" || a.node.Type == "Sample Scan"
}

// conditions is how many conditions choose rows in indexes.
func (a access) conditions() int {
	n := 0
	for _, index := range a.indexes {
		n += conjuncts(index.Condition)
	}
	return n
}

// String is the access in a line, much as EXPLAIN has it.
func (a access) String() string {
	names := make([]string, len(a.indexes))
	var conditions []string
	for i, index := range a.indexes {
		names[i] = index.Index
		if index.Condition != "" {
			conditions = append(conditions, index.Condition)
		}
	}
	line := a.node.Type
	if len(names) > 0 {
		line += " using " + strings.Join(names, ", ")
	}
	line += " on " + a.node.Relation
	if a.node.Alias != a.node.Relation {
		line += " " + a.node.Alias
	}
	if len(conditions) > 0 {
		line += ", Index Cond: " + strings.Join(conditions, ", ")
	}
	if a.node.Filter != "" {
		line += ", Filter: " + a.node.Filter
	}
	return line
}

// sorts is how many nodes of a plan sort.
func (n *node) sorts() int {
	count := 0
	if n.Type == "Sort" || n.Type == "Incremental Sort" {
		count++
	}
	for _, below := range n.Plans {
		count += below.sorts()
	}
	return count
}

// total is the whole plan in a line.
func (n *node) total() string {
	scans := n.scans()
	if len(scans) == 0 {
		return fmt.Sprintf("%s (cost %.2f)", n.Type, n.Cost)
	}
	return fmt.Sprintf("%s (cost %.2f) of %s", n.Type, n.Cost, strings.Join(scans, "; "))
}

func (n *node) scans() []string {
	var all []string
	if n.Relation != "" && n.Type != "ModifyTable" {
		a := access{node: n}
		a.collect(n)
		all = append(all, a.String())
	}
	for _, below := range n.Plans {
		all = append(all, below.scans()...)
	}
	return all
}

// conjuncts counts what is joined by AND at the top of a condition, as
// PostgreSQL prints it: each conjunct in parentheses, and parentheses around
// more than one of them.
func conjuncts(condition string) int {
	if condition == "" {
		return 0
	}
	n, depth := 1, 0
	for i := 0; i < len(condition); i++ {
		switch c := condition[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '\'' || c == '"':
			if end := strings.IndexByte(condition[i+1:], c); end >= 0 {
				i += end + 1
			}
		case depth == 1 && strings.HasPrefix(condition[i:], " AND "):
			n++
		}
	}
	return n
}
