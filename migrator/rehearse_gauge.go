package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ddl"
)

const (
	// probeEvery is the time between two probes.
	probeEvery = 5 * time.Millisecond
	// errorSamples is how many errors of statements are kept.
	errorSamples = 5
)

// gauge measures the steps of a rehearsal: it is their Observer, and probes the
// table meanwhile.
type gauge struct {
	table  ddl.Name
	meter  *session // reads the WAL and sizes, between steps
	prober *session

	mu      sync.Mutex // guards what follows
	pass    string
	steps   []RehearsedStep
	current *RehearsedStep
	retried time.Duration // what a statement has waited in earlier attempts
	lsn     int64
	bytes   int64
	traffic RehearsedTraffic
}

func (m *Migrator) newGauge(ctx context.Context, t Transition) (g *gauge, err error) {
	g = &gauge{}
	if g.meter, err = m.open(ctx); err != nil {
		return nil, err
	}
	schema, table, err := g.meter.resolve(ctx, t.Table)
	if err == nil {
		g.table = ddl.Name{Schema: schema, Table: table}
		g.prober, err = m.open(ctx)
	}
	if err != nil {
		g.meter.close(ctx)
		return nil, err
	}
	return g, nil
}

func (g *gauge) close(ctx context.Context) {
	g.meter.close(ctx)
	g.prober.close(ctx)
}

func (g *gauge) begin(pass string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass = pass
}

// Observe opens and closes the steps.
func (g *gauge) Observe(event Event) {
	switch e := event.(type) {
	case StepEvent:
		lsn, bytes := g.read()
		g.mu.Lock()
		defer g.mu.Unlock()
		if !e.Done {
			g.lsn, g.bytes = lsn, bytes
			g.current = &RehearsedStep{Pass: g.pass, Name: e.Name, Undo: e.Undo}
			return
		}
		if g.current == nil {
			return
		}
		g.current.Elapsed, g.current.WALBytes, g.current.GrowthBytes = e.Elapsed, lsn-g.lsn, bytes-g.bytes
		if e.Err != nil {
			g.current.Err = e.Err.Error()
		}
		g.steps, g.current = append(g.steps, *g.current), nil
	case StatementEvent:
		g.mu.Lock()
		defer g.mu.Unlock()
		g.statement(e)
	}
}

func (g *gauge) statement(e StatementEvent) {
	switch {
	case !e.Done:
		g.retried = e.Elapsed // 0 at the beginning
		return
	case g.current == nil || e.Err != nil || !stopsWriters(e.Lock):
		return
	}
	if held := e.Elapsed - g.retried; held > g.current.Lock {
		g.current.Lock, g.current.LockSQL = held, e.SQL
	}
}

// stopsWriters: an UPDATE waits for this lock.
func stopsWriters(lock string) bool {
	switch lock {
	case ddl.AccessExclusive, "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE":
		return true
	}
	return false
}

// read is where the WAL ends and how large the table is. What cannot be read is
// measured as no change.
func (g *gauge) read() (lsn, bytes int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := g.meter.conn.QueryRow(ctx, `select (pg_current_wal_insert_lsn() - '0/0')::bigint, coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
		from (select to_regclass($1)::oid union select relid from pg_catalog.pg_partition_tree(to_regclass($1))) parts (oid)`, g.table.String()).Scan(&lsn, &bytes)
	if err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.lsn, g.bytes
	}
	return lsn, bytes
}

// beside runs work with something at its side, and returns when both have ended.
func (g *gauge) beside(ctx context.Context, side, work func(context.Context) error) error {
	sideCtx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- side(sideCtx) }()
	err := work(ctx)
	stop()
	if sideErr := <-ended; sideErr != nil && !errors.Is(sideErr, context.Canceled) {
		err = errors.Join(err, sideErr)
	}
	return err
}

// probe reads the table, and takes the lock of a write, again and again.
func (g *gauge) probe(ctx context.Context) error {
	for {
		began := time.Now()
		for _, sql := range []string{"select from " + g.table.String() + " limit 1",
			"begin; lock table only " + g.table.String() + " in row exclusive mode; rollback"} {
			if _, err := g.prober.conn.Exec(ctx, sql); err != nil {
				if ctx.Err() != nil {
					return nil //nolint:nilerr // it was told to end
				}
				return fmt.Errorf("probe: %w", err)
			}
		}
		took := time.Since(began)
		g.mu.Lock()
		g.traffic.Probes++
		if g.current != nil {
			g.current.Stall = max(g.current.Stall, took)
		}
		g.mu.Unlock()
		if sleep(ctx, probeEvery) != nil {
			return nil //nolint:nilerr // it was told to end
		}
	}
}

func (g *gauge) report(sql string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.traffic.Statements++
	if err == nil {
		return
	}
	g.traffic.Errors++
	sample := fmt.Sprintf("%s: %v", sql, err)
	if len(g.traffic.Samples) < errorSamples && !slices.Contains(g.traffic.Samples, sample) {
		g.traffic.Samples = append(g.traffic.Samples, sample)
	}
}
