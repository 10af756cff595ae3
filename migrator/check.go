package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// check runs the preflight, and returns the transition as it would be
// registered.
func (s *session) check(ctx context.Context, t Transition) (ledger.Transition, []Finding, error) {
	schema, table, err := s.resolve(ctx, t.Table)
	if err != nil {
		return ledger.Transition{}, nil, err
	}
	request := t.Request(schema, table)
	request.IgnoreApplications = slices.Concat(t.IgnoreApplications, s.IgnoreApplications)
	request.Path = append([]string{}, s.schemas...)
	report, err := preflight.Check(ctx, s.conn, request)
	if err != nil {
		return ledger.Transition{}, nil, err
	}
	findings := make([]Finding, len(report.Findings))
	for i, f := range report.Findings {
		findings[i] = Finding{
			Severity: string(f.Severity), Code: f.Code, Object: f.Object, Message: f.Message, Hint: f.Hint,
			Accepted: f.Accepted, Refuses: f.Severity == preflight.Refuse,
		}
	}
	definition := report.Definition
	definition.IgnoreApplications = t.IgnoreApplications
	definition.File = t.source()
	return ledger.Transition{
		Name: t.Name, Schema: schema, Table: table, Definition: definition, Phase: Off,
	}, findings, nil
}

// resolve finds the schema of a table that is named without one.
func (s *session) resolve(ctx context.Context, name string) (schema, table string, err error) {
	schema, table, err = splitTable(name)
	if err != nil || schema != "" {
		return schema, table, err
	}
	err = s.conn.QueryRow(ctx, `
		select path.schema
		from unnest($1::text[]) with ordinality as path (schema, place)
		join pg_catalog.pg_namespace n on n.nspname = path.schema
		join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
		order by path.place limit 1`, s.schemas, table).Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) && len(s.schemas) > 0 {
		return s.schemas[0], table, nil // preflight says that it does not exist
	}
	if err != nil {
		return "", "", fmt.Errorf("look up table %q: %w", name, err)
	}
	return schema, table, nil
}
