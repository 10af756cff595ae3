package preflight

import (
	"context"
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
}

func (in *inspection) add(severity Severity, code, object, message, hint string) {
	f := Finding{Severity: severity, Code: code, Object: object, Message: message, Hint: hint}
	if severity == Refuse && Acceptable(code) {
		if slices.Contains(in.Accept, code) {
			f.Severity, f.Accepted = Warn, true
		}
	}
	in.report.Findings = append(in.report.Findings, f)
}

// query collects the rows of a query into structs, by position.
func query[T any](ctx context.Context, in *inspection, sql string, args ...any) ([]T, error) {
	rows, err := in.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}
