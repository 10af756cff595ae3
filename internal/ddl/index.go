package ddl

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// CreateIndexConcurrently builds an index beside the traffic. create is the
// statement as Counterpart made it.
func CreateIndexConcurrently(table Name, create string) Statement {
	s := gentle(table, create, "the target carries the index of the source")
	s.Alone = true
	s.Hazard = "reads the table twice and waits for every older transaction of the database; " +
		"a failure leaves an INVALID index, which is dropped and built again"
	return s
}

// DropIndexConcurrently drops an index if it exists. An index that carries a
// constraint goes with it: DropConstraint.
func DropIndexConcurrently(table Name, index string) Statement {
	s := gentle(table, "drop index concurrently if exists "+pgx.Identifier{table.Schema, index}.Sanitize(),
		"the index is not needed, or was left INVALID")
	s.Alone = true
	s.Hazard = "waits for every transaction that uses the table"
	return s
}

// RenameIndex renames an index.
func RenameIndex(table Name, from, to string) Statement {
	return gentle(table, "alter index "+pgx.Identifier{table.Schema, from}.Sanitize()+" rename to "+ident(to),
		"the index takes the name of the one whose place it has")
}

// Counterpart turns the definition of an index, as pg_get_indexdef gives it
// and with its columns renamed, into the statement that builds its twin target
// CONCURRENTLY. index is the name in the definition.
func Counterpart(definition, index, target string) (string, error) {
	for _, kind := range []string{"CREATE INDEX ", "CREATE UNIQUE INDEX "} {
		for _, name := range []string{index, ident(index)} {
			if rest, ok := strings.CutPrefix(definition, kind+name+" ON "); ok {
				return kind + "CONCURRENTLY " + ident(target) + " ON " + rest, nil
			}
		}
	}
	return "", fmt.Errorf("read definition of index %q: it does not begin as expected: %s", index, definition)
}

// Analyze lets the planner know what is in columns and indexes that have been
// filled just now; of expressions in indexes it learns in no other way.
//
// Of a partitioned table PostgreSQL analyzes one partition after the other, each
// in a transaction of its own as long as it is not run in one: AnalyzeTree.
func Analyze(table Name) Statement {
	return gentle(table, "analyze "+table.String(), "the planner must know the target before reads move to it")
}

// AnalyzeTree is Analyze for a partitioned table.
func AnalyzeTree(table Name) Statement {
	s := Analyze(table)
	s.Alone = true
	return s
}
