// Package flags runs the recipes of docs/flags.md: a transition on a real PostgreSQL
// is led by Migrator.Follow through what a flag system says. It is a module of its own,
// so that no other one loads these systems.
package flags

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// Name is the transition, Key its flag.
const (
	Name = "users-name"
	Key  = "crossfade.users-name"
)

// Journey is a transition that stands in phase off.
type Journey struct {
	t *testing.T
	m *migrator.Migrator
}

// NewJourney makes a database and starts a transition in it.
func NewJourney(t *testing.T) *Journey {
	t.Helper()
	db := pgtest.NewFrom(t, `
		create table users (id bigint generated always as identity primary key, full_name text not null);
		insert into users (full_name) select 'user ' || i from generate_series(1, 100) i;
		analyze users`)
	m, err := migrator.New(db.Config(t), migrator.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), PollInterval: 5 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, m.Init(t.Context(), migrator.InitOptions{}))
	_, err = m.Start(t.Context(), migrator.Transition{Name: Name, Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"}})
	require.NoError(t, err)
	return &Journey{t, m}
}

// Follow follows a source until the test ends. With a poll of an hour it sees only
// what the source tells of.
func (j *Journey) Follow(source migrator.Source, poll time.Duration) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- j.m.Follow(ctx, migrator.FollowOptions{Source: source, Settle: time.Millisecond, Poll: poll})
	}()
	j.t.Cleanup(func() {
		stop()
		require.ErrorIs(j.t, <-ended, context.Canceled)
	})
}

func (j *Journey) status() migrator.Status {
	j.t.Helper()
	list, err := j.m.Status(context.Background(), migrator.StatusOptions{Name: Name, Events: 1000})
	require.NoError(j.t, err)
	return list[0]
}

// Granted waits until a stage, such as live or live:25, has been granted.
func (j *Journey) Granted(stage string) migrator.Status {
	j.t.Helper()
	pgtest.WaitFor(j.t, stage+" to be granted", func() bool {
		r := j.status().Request
		return r != nil && r.Stage() == stage && r.GrantedAt != nil && r.HeldBy == ""
	})
	return j.status()
}

// Held waits until the request is held by something.
func (j *Journey) Held(by string) migrator.Status {
	j.t.Helper()
	pgtest.WaitFor(j.t, "the request to be held by "+by, func() bool {
		r := j.status().Request
		return r != nil && r.HeldBy == by
	})
	return j.status()
}

// Moves are the flips that there were.
func (j *Journey) Moves() (moves []string) {
	j.t.Helper()
	for _, e := range j.status().History {
		if e.Event == "move" {
			moves = append(moves, e.Detail)
		}
	}
	return moves
}

// There and Back are the moves from off to live, and from there to off.
var (
	There = []string{"off -> dualwrite", "dualwrite -> shadow", "shadow -> live"}
	Back  = []string{"live -> shadow", "shadow -> dualwrite", "dualwrite -> off"}
)
