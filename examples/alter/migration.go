package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// migration drives the operations.
type migration struct {
	migrator *migrator.Migrator
	filled   int64 // rows
	counted  int64 // rows
}

func newMigration(url string) (*migration, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	m := &migration{}
	m.migrator, err = migrator.New(config, migrator.Config{Observer: m, Actor: "examples/alter", Logger: slog.New(slog.DiscardHandler)})
	return m, err
}

// Observe adds up what the scans have done. It is called by one goroutine at a
// time, and ends before the call of the migrator does.
func (m *migration) Observe(event migrator.Event) {
	if e, ok := event.(migrator.BatchEvent); ok && e.Progress.Finished {
		if e.Progress.Job == "verify" {
			m.counted += e.Progress.RowsScanned
		} else {
			m.filled += e.Progress.RowsChanged
		}
	}
}

// run does every operation, takes it back, and does it again for good.
func (m *migration) run(ctx context.Context) error {
	if err := m.migrator.Init(ctx, migrator.InitOptions{}); err != nil {
		return err
	}
	for _, t := range operations {
		t.Table = "orders"
		began := time.Now()
		if err := m.operation(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		fmt.Fprintf(os.Stderr, "%-36s  done, taken back and done again in %5d ms\n", t.Does(), time.Since(began).Milliseconds())
	}
	return nil
}

func (m *migration) operation(ctx context.Context, t migrator.Transition) error {
	if _, err := m.migrator.Start(ctx, t); err != nil {
		return err
	}
	if _, err := m.migrator.Run(ctx, t.Name, migrator.RunOptions{}); err != nil {
		return err
	}
	if _, err := m.migrator.Rollback(ctx, t.Name, migrator.RollbackOptions{}); err != nil {
		return err
	}
	p, err := m.migrator.Run(ctx, t.Name, migrator.RunOptions{})
	if err != nil {
		return err
	}
	if !p.Ended { // only what drops something has a step beyond the way back
		if _, err := m.migrator.Contract(ctx, t.Name, migrator.ContractOptions{Snapshot: migrator.NoSnapshot}); err != nil {
			return err
		}
	}
	return m.migrator.Remove(ctx, t.Name)
}
