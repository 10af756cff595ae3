package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/migrator"
)

// What -sync takes.
const (
	syncNone    = "none"    // the legacy process ends before the transition begins
	syncTrigger = "trigger" // it ends before contract
	syncLogical = "logical" // it ends when the barrier waits for it
)

// startLegacy starts the process without the hook.
func (m *migration) startLegacy(ctx context.Context) error {
	if err := m.start(ctx, m.options.apps, sourceColumn); err != nil {
		return err
	}
	all := m.fleet.all()
	m.legacy = all[len(all)-1]
	m.log("1 process runs without the hook")
	return nil
}

// stopLegacy lets it finish, if that is what -sync says, and waits for the end.
func (m *migration) stopLegacy(ctx context.Context, sync string) error {
	if m.options.sync != sync || m.legacy == nil || m.legacyLeft != "" {
		return nil
	}
	m.legacyLeft = string(m.phase)
	if m.legacyLeft == "" {
		m.legacyLeft = "before"
	}
	if err := m.legacy.order(orderStop); err != nil {
		return err
	}
	select {
	case <-m.legacy.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	m.log("the process without the hook has ended, in phase %s", m.legacyLeft)
	return m.legacy.failure()
}

// toBarrier goes, with -sync logical, to where the migrator waits for the process
// without the hook; that writes all the time, and is followed by a tail beside the
// migrator, as `crossfade tail` is one. Then the process ends, and the migrator goes on.
func (m *migration) toBarrier(ctx context.Context) error {
	if m.options.sync != syncLogical || m.legacyLeft != "" {
		return nil
	}
	tailing, stop := context.WithCancel(ctx)
	tail := make(chan error, 1)
	go func() { tail <- m.migrator.Tail(tailing, transition.Name) }()
	defer func() {
		stop()
		<-tail
	}()
	for {
		p, err := m.migrator.Advance(ctx, transition.Name, migrator.AdvanceOptions{})
		if err := m.move(p, err); err != nil {
			return err
		}
		if p.Step == "backfill" {
			break
		}
	}
	if err := m.sampleLag(ctx); err != nil {
		return err
	}
	advanced := make(chan error, 1)
	go func() {
		_, err := m.migrator.Advance(ctx, transition.Name, migrator.AdvanceOptions{})
		advanced <- err
	}()
	select {
	case <-m.watch.barrier:
	case err := <-advanced:
		return errors.Join(err, errors.New("the barrier did not wait for the process without the hook"))
	case <-ctx.Done():
		<-advanced
		return ctx.Err()
	}
	err := m.stopLegacy(ctx, syncLogical)
	if err == nil {
		err = m.convergence(ctx)
	}
	if err != nil {
		stop()
	}
	return errors.Join(err, <-advanced)
}

// sampleLag lets the traffic run, and looks how far the tail is behind.
func (m *migration) sampleLag(ctx context.Context) error {
	until := time.Now().Add(max(m.options.duration, time.Second))
	for time.Now().Before(until) {
		list, err := m.migrator.Status(ctx, migrator.StatusOptions{Name: transition.Name})
		if err != nil {
			return err
		}
		if tail := list[0].Tail; tail != nil {
			m.lag = max(m.lag, tail.Lag)
		}
		if err := m.fleet.failure(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// convergence measures the time until the columns are the same in all rows.
func (m *migration) convergence(ctx context.Context) error {
	began := time.Now()
	err := database.WithConn(ctx, m.url, func(conn *pgx.Conn) error {
		for {
			var differ int64
			err := conn.QueryRow(ctx, `select count(*) from users where full_name is distinct from name`).Scan(&differ)
			switch {
			case err != nil:
				return fmt.Errorf("look for convergence: %w", err)
			case differ == 0:
				return nil
			case time.Since(began) > time.Minute:
				return fmt.Errorf("%d rows differ a minute after the last write without the hook", differ)
			}
		}
	})
	m.converged = time.Since(began)
	m.log("the columns are the same in all rows, %s after that", m.converged.Round(time.Millisecond))
	return err
}
