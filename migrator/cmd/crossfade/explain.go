package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// explanation is what a statement becomes.
type explanation struct {
	Statement string         `json:"statement"`
	Phases    []phaseOutcome `json:"phases"`
}

type phaseOutcome struct {
	Phase   migrator.Phase  `json:"phase"`
	Outcome rewrite.Outcome `json:"outcome"`
	SQL     string          `json:"sql,omitempty"`
	Message string          `json:"message,omitempty"`
	Hint    string          `json:"hint,omitempty"`
	edits   []rewrite.Edit
}

func (e explanation) refused() bool {
	for _, p := range e.Phases {
		if p.Outcome == rewrite.Refused {
			return true
		}
	}
	return false
}

// explainer rewrites statements as a connection would that joins in one of the
// phases of a transition, everything else being as it is in the database.
type explainer struct {
	snapshot catalog.Snapshot
	view     fence.View
	// subject is the transition's place in the view.
	subject int
	stars   rewrite.Stars
}

// shownToken stands for the token of a phase, whose real name says when the
// phase began.
const shownToken = "token"

// explain tells what a statement becomes in each of the phases.
func (x *explainer) explain(statements []string, phases []migrator.Phase) ([]explanation, error) {
	explained := make([]explanation, len(statements))
	for i, statement := range statements {
		explained[i].Statement = statement
	}
	for _, p := range phases {
		member := &x.view.Transitions[x.subject]
		member.Phase, member.Token = p, shownToken
		r, err := rewrite.New(x.snapshot.Catalog(x.view, x.stars))
		if err != nil {
			return nil, err
		}
		for i, statement := range statements {
			result := r.Rewrite(statement)
			outcome := phaseOutcome{Phase: p, Outcome: result.Outcome, SQL: result.SQL, edits: result.Edits}
			if result.Refusal != nil {
				outcome.Message, outcome.Hint = result.Refusal.Message, result.Refusal.Hint
			}
			explained[i].Phases = append(explained[i].Phases, outcome)
		}
	}
	return explained, nil
}

// newExplainer joins as a connection of the application would, and reads the
// catalog. The subject is a transition file, the name of an active transition,
// or empty for the only active one.
func newExplainer(ctx context.Context, conn *pgx.Conn, subject string) (*explainer, error) {
	view, err := fence.Join(ctx, conn.PgConn())
	if err != nil {
		return nil, err
	}
	x := &explainer{view: view}
	if isFile(subject) {
		err = x.addFile(ctx, conn, subject)
	} else {
		err = x.find(subject)
	}
	if err != nil {
		return nil, err
	}
	x.snapshot, err = catalog.Read(ctx, conn.PgConn(), x.view)
	return x, err
}

// find makes an active transition the subject.
func (x *explainer) find(name string) error {
	if name == "" {
		if n := len(x.view.Transitions); n != 1 {
			return &usageError{cause: fmt.Errorf("there are %s here: name one, or a file, with --transition", plural(n, "active transition"))}
		}
		return nil
	}
	for i, t := range x.view.Transitions {
		if t.Name == name {
			x.subject = i
			return nil
		}
	}
	return fmt.Errorf("%w: %q", migrator.ErrNotFound, name)
}

// addFile makes the transition of a file the subject: as it is, when it has been
// started, otherwise as if it had been.
func (x *explainer) addFile(ctx context.Context, conn *pgx.Conn, path string) error {
	t, err := loadTransition(path)
	if err != nil {
		return err
	}
	for i, active := range x.view.Transitions {
		if active.Name == t.Name && slices.Equal(active.Definition.SourceNames(), t.Sources()) &&
			slices.Equal(active.Definition.TargetNames(), t.Targets()) {
			x.subject = i
			return nil
		}
	}
	schema, table, err := findTable(ctx, conn, t.Table)
	if err != nil {
		return err
	}
	report, err := preflight.Check(ctx, conn, t.Request(schema, table))
	if err != nil {
		return err
	}
	if len(report.Definition.Sources) == 0 {
		message := "the columns to move, or their expressions, cannot be read"
		for _, f := range report.Findings {
			message += "\n  " + f.String()
		}
		return &refusal{message: message}
	}
	member := fence.Member{Name: t.Name, Schema: schema, Table: table, Definition: report.Definition}
	// It takes the place of those that would stand in its way.
	x.view.Transitions = slices.DeleteFunc(x.view.Transitions, func(other fence.Member) bool {
		return other.Name == t.Name || ledger.Overlap(asTransition(member), asTransition(other)) != nil
	})
	x.view.Transitions, x.subject = append(x.view.Transitions, member), len(x.view.Transitions)
	return nil
}

func asTransition(m fence.Member) ledger.Transition {
	return ledger.Transition{Name: m.Name, Schema: m.Schema, Table: m.Table, Phase: m.Phase, Definition: m.Definition}
}

// findTable looks a table of a transition file up. Names stand there as the
// catalog has them, each in double quotes or not.
func findTable(ctx context.Context, conn *pgx.Conn, name string) (schema, table string, err error) {
	err = conn.QueryRow(ctx, `
		select n.nspname, c.relname
		from pg_catalog.pg_class c
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
		lateral (values (n.nspname::text, c.relname::text)) as bare (s, t),
		lateral (values ('"' || s || '"', '"' || t || '"')) as quoted (qs, qt)
		where $1 in (s || '.' || t, qs || '.' || t, s || '.' || qt, qs || '.' || qt)
			or pg_catalog.pg_table_is_visible(c.oid) and $1 in (t, qt)
		order by $1 in (t, qt) limit 1`, name).Scan(&schema, &table)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", &refusal{fmt.Sprintf("there is no table %s in this database", name),
			"check the spelling, the schema and the database; names are case-sensitive here"}
	}
	if err != nil {
		return "", "", fmt.Errorf("look up table %s: %w", name, err)
	}
	return schema, table, nil
}
