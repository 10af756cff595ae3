package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrSameDatabase: the copy to rehearse on is the database itself.
var ErrSameDatabase = errors.New("this is the database itself and no copy of it")

// RehearseOptions say what to be on the guard for.
type RehearseOptions struct {
	// Production leads to the database that the copy is of: a rehearsal on it is
	// ErrSameDatabase. Nil: nothing is compared.
	Production *pgx.ConnConfig
	// Traffic is run beside each pass until its context ends, and reports each
	// statement with its error. Nil: there is none but the prober.
	Traffic func(ctx context.Context, report func(sql string, err error)) error
	// MaxLock is how long a statement may hold a lock that stops writers before it is
	// a surprise; 0 means 200 ms. MaxStall is the same of a probe; 0 means 500 ms.
	MaxLock, MaxStall time.Duration
}

// Rehearsal is what a transition did to a copy.
type Rehearsal struct {
	Transition string           `json:"transition"`
	Steps      []RehearsedStep  `json:"steps"`
	Traffic    RehearsedTraffic `json:"traffic"`
	Elapsed    time.Duration    `json:"elapsed_ns"`
	// Surprises is what should be looked at before the real thing; empty when
	// nothing is.
	Surprises []string `json:"surprises"`
}

// RehearsedStep is one step of one pass.
type RehearsedStep struct {
	// Pass is "forward", "back", "again" or "contract".
	Pass    string        `json:"pass"`
	Name    string        `json:"name"`
	Undo    bool          `json:"undo,omitempty"`
	Elapsed time.Duration `json:"elapsed_ns"`
	// Lock is the longest time that a statement held a lock that stops writers, at
	// most: what it waited for in its last attempt counts too. LockSQL is it.
	Lock    time.Duration `json:"lock_ns,omitempty"`
	LockSQL string        `json:"lock_sql,omitempty"`
	// Stall is the longest time that a probe took: a read, and taking the lock of a
	// write.
	Stall time.Duration `json:"stall_ns,omitempty"`
	// WALBytes is what the whole server wrote, GrowthBytes by how much the table and
	// its indexes grew.
	WALBytes    int64 `json:"wal_bytes"`
	GrowthBytes int64 `json:"growth_bytes"`
	// Err is why it did not succeed.
	Err string `json:"error,omitempty"`
}

// RehearsedTraffic is what came of the statements.
type RehearsedTraffic struct {
	Probes     int `json:"probes"`
	Statements int `json:"statements"`
	Errors     int `json:"errors"`
	// Samples are the first errors, each with its statement.
	Samples []string `json:"samples,omitempty"`
}

// Rehearse takes a transition all the way on the copy that the Migrator leads to:
// forward to complete, back to off, forward again, contract, remove. It measures each
// step. The copy is changed for good, as the transition changes it. An error is one
// of the rehearsal itself; what the transition met is in the Rehearsal, which then
// ends with it.
func (m *Migrator) Rehearse(ctx context.Context, t Transition, o RehearseOptions) (Rehearsal, error) {
	r := Rehearsal{Transition: t.Name, Steps: []RehearsedStep{}, Surprises: []string{}}
	if err := t.Validate(); err != nil {
		return r, err
	}
	if o.MaxLock <= 0 {
		o.MaxLock = 200 * time.Millisecond
	}
	if o.MaxStall <= 0 {
		o.MaxStall = 500 * time.Millisecond
	}
	if err := m.isCopyOf(ctx, o.Production); err != nil {
		return r, fmt.Errorf("rehearse %q: %w", t.Name, err)
	}
	began := time.Now()
	g, err := m.newGauge(ctx, t)
	if err != nil {
		return r, fmt.Errorf("rehearse %q: %w", t.Name, err)
	}
	defer g.close(ctx)
	measured := *m
	measured.config.Observer = g
	if err := measured.Init(ctx, InitOptions{}); err != nil {
		return r, err
	}
	err = g.beside(ctx, g.probe, func(ctx context.Context) error { return measured.whole(ctx, t, g, o.Traffic) })
	r.Steps, r.Traffic, r.Elapsed = g.steps, g.traffic, time.Since(began)
	var refused *RefusedError
	if ctx.Err() != nil || errors.As(err, &refused) || errors.Is(err, ErrActive) {
		return r, err
	}
	r.Surprises = r.surprises(err, o)
	return r, nil
}

// whole is the transition from start to remove. Traffic has its place between the
// two: both names of the column work then. What was interrupted is taken back as far
// as it can be.
func (m *Migrator) whole(ctx context.Context, t Transition, g *gauge, traffic func(context.Context, func(string, error)) error) error {
	_, err := m.Start(ctx, t)
	if errors.Is(err, ErrActive) { // it is not this one's to take back
		return err
	}
	passes := func(ctx context.Context) error { return m.passes(ctx, t, g) }
	switch {
	case err != nil:
	case traffic == nil:
		err = passes(ctx)
	default:
		err = g.beside(ctx, func(ctx context.Context) error { return traffic(ctx, g.report) }, passes)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.config.DDLMaxWait)
		defer cancel()
		if _, backErr := m.Rollback(ctx, t.Name, RollbackOptions{}); backErr == nil {
			_ = m.Remove(ctx, t.Name)
		}
		return err
	}
	return m.Remove(ctx, t.Name)
}

// passes go there, back, there again and beyond.
func (m *Migrator) passes(ctx context.Context, t Transition, g *gauge) error {
	for _, pass := range []struct {
		name string
		do   func() error
	}{
		{"forward", func() error { _, err := m.Run(ctx, t.Name, RunOptions{}); return err }},
		{"back", func() error { _, err := m.Rollback(ctx, t.Name, RollbackOptions{}); return err }},
		{"again", func() error { _, err := m.Run(ctx, t.Name, RunOptions{}); return err }},
		{"contract", func() error {
			_, err := m.Run(ctx, t.Name, RunOptions{Until: Contracted, Snapshot: "a copy, in a rehearsal"})
			return err
		}},
	} {
		g.begin(pass.name)
		if err := pass.do(); err != nil {
			return fmt.Errorf("pass %s: %w", pass.name, err)
		}
	}
	return nil
}

// surprises says what should be looked at.
func (r Rehearsal) surprises(err error, o RehearseOptions) []string {
	list := []string{}
	if err != nil {
		list = append(list, "it did not get to the end: "+err.Error())
	}
	for _, s := range r.Steps {
		name := s.Pass + ", step " + s.Name
		if s.Lock > o.MaxLock {
			list = append(list, fmt.Sprintf("%s: a lock that stops writers was held for up to %s: %s", name, s.Lock.Round(time.Millisecond), s.LockSQL))
		}
		if s.Stall > o.MaxStall {
			list = append(list, fmt.Sprintf("%s: a probe took %s", name, s.Stall.Round(time.Millisecond)))
		}
	}
	if n := r.Traffic.Errors; n > 0 {
		list = append(list, fmt.Sprintf("%d of %d statements failed, the first: %s", n, r.Traffic.Statements, r.Traffic.Samples[0]))
	}
	return list
}

// isCopyOf tells the copy from the database. A copy that was made of its files has
// the same identifiers; but no two servers began at the same microsecond.
func (m *Migrator) isCopyOf(ctx context.Context, production *pgx.ConnConfig) error {
	if production == nil {
		return nil
	}
	original, err := identity(ctx, production)
	if err != nil {
		return fmt.Errorf("look at the original: %w", err)
	}
	is, err := identity(ctx, m.conn)
	if err == nil && is == original {
		err = ErrSameDatabase
	}
	return err
}

func identity(ctx context.Context, config *pgx.ConnConfig) (id string, err error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	err = conn.QueryRow(ctx, `select format('%s/%s/%s', system_identifier, extract(epoch from pg_postmaster_start_time()),
			(select oid from pg_catalog.pg_database where datname = current_database())) from pg_catalog.pg_control_system()`).Scan(&id)
	return id, err
}
