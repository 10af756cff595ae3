package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/pgcrossfade/crossfade/migrator"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed users-name.yaml
var usersName []byte

// transition moves users.full_name to users.name.
func transition() (migrator.Transition, error) { return migrator.ParseTransition(usersName) }

// gooseUp applies the migrations up to a version, on a connection without the hook
// that does not outlive it.
func gooseUp(ctx context.Context, config *pgx.ConnConfig, version int64) (err error) {
	own := config.Copy()
	own.RuntimeParams["application_name"] = "goose"
	db := stdlib.OpenDB(*own)
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}

// migrate is what goes before a rollout: goose, then the transition, up to complete.
func migrate(ctx context.Context, config *pgx.ConnConfig, m *migrator.Migrator, version int64) error {
	if err := gooseUp(ctx, config, version); err != nil {
		return err
	}
	t, err := transition()
	if err != nil {
		return err
	}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		return err
	}
	if _, err := m.Start(ctx, t); err != nil && !errors.Is(err, migrator.ErrActive) {
		return err
	}
	_, err = m.Run(ctx, t.Name, migrator.RunOptions{})
	return err
}

// mayRollOut is the error that a rollout waits for, as of `crossfade check`; nil
// when it need not.
func mayRollOut(ctx context.Context, m *migrator.Migrator, phase migrator.Phase) error {
	t, err := transition()
	if err != nil {
		return err
	}
	list, err := m.Ready(ctx, []migrator.Want{{Transition: &t, Phase: phase}})
	if err != nil {
		return err
	}
	if c := list[0]; c.Readiness != migrator.Ready {
		return fmt.Errorf("%s is %s: %s", c.Name, c.Readiness, c.Why)
	}
	return nil
}
