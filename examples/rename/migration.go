package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// transition is what is to be done. The command reads the same from a file:
//
//	name: users-name
//	table: public.users
//	rename: {from: full_name, to: name}
var transition = migrator.Transition{
	Name:   "users-name",
	Table:  "public.users",
	Rename: &migrator.Rename{From: sourceColumn, To: targetColumn},
}

// migration is one run of the example, after the database is there.
type migration struct {
	options  options
	url      string
	fleet    *fleet
	watch    *watch
	migrator *migrator.Migrator
	audit    *audit
	log      func(format string, args ...any)
	phase    migrator.Phase

	legacy         *process // without the hook
	legacyLeft     string   // in which phase it has ended
	lag, converged time.Duration
}

func (m *migration) newMigrator() (*migrator.Migrator, error) {
	config, err := pgx.ParseConfig(m.url)
	if err != nil {
		return nil, err
	}
	// Nobody has to wait an hour here to be sure that the last writer is gone.
	c := migrator.Config{WritersQuiet: time.Millisecond, Observer: m.watch, Actor: "examples/rename", Logger: slog.New(slog.DiscardHandler)}
	if m.options.pause {
		// An idle laggard is fenced soon, instead of after 30 s; but after the
		// second in which the hook recycles those that are merely late.
		c.Grace = 1500 * time.Millisecond
		c.Laggards = migrator.LaggardsFence
	}
	return migrator.New(config, c)
}

// run drives the migration while the traffic runs.
func (m *migration) run(ctx context.Context) (err error) {
	if m.migrator, err = m.newMigrator(); err != nil {
		return err
	}

	// The old version of the application runs already, with the hook in it and
	// no ledger in the database.
	last := m.options.apps - 1
	for i := range last {
		if err := m.start(ctx, i, sourceColumn); err != nil {
			return err
		}
	}
	m.log("%d processes run, written against %s", last, sourceColumn)
	if err := m.startLegacy(ctx); err != nil {
		return err
	}
	if err := m.dwell(ctx); err != nil {
		return err
	}
	if err := m.stopLegacy(ctx, syncNone); err != nil {
		return err
	}

	// Once the transition is registered, both names work. The new version may
	// be deployed now, or any time later.
	if err := m.migrator.Init(ctx, migrator.InitOptions{}); err != nil {
		return err
	}
	t := transition
	t.Sync = m.options.sync
	if err := m.move(m.migrator.Start(ctx, t)); err != nil {
		return err
	}
	if err := m.start(ctx, last, targetColumn); err != nil {
		return err
	}
	m.log("1 more process runs, written against %s, which does not exist yet", targetColumn)
	if err := m.dwell(ctx); err != nil {
		return err
	}

	if m.options.pause {
		if err := m.holdBack(ctx); err != nil {
			return err
		}
	}
	if err := m.forward(ctx); err != nil {
		return err
	}
	if m.options.rollback {
		if err := m.back(ctx); err != nil {
			return err
		}
		if err := m.forward(ctx); err != nil {
			return err
		}
	}

	// The point of no return. The old version goes on after it.
	if err := m.stopLegacy(ctx, syncTrigger); err != nil {
		return err
	}
	if err := m.move(m.migrator.Contract(ctx, transition.Name, migrator.ContractOptions{Snapshot: migrator.NoSnapshot})); err != nil {
		return err
	}
	return m.dwell(ctx)
}

// forward goes to complete. (Run would do it in one call.)
func (m *migration) forward(ctx context.Context) error {
	for _, p := range []migrator.Phase{migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete} {
		if p == migrator.Shadow {
			if err := m.toBarrier(ctx); err != nil {
				return err
			}
		}
		if err := m.move(m.migrator.Advance(ctx, transition.Name, migrator.AdvanceOptions{To: p})); err != nil {
			return err
		}
		if p == migrator.Complete { // before, PostgreSQL itself holds the columns equal
			if err := m.release(); err != nil {
				return err
			}
		}
		if err := m.dwell(ctx); err != nil {
			return err
		}
		switch p {
		case migrator.Shadow, migrator.Live, migrator.RampDown: // verified, and all writes keep both
			if err := m.audit.compareColumns(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareWhereItStopped looks at the columns when the migrator has refused to
// go on: in a phase that writes both, after the backfill, none may differ.
func (m *migration) compareWhereItStopped(ctx context.Context) error {
	if m.phase == "" || !m.phase.Behaviour().WritesBoth() {
		return nil
	}
	list, err := m.migrator.Status(ctx, migrator.StatusOptions{Name: transition.Name})
	if err != nil {
		return err
	}
	for _, job := range list[0].Jobs {
		if job.Job == "backfill" && job.Finished {
			return m.audit.compareColumns(ctx, m.phase)
		}
	}
	return nil
}

// back goes back to off, where the table is as it was at the beginning.
func (m *migration) back(ctx context.Context) error {
	m.log("now back to off")
	for _, p := range []migrator.Phase{migrator.RampDown, migrator.Live, migrator.Shadow, migrator.DualWrite, migrator.Off} {
		if err := m.move(m.migrator.Rollback(ctx, transition.Name, migrator.RollbackOptions{To: p})); err != nil {
			return err
		}
		if err := m.dwell(ctx); err != nil {
			return err
		}
		if p == migrator.Shadow { // reads have returned to the source, so it is right
			if err := m.audit.compareColumns(ctx, p); err != nil {
				return err
			}
		}
	}
	m.log("now forward again")
	return nil
}

// move notes where a call of the migrator has led to.
func (m *migration) move(p migrator.Position, err error) error {
	if p.Phase != "" && p.Phase != m.phase {
		m.phase = p.Phase
		m.log("phase %s", p.Phase)
	}
	return err
}

// dwell lets the traffic run for a while in the phase that is in force.
func (m *migration) dwell(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(m.options.duration):
		return m.fleet.failure()
	}
}

func (m *migration) start(ctx context.Context, index int, column string) error {
	return m.fleet.start(ctx, settings{
		URL: m.url, Index: index, Apps: m.options.apps + 1, Legacy: index == m.options.apps, Rows: m.options.rows, Column: column,
		Long:  min(max(m.options.duration, 100*time.Millisecond), 2*time.Second),
		Pause: m.options.pause, NoTokens: m.options.noTokens,
	})
}

// holdBack lets the first process begin a write that it will not send before
// release.
func (m *migration) holdBack(ctx context.Context) error {
	p := m.fleet.all()[0]
	if err := p.order(orderHold); err != nil {
		return err
	}
	select {
	case sql := <-p.held:
		m.log("held back in phase %s: %s", m.phase, sql)
		return nil
	case <-p.ended:
		return p.failure()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(10 * time.Second):
		return errors.New("app 1 does not send the write that is to be held back")
	}
}

func (m *migration) release() error {
	if !m.options.pause {
		return nil
	}
	m.log("phase %s: the write that was held back is sent now", m.phase)
	if err := m.fleet.all()[0].order(orderRelease); err != nil {
		return fmt.Errorf("release the held write: %w", err)
	}
	return nil
}
