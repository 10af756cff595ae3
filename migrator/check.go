package migrator

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/logical"
)

// check runs the preflight, and returns the transition as it would be
// registered, and how large the table is.
func (s *session) check(ctx context.Context, t Transition) (ledger.Transition, preflight.Size, []Finding, error) {
	schema, table, err := s.resolve(ctx, t.Table)
	if err != nil {
		return ledger.Transition{}, preflight.Size{}, nil, err
	}
	request := t.Request(schema, table)
	request.IgnoreApplications = slices.Concat(t.IgnoreApplications, s.IgnoreApplications)
	request.Standbys = len(s.Standbys) > 0
	request.Path = append([]string{}, s.schemas...)
	report, err := preflight.Check(ctx, s.conn, request)
	if err != nil {
		return ledger.Transition{}, preflight.Size{}, nil, err
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
	definition.Sync, definition.SyncMode = t.sync(), string(t.syncMode())
	row := ledger.Transition{Name: t.Name, Schema: schema, Table: table, Definition: definition, Phase: Off}
	if tailed(row) {
		more, err := s.checkTail(ctx, row)
		if err != nil {
			return row, report.Size, nil, err
		}
		findings = append(findings, more...)
	}
	return row, report.Size, findings, nil
}

// checkTail looks whether the log can be followed.
func (s *session) checkTail(ctx context.Context, t ledger.Transition) ([]Finding, error) {
	tailer, err := s.tailer(ctx, t)
	if err != nil {
		return nil, err
	}
	err = tailer.Check(ctx)
	all, several := err.(interface{ Unwrap() []error })
	var errs []error
	switch {
	case err == nil:
	case several:
		errs = all.Unwrap()
	default:
		errs = []error{err}
	}
	findings, err := s.mayPublish(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, err := range errs {
		r, ok := logical.AsRefusal(err)
		if !ok {
			return nil, err
		}
		findings = append(findings, Finding{Severity: string(preflight.Refuse), Code: "sync-" + string(r.Code), Object: tableName(t),
			Message: r.Message, Hint: r.Hint, Refuses: true})
	}
	return findings, nil
}

// mayPublish looks whether the role may make a publication.
func (s *session) mayPublish(ctx context.Context, t ledger.Transition) ([]Finding, error) {
	var may bool
	var role, database string
	err := s.conn.QueryRow(ctx, `select has_database_privilege(current_database(), 'create'), quote_ident(current_user), quote_ident(current_database())`).
		Scan(&may, &role, &database)
	if err != nil {
		return nil, fmt.Errorf("read privileges: %w", err)
	}
	if may {
		return nil, nil
	}
	return []Finding{{Severity: string(preflight.Refuse), Code: "sync-no-create", Object: tableName(t),
		Message: "the role " + role + " may not make a publication in this database",
		Hint:    "grant create on database " + database + " to " + role, Refuses: true}}, nil
}

// resolve finds the table that a transition file names.
func (s *session) resolve(ctx context.Context, name string) (schema, table string, err error) {
	found, err := ddl.ResolveName(ctx, s.conn, name, s.schemas)
	return found.Schema, found.Table, err
}
