package ddl

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Name is a table's name, as PostgreSQL stores it: unquoted.
type Name struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
}

// String is the name quoted and qualified, ready for SQL.
func (n Name) String() string { return pgx.Identifier{n.Schema, n.Table}.Sanitize() }

// The lock levels that the statements of this package take on their table.
const (
	AccessExclusive      = "ACCESS EXCLUSIVE"
	Share                = "SHARE"
	ShareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
	AccessShare          = "ACCESS SHARE"
	ShareRowExclusive    = "SHARE ROW EXCLUSIVE"
)

// Statement is one DDL statement, with what an operator wants to know before
// it runs.
type Statement struct {
	// SQL is the text, without a semicolon.
	SQL string `json:"sql"`
	// Lock is the level of the lock taken on On, in PostgreSQL's words.
	Lock string `json:"lock"`
	// On is the table, or the index, quoted and qualified.
	On string `json:"on"`
	// Of is the table, quoted and qualified, where On is an index.
	Of string `json:"of,omitempty"`
	// Also is another table, or a sequence, that it locks; empty for none. AlsoLock is
	// the level of that lock; empty means Lock.
	Also     string `json:"also,omitempty"`
	AlsoLock string `json:"also_lock,omitempty"`
	// Pair: Also is a table, and both locks are taken within one lock timeout.
	Pair bool `json:"-"`
	// LockTimeout bounds each wait for a lock; 0 means the Runner's.
	LockTimeout time.Duration `json:"lock_timeout"`
	// StatementTimeout bounds the whole statement; 0 means no bound.
	StatementTimeout time.Duration `json:"statement_timeout,omitempty"`
	// Hazard says what can go wrong or take long; empty when nothing can.
	Hazard string `json:"hazard,omitempty"`
	// Why says what the statement is for.
	Why string `json:"why"`
	// Then is SQL that goes with it in the same transaction: what the ledger notes of it.
	Then string `json:"-"`
	// Only: of a partitioned table it locks the table alone, not its partitions.
	Only bool `json:"-"`
	// Alone: it cannot run inside a transaction (CONCURRENTLY).
	Alone bool `json:"alone,omitempty"`
}

// MarshalJSON writes the timeouts as people read them: "100ms".
func (s Statement) MarshalJSON() ([]byte, error) {
	type plain Statement
	return json.Marshal(struct {
		plain
		LockTimeout      string `json:"lock_timeout,omitempty"`
		StatementTimeout string `json:"statement_timeout,omitempty"`
	}{plain(s), duration(s.LockTimeout), duration(s.StatementTimeout)})
}

func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// quickTimeout bounds the statements that only change the catalog. It is there
// for the case that one of them scans the table after all, under its lock.
const quickTimeout = 5 * time.Second

// quick is a statement that holds an ACCESS EXCLUSIVE lock for milliseconds.
func quick(table Name, sql, why string) Statement {
	return Statement{
		SQL: sql, Lock: AccessExclusive, On: table.String(), StatementTimeout: quickTimeout, Why: why,
		Hazard: "stops every statement on the table for milliseconds, and for up to lock_timeout while it waits",
	}
}

// gentle is a statement that reads and writes pass by.
func gentle(table Name, sql, why string) Statement {
	return Statement{SQL: sql, Lock: ShareUpdateExclusive, On: table.String(), Why: why}
}

func ident(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a string whatever standard_conforming_strings is.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
