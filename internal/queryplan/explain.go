package queryplan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// preference is what the planner is told to prefer.
type preference string

const (
	asItIs     preference = ""
	anyIndexes preference = "set local enable_seqscan = off"
)

// limits hold for each EXPLAIN: it waits neither long for a lock nor for a
// planner that has got lost.
var limits = []string{
	"set local plan_cache_mode = force_generic_plan",
	"set local lock_timeout = '2s'",
	"set local statement_timeout = '30s'",
}

const statementName = "_crossfade_explain"

// explain asks for the generic plan of a statement. EXPLAIN (GENERIC_PLAN)
// came with PostgreSQL 16; a prepared statement does on every version, and
// PostgreSQL finds out the types of the parameters as it does for a driver.
func explain(ctx context.Context, conn *pgx.Conn, sql string, p preference) (*node, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	prepared := false
	defer func() {
		ctx := context.WithoutCancel(ctx)
		_ = tx.Rollback(ctx)
		if prepared && !conn.IsClosed() { // which a rollback does not undo
			_, _ = conn.Exec(ctx, "deallocate "+statementName)
		}
	}()
	for _, setting := range append(limits[:len(limits):len(limits)], string(p)) {
		if _, err := tx.Exec(ctx, setting); err != nil {
			return nil, err
		}
	}
	// The extended protocol takes one statement: a text with more is an error.
	if err := conn.PgConn().ExecParams(ctx, "prepare "+statementName+" as "+sql, nil, nil, nil, nil).Read().Err; err != nil {
		return nil, err
	}
	prepared = true
	var parameters int
	err = tx.QueryRow(ctx, `select coalesce(cardinality(parameter_types), 0)
		from pg_catalog.pg_prepared_statements where name = $1`, statementName).Scan(&parameters)
	if err != nil {
		return nil, err
	}
	arguments := ""
	if parameters > 0 {
		arguments = "(null" + strings.Repeat(", null", parameters-1) + ")"
	}
	var answer []byte
	err = tx.QueryRow(ctx, "explain (verbose, format json) execute "+statementName+arguments).Scan(&answer)
	if err != nil {
		return nil, err
	}
	return parse(answer)
}

// parse reads the answer: a list with the plan of one statement.
func parse(answer []byte) (*node, error) {
	var plans []struct{ Plan *node }
	if err := json.Unmarshal(answer, &plans); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if len(plans) != 1 || plans[0].Plan == nil {
		return nil, errors.New("read plan: expected the plan of one statement")
	}
	return plans[0].Plan, nil
}
