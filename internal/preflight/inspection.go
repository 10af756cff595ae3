package preflight

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// inspection is one run of Check.
type inspection struct {
	Request
	tx     pgx.Tx
	report Report
	// over: there is no table or column to look at further.
	over bool

	table      table
	members    []member
	sources    []column // of an alteration: all columns of the table
	targets    []column // as they would be added; empty for a rename
	dependents []dependent
	// others are the active transitions of the table that are not contracted yet.
	others []ledger.Transition
	// active are the active transitions of all tables that are not contracted yet.
	active []ledger.Transition
	// indexed: the table for the trial of indexes is there.
	indexed bool
	// given are the names that counterparts have got.
	given map[string]bool
}

func (in *inspection) refuse(code, object, message, hint string) {
	f := Finding{Severity: Refuse, Code: code, Object: object, Message: message, Hint: hint}
	if Acceptable(code) && slices.Contains(in.Accept, code) {
		f.Severity, f.Accepted = Warn, true
	}
	in.report.Findings = append(in.report.Findings, f)
}

func (in *inspection) warn(code, object, message, hint string) {
	in.report.Findings = append(in.report.Findings, Finding{Warn, code, object, message, hint, false})
}

func (in *inspection) info(code, object, message, hint string) {
	in.report.Findings = append(in.report.Findings, Finding{Info, code, object, message, hint, false})
}

// The objects that most findings are about.
func (in *inspection) tableName() string { return "table " + in.Schema + "." + in.Table }
func (in *inspection) columnName(name string) string {
	return "column " + in.Schema + "." + in.Table + "." + name
}

// numbers are the attnums of the sources.
func (in *inspection) numbers() []int16 {
	numbers := []int16{} // not nil: it travels as an empty array
	for _, c := range in.sources {
		numbers = append(numbers, c.Number)
	}
	return numbers
}

// namesSource tells whether a text names one of the sources, see mentions.
func (in *inspection) namesSource(text string) bool {
	return slices.ContainsFunc(in.Move.Sources, func(c transform.Column) bool { return mentions(text, c.Name) })
}

// query collects the rows of a query into structs, by position.
func query[T any](ctx context.Context, in *inspection, sql string, args ...any) ([]T, error) {
	rows, err := in.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// list names the first few of many.
func list(names []string) string {
	const most = 5
	text := ""
	for i, name := range names {
		if i == most {
			return fmt.Sprintf("%s and %d more", text, len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}
