package preflight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// checks are all there are, in the order in which they run. The first ones find
// the table and the column; where there is none they end the reading.
var checks = []func(ctx context.Context, in *inspection) error{
	checkNames,
	checkAccept,
	checkTable,
	checkActive,
	checkKey,
	checkRules,
	checkSource,
	checkTarget,
	checkType,
	readDependents,
	checkSequences,
	checkGenerated,
	checkViews,
	checkFunctions,
	checkRowType,
	checkTriggers,
	checkPolicies,
	checkConstraints,
	checkIndexes,
	checkStatistics,
	checkPublications,
	checkSubscriptions,
	checkOther,
	checkPrivileges,
	checkSessions,
	checkTransactions,
	checkVacuum,
	checkReplication,
	checkEventTriggers,
	checkSize,
}

// severities is the order in which findings are listed.
var severities = []Severity{Refuse, Warn, Info}

// Check reads everything in one snapshot. It changes nothing, and the
// connection must be in no transaction. An error means that it could not read;
// what it saw is in the Report.
func Check(ctx context.Context, db *pgx.Conn, r Request) (Report, error) {
	in := &inspection{Request: r}
	err := pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error {
			// With an empty search_path PostgreSQL qualifies every name that it prints.
			if _, err := tx.Exec(ctx, `set local search_path = ''`); err != nil {
				return err
			}
			in.tx = tx
			for _, check := range checks {
				if err := check(ctx, in); err != nil || in.over {
					return err
				}
			}
			return nil
		})
	if err != nil {
		return Report{}, fmt.Errorf("check %s.%s: %w", r.Schema, r.Table, err)
	}
	slices.SortStableFunc(in.report.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	return in.report, nil
}
