package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/migrator"
)

// addFile makes the transition of a file the subject: as it is, when it has been
// started, otherwise as if it had been.
func (a *app) addFile(ctx context.Context, e *explainSubject, path string) error {
	t, err := loadTransition(path)
	if err != nil {
		return err
	}
	if len(t.Sources()) == 0 {
		return &usageError{cause: fmt.Errorf("transition %q moves no column, so no statement is rewritten for it", t.Name), command: "crossfade explain"}
	}
	view := &e.explainer.View
	for i, active := range view.Transitions {
		if active.Name == t.Name && slices.Equal(active.Definition.SourceNames(), t.Sources()) &&
			slices.Equal(active.Definition.TargetNames(), t.Targets()) {
			e.explainer.Subject = i
			return nil
		}
	}
	p, err := a.preview(ctx, e.conn.Config(), t)
	if err != nil {
		return err
	}
	member := fence.Member{Name: t.Name, Schema: p.Schema, Table: p.Table, Definition: p.Definition}
	if len(p.Definition.Sources) == 0 || len(p.Definition.Targets) == 0 {
		return &refusal{refusedMessage(&migrator.RefusedError{Transition: t.Name, Findings: p.Findings}), ""}
	}
	// Those that are in the way would have ended before it could begin.
	would := transitionOf(member)
	view.Transitions = slices.DeleteFunc(view.Transitions, func(other fence.Member) bool {
		return other.Name == t.Name || ledger.Overlap(would, transitionOf(other)) != nil
	})
	view.Transitions, e.explainer.Subject = append(view.Transitions, member), len(view.Transitions)
	return nil
}

// preview asks how a transition would be registered in a database.
func (a *app) preview(ctx context.Context, config *pgx.ConnConfig, t migrator.Transition) (migrator.Preview, error) {
	tuning := a.tuning
	tuning.Logger = a.logger(a.stderr)
	m, err := migrator.New(config, tuning)
	if err != nil {
		return migrator.Preview{}, err
	}
	return m.Preview(ctx, t)
}

func transitionOf(m fence.Member) ledger.Transition {
	return ledger.Transition{Name: m.Name, Schema: m.Schema, Table: m.Table, Definition: m.Definition, Phase: m.Phase}
}
