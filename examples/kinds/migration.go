package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// The way forward, and back.
var (
	rollout  = []migrator.Phase{migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete}
	rollback = []migrator.Phase{migrator.RampDown, migrator.Live, migrator.Shadow, migrator.DualWrite, migrator.Off}
)

// migration is one run of the example, after the database is there.
type migration struct {
	options  options
	url      string
	traffic  *traffic
	watch    *watch
	audit    *audit
	log      func(format string, args ...any)
	migrator *migrator.Migrator
}

// run drives all transitions while the traffic runs.
func (m *migration) run(ctx context.Context) error {
	config, err := pgx.ParseConfig(m.url)
	if err != nil {
		return err
	}
	m.migrator, err = migrator.New(config, migrator.Config{
		Observer: m.watch, Actor: "examples/kinds", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}

	// The old code runs already, with the hook in it and no ledger in the database.
	m.traffic.start(ctx, before)
	if err := m.dwell(ctx); err != nil {
		return err
	}
	if err := m.migrator.Init(ctx, migrator.InitOptions{}); err != nil {
		return err
	}
	for _, move := range moves {
		if err := m.step(move, func() (migrator.Position, error) { return m.migrator.Start(ctx, move.Transition) }); err != nil {
			return err
		}
	}
	// Once they are registered, all names work.
	m.traffic.start(ctx, after)
	if err := m.dwell(ctx); err != nil {
		return err
	}

	if m.options.rollback {
		if err := m.pass(ctx, rollout, m.advance); err != nil {
			return err
		}
		m.log("now back to off")
		if err := m.pass(ctx, rollback, m.back); err != nil {
			return err
		}
		m.log("now forward again")
	}
	return m.pass(ctx, append(rollout[:len(rollout):len(rollout)], migrator.Contracted), m.advance)
}

// pass takes every transition through phases, each one step behind the one
// before: so all of them are in different phases nearly all the time. One call of
// a migrator works at a time, whatever the transition; it is the transitions that
// stand side by side.
func (m *migration) pass(ctx context.Context, phases []migrator.Phase, to func(context.Context, move, migrator.Phase) error) error {
	for round := range len(phases) + len(moves) - 1 {
		for i, move := range moves {
			if n := round - i; n >= 0 && n < len(phases) {
				if err := to(ctx, move, phases[n]); err != nil {
					return err
				}
			}
		}
		if err := m.dwell(ctx); err != nil {
			return err
		}
	}
	return nil
}

// advance goes on to the next phase. (Run would go all the way in one call.)
func (m *migration) advance(ctx context.Context, move move, p migrator.Phase) error {
	err := m.step(move, func() (migrator.Position, error) {
		if p == migrator.Contracted { // the point of no return; the old code goes on after it
			return m.migrator.Contract(ctx, move.Name, migrator.ContractOptions{Snapshot: migrator.NoSnapshot})
		}
		return m.migrator.Advance(ctx, move.Name, migrator.AdvanceOptions{To: p})
	})
	switch p {
	case migrator.Shadow, migrator.Live, migrator.RampDown: // verified, and all writes keep both
		if err == nil {
			err = m.audit.compareSides(ctx, move, p)
		}
	}
	return err
}

func (m *migration) back(ctx context.Context, move move, p migrator.Phase) error {
	err := m.step(move, func() (migrator.Position, error) {
		return m.migrator.Rollback(ctx, move.Name, migrator.RollbackOptions{To: p})
	})
	if p == migrator.Shadow && err == nil { // reads have returned to the sources, so they are right
		err = m.audit.compareSides(ctx, move, p)
	}
	return err
}

// step calls the migrator and tells where that has led to.
func (m *migration) step(move move, call func() (migrator.Position, error)) error {
	began := time.Now()
	p, err := call()
	if err != nil {
		return fmt.Errorf("%s: %w", move.Name, err)
	}
	m.log("%-7s %-10s  %5d ms", p.Name, p.Phase, time.Since(began).Milliseconds())
	return nil
}

// dwell lets the traffic run for a while in the phases that are in force.
func (m *migration) dwell(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(m.options.duration):
		return nil
	}
}
