package ddl

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// definition is a statement of Counterpart, taken apart.
type definition struct {
	unique, constraint bool
	body               string // from USING on
	timing             string
}

func (x TreeIndex) definition() (definition, error) {
	for _, kind := range []string{"CREATE INDEX ", "CREATE UNIQUE INDEX "} {
		rest, ok := strings.CutPrefix(x.Create, kind+"CONCURRENTLY "+ident(x.Name)+" ON ")
		rest = strings.TrimPrefix(rest, "ONLY ")
		for _, schema := range []string{x.Root.Schema, ident(x.Root.Schema)} {
			for _, table := range []string{x.Root.Table, ident(x.Root.Table)} {
				if body, found := strings.CutPrefix(rest, schema+"."+table+" USING "); ok && found {
					return definition{kind == "CREATE UNIQUE INDEX ", x.Constraint, "USING " + body, x.Timing}, nil
				}
			}
		}
	}
	return definition{}, fmt.Errorf("read definition of index %s: it does not begin as expected: %s", ident(x.Name), x.Create)
}

func (d definition) kind() string {
	if d.unique {
		return "CREATE UNIQUE INDEX "
	}
	return "CREATE INDEX "
}

// only makes the index on a table that has partitions, and on it alone.
func (d definition) only(table Name, index string) Statement {
	if d.constraint {
		s := quick(table, "alter table only "+table.String()+" add constraint "+ident(index)+" "+d.uniqueRule(),
			"the UNIQUE constraints of the partitions are attached to it")
		s.Only = true
		return s
	}
	return Statement{
		SQL: d.kind() + ident(index) + " ON ONLY " + table.String() + " " + d.body, Lock: Share, On: table.String(), Only: true,
		StatementTimeout: quickTimeout, Why: "the indexes of the partitions are attached to it",
		Hazard: "stops writes through the table for milliseconds, and for up to lock_timeout while it waits",
	}
}

// uniqueRule is the body as a constraint, which says elsewhere that NULLs are equal.
func (d definition) uniqueRule() string {
	const nulls = " NULLS NOT DISTINCT"
	rule, body := "unique", strings.TrimPrefix(d.body, "USING btree ")
	if before, after, found := strings.Cut(body, ")"+nulls); found {
		rule, body = rule+strings.ToLower(nulls), before+")"+after
	}
	rule += " " + body
	if d.timing != "" {
		rule += " " + d.timing
	}
	return rule
}

// leaf builds the part of a leaf.
func (d definition) leaf(table Name, index string) Statement {
	return CreateIndexConcurrently(table, d.kind()+"CONCURRENTLY "+ident(index)+" ON "+table.String()+" "+d.body)
}

// AttachIndex makes the index of a partition a part of its parent's.
func AttachIndex(parent Name, index string, partition Name, part string) Statement {
	s := quick(partition, "alter index "+pgx.Identifier{parent.Schema, index}.Sanitize()+" attach partition "+
		pgx.Identifier{partition.Schema, part}.Sanitize(), "the index of the partition becomes part of the whole")
	// Whoever plans a statement on the partition has a lock on its indexes.
	s.On, s.Of, s.Only = pgx.Identifier{partition.Schema, part}.Sanitize(), partition.String(), true
	s.Hazard = "stops every statement on the partition for milliseconds, and for up to lock_timeout while it waits"
	return s
}

// DropTreeIndex drops an index of a partitioned table with its parts, which
// PostgreSQL cannot do CONCURRENTLY.
func DropTreeIndex(table Name, index string) Statement {
	return quick(table, "drop index if exists "+pgx.Identifier{table.Schema, index}.Sanitize(), "the index is not needed")
}
