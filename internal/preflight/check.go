package preflight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checks are all there are, in the order in which they run. The first ones find
// the table and the column; where there is none they end the reading.
var checks = []func(ctx context.Context, in *inspection) error{
	checkNames,
	checkAccept,
	checkTable,
	readMembers,
	checkActive,
	checkKey,
	checkRules,
	checkSources,
	checkTarget,
	checkExpressions,
	checkType,
	checkNotNull,
	checkPreserves,
	checkNulls,
	checkRoundTrip,
	checkVouched,
	checkTargetOnly,
	checkLoss,
	checkKeepName,
	checkDefaults,
	readDependents,
	checkSequences,
	checkGenerated,
	checkViews,
	checkFunctions,
	checkRowType,
	checkTriggers,
	checkConstraints,
	checkForeignKeys,
	checkIndexes,
	checkPartitions,
	checkPrimaryKey,
	checkDependents,
	checkPartitionedDependents,
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
	checkSync,
}

// severities is the order in which findings are listed.
var severities = []Severity{Refuse, Warn, Info}

// Check reads everything in one snapshot. It changes nothing: expressions are
// tried on temporary tables, in a transaction that is rolled back. The
// connection must be in no transaction. An error means that it could not read;
// what it saw is in the Report.
func Check(ctx context.Context, db *pgx.Conn, r Request) (Report, error) {
	in := &inspection{Request: r, given: map[string]bool{}}
	if err := in.run(ctx, db); err != nil {
		return Report{}, fmt.Errorf("check %s.%s: %w", r.Schema, r.Table, err)
	}
	slices.SortStableFunc(in.report.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	return in.report, nil
}

func (in *inspection) run(ctx context.Context, db *pgx.Conn) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if in.Move.Kind != transform.Rename {
		options.AccessMode = pgx.ReadWrite // the temporary tables
	}
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	in.tx = tx
	if in.Path == nil {
		if err := tx.QueryRow(ctx, `select current_schemas(false)::text[]`).Scan(&in.Path); err != nil {
			return err
		}
	}
	// With an empty search_path PostgreSQL qualifies every name that it prints.
	if _, err := tx.Exec(ctx, `set local search_path = ''`); err != nil {
		return err
	}
	list := checks
	if in.Alteration != nil {
		list = alterationChecks(in.Move.Kind)
	}
	for _, check := range list {
		if err := check(ctx, in); err != nil || in.over {
			return err
		}
	}
	return nil
}
