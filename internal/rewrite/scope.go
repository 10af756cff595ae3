package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// item is a member of a FROM clause, or the target of a data-modifying
// statement: something that column references are resolved against.
type item struct {
	// name is the alias, or without one the relation's or function's name; ""
	// when nothing can refer to it.
	name string
	// schema is set for a relation without an alias, which can be referred to
	// by schema.relation.
	schema string
	// table is set for a table in transition; columns are for everything else.
	table   *table
	columns columns
	// offset is where a relation's name stands.
	offset int
	// byName: only qualified references see it, and no star shows it (OLD and
	// NEW in RETURNING).
	byName bool
	// veiled: the table stands as a sub-query of its visible columns; aliases
	// are the names that an alias list gives the first of them.
	veiled  bool
	aliases []string
	// optional: its row may be missing, and all columns NULL then.
	optional bool
	// merged are columns that bare names find not here but in an item of a
	// join's merged columns, which no star shows.
	merged    []string
	unstarred bool
}

// scope is the name space of one query level.
type scope struct {
	parent *scope
	items  []*item
	// merged: a join USING or NATURAL merges columns, so stars are not the
	// items' columns one after the other.
	merged bool
}

// seen tells whether a bare name can find a column here.
func (it *item) seen(name string) bool { return !it.byName && !slices.Contains(it.merged, name) }

// logical tells whether the application sees a column of this name in the
// item, hidden names left out.
func (it *item) logical(name string) answer {
	if it.table == nil || it.veiled {
		return it.columns.has(name)
	}
	if it.table.shows(name) {
		return yes
	}
	return no
}

// moves tells whether a column of the item that is in transition bears the name,
// unless an alias gives it to another column.
func (it *item) moves(name string) bool {
	return it.table != nil && it.table.moving(name) && (!it.veiled || it.columns.has(name) != yes)
}

// physical tells whether the item may have a column of this name in the
// database, in this phase or a neighbouring one.
func (it *item) physical(name string) answer {
	if it.table == nil || it.veiled {
		return it.columns.has(name)
	}
	if it.table.moving(name) || it.table.shows(name) {
		return yes
	}
	return no
}

// named finds the item that a qualifier means, from the scope outwards, and
// tells whether it is the only one of the name at its level.
func (s *scope) named(schema, name string) (found *item, level *scope, unique bool) {
	for ; s != nil; s = s.parent {
		for _, it := range s.items {
			if it.name != name || name == "" || schema != "" && it.schema != schema {
				continue
			}
			if found != nil {
				return found, s, false
			}
			found = it
		}
		if found != nil {
			return found, s, true
		}
	}
	return nil, nil, false
}

// qualifier is how a reference in s can name the item; false when it can't.
func (s *scope) qualifier(it *item) (string, bool) {
	if found, _, unique := s.named("", it.name); found == it && unique {
		return quote(it.name) + ".", true
	}
	if it.schema != "" {
		if found, _, unique := s.named(it.schema, it.name); found == it && unique {
			return quote(it.schema) + "." + quote(it.name) + ".", true
		}
	}
	return "", false
}

// moving tells whether some level from s outwards has a table in transition.
func (s *scope) moving() bool {
	for ; s != nil; s = s.parent {
		for _, it := range s.items {
			if it.table != nil {
				return true
			}
		}
	}
	return false
}

// ctes are the WITH queries that a query sees, the innermost first.
type ctes struct {
	parent  *ctes
	name    string
	columns columns
}

func (c *ctes) find(name string) *ctes {
	for ; c != nil; c = c.parent {
		if c.name == name {
			return c
		}
	}
	return nil
}

func aliasName(a *pg.Alias) string {
	if a == nil {
		return ""
	}
	return a.Aliasname
}

func aliasColumns(a *pg.Alias) []string {
	if a == nil {
		return nil
	}
	return stringsOf(a.Colnames)
}

// stringsOf are the values of a list of names.
func stringsOf(nodes []*pg.Node) []string {
	if len(nodes) == 0 {
		return nil
	}
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.GetString_().GetSval()
	}
	return names
}

func isStar(ref *pg.ColumnRef) bool {
	_, ok := ref.Fields[len(ref.Fields)-1].Node.(*pg.Node_AStar)
	return ok
}

// isStarNode tells whether a node is a star.
func isStarNode(n *pg.Node) bool {
	ref := n.GetColumnRef()
	return ref != nil && isStar(ref)
}
