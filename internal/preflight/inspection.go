package preflight

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// inspection is one run of Check.
type inspection struct {
	Request
	tx     pgx.Tx
	report Report
	// over: there is no table or column to look at further.
	over bool

	table      table
	column     column
	dependents []dependent
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
func (in *inspection) sourceName() string {
	return "column " + in.Schema + "." + in.Table + "." + in.Source
}
func (in *inspection) targetName() string {
	return "column " + in.Schema + "." + in.Table + "." + in.Target
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
