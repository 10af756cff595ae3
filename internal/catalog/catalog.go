// Package catalog reads from PostgreSQL's catalogs what the rewriter must know
// of a database: the columns of the tables in transition, and which other
// relations bear names that could be confused with theirs.
//
// What it returns describes the logical table, where the moving column stands
// once. So the migrator's own steps (adding the target, dropping the source)
// do not change it, and a difference between two readings is drift that
// somebody else made.
package catalog

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

//go:embed read.sql
var readSQL string

// Read asks the server for what the transitions of view need. It sends two
// extended queries through conn, and nothing when view has no transitions.
func Read(ctx context.Context, conn *pgconn.PgConn, view fence.View) (Snapshot, error) {
	s := Snapshot{namesakes: map[rewrite.Name][]string{}}
	if len(view.Transitions) == 0 {
		return s, nil
	}
	var tables []asked
	for _, t := range view.Transitions {
		i := slices.IndexFunc(tables, func(o asked) bool { return o.Schema == t.Schema && o.Table == t.Table })
		if i < 0 {
			i = len(tables)
			tables = append(tables, asked{Schema: t.Schema, Table: t.Table})
		}
		tables[i].Names = append(append(tables[i].Names, t.Definition.SourceNames()...), t.Definition.TargetNames()...)
	}
	tablesJSON, err := json.Marshal(tables)
	if err != nil {
		return s, fmt.Errorf("read catalog: %w", err)
	}
	// First: what changes in between is found the next time.
	if s.mark, err = mark(ctx, conn); err != nil {
		return s, err
	}
	found, err := value(ctx, conn, readSQL, tablesJSON)
	if err != nil {
		return s, err
	}
	return s, s.fill(found, view.Transitions)
}

// value is the one value that a query returns. Where tables have partitions the
// planner believes that it is dear, and JIT would compile for twenty seconds what
// runs for twenty milliseconds; so it is off, in the transaction that lasts until
// the batch's Sync.
func value(ctx context.Context, conn *pgconn.PgConn, query string, parameters ...[]byte) ([]byte, error) {
	batch := &pgconn.Batch{}
	batch.ExecParams(`select set_config('jit', 'off', true)`, nil, nil, nil, nil)
	batch.ExecParams(query, parameters, nil, nil, nil)
	results, err := conn.ExecBatch(ctx, batch).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	if len(results) != 2 || len(results[1].Rows) != 1 {
		return nil, errors.New("read catalog: expected one row")
	}
	return results[1].Rows[0][0], nil
}

// asked is a table that read.sql is asked about.
type asked struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
	// Names are those of its transitions' sources and targets.
	Names []string `json:"names"`
}

// MissingToken stands for the token of a transition whose table did not exist
// when the catalog was read. Nothing bears this name, so what touches the
// column fails before it does anything, also if such a table exists by now: its
// columns are not known.
const MissingToken = "table_is_missing"

// Catalog puts the snapshot and what a connection joined under together, for
// the rewriter.
func (s Snapshot) Catalog(view fence.View, stars rewrite.Stars) rewrite.Catalog {
	c := rewrite.Catalog{
		SearchPath:  view.SearchPath,
		Stars:       stars,
		Tables:      slices.Clone(s.tables),
		Views:       s.views,
		Ancestors:   s.ancestors,
		Opaque:      s.opaque,
		Homonyms:    s.homonyms,
		Namesakes:   s.namesakes,
		Functions:   s.functions,
		ColumnNames: s.columns,
	}
	for _, t := range view.Transitions {
		name := rewrite.Name{Schema: t.Schema, Name: t.Table}
		transition := rewrite.Transition{
			ID: t.ID, Table: name, Move: t.Definition.Move, Key: t.Definition.Key,
			Constraints: map[string]rewrite.Counterpart{}, Phase: t.Phase, Token: t.Token,
			Synced: t.Definition.KeepsBoth() && slices.Contains(s.synced, ledger.SyncFunction(t.ID)),
		}
		for _, index := range t.Definition.Indexes {
			if index.Constraint != "" {
				transition.Constraints[index.Constraint] = counterpart(index, t)
			}
		}
		if key := t.Definition.PrimaryKey; key != nil {
			// Its name moves along with it; so statements go by the columns.
			transition.Constraints[key.Constraint] = rewrite.Counterpart{Columns: indexed(key.Create, t)}
		}
		if !slices.ContainsFunc(s.tables, func(t rewrite.Table) bool { return t.Name == name }) {
			transition.Token = MissingToken
			if !slices.ContainsFunc(c.Tables, func(t rewrite.Table) bool { return t.Name == name }) {
				missing := rewrite.Table{Name: name, Of: name}
				columns, _ := logical(relation{}, nil, of(view.Transitions, name))
				for _, column := range columns {
					missing.Columns = append(missing.Columns, rewrite.Column{Name: column.Name, Type: column.Type})
				}
				c.Tables = append(c.Tables, missing)
			}
		}
		c.Transitions = append(c.Transitions, transition)
	}
	return c
}

// counterpart is what takes the place of an index's constraint on the targets.
func counterpart(index ledger.Index, t fence.Member) rewrite.Counterpart {
	if index.TargetConstraint != "" {
		return rewrite.Counterpart{Constraint: index.TargetConstraint}
	}
	return rewrite.Counterpart{Columns: indexed(index.Create, t)}
}

// indexed is the list of columns and expressions of an index on the targets, as
// they are called in the phase. Without a list the constraint has no counterpart.
func indexed(create string, t fence.Member) string {
	if d := t.Definition; t.Phase == phase.Named {
		renamed, err := rewrite.RenameColumn(create, d.Targets[0].Name, d.Sources[0].Name)
		if err != nil {
			return ""
		}
		create = renamed
	}
	return rewrite.IndexColumns(create)
}
