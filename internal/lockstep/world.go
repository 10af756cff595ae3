package lockstep

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// State is an expanded database as it can be.
type State struct {
	Name  string
	Phase phase.Phase
	// Bare: the targets do not exist yet.
	Bare bool
}

// States are the states that a kind of transition goes through. A column that
// takes the name of its source has another type than that as a rule, and then the
// original has nothing to say; where it has not, it must look as if nothing had
// happened.
func (k Kind) States() []State {
	states := []State{{"off, no target yet", phase.Off, true}}
	for _, p := range phase.All() {
		states = append(states, State{Name: string(p), Phase: p})
	}
	if !slices.ContainsFunc(k.Moves, func(m Move) bool { return !m.Identity() }) {
		states = append(states, State{Name: string(phase.Named), Phase: phase.Named})
	}
	return states
}

// World is a schema several times over, on one server: as it was, and expanded.
type World struct {
	Kind     Kind
	Original *Side
	Expanded []*Side
	// steps counts what has been run, so that sequences never stand where they
	// stood before.
	steps int
}

// Dial opens a connection for the statements under test.
type Dial func(t testing.TB, db *pgtest.DB) *Side

// NewWorld makes the databases: the original and one for each state. The
// expanded ones are reached through dial.
func NewWorld(t testing.TB, k Kind, states []State, dial Dial) *World {
	w := &World{Kind: k}
	setup := k.Setup()
	original := pgtest.NewFrom(t, setup)
	original.Exec(t, k.look("")+k.restore())
	w.Original = Plain(t, original)
	w.Original.Name = "original"
	for _, s := range states {
		db := pgtest.NewFrom(t, setup)
		expand(t, db, k, s)
		side := dial(t, db)
		side.Name, side.Spelling = s.Name, Expanded
		explaining(t, db, side)
		w.Expanded = append(w.Expanded, side)
	}
	return w
}

// Plain opens a connection without a hook. Times are shown in a zone that no
// expression names.
func Plain(t testing.TB, db *pgtest.DB) *Side {
	config := db.Config(t)
	config.RuntimeParams["timezone"] = Zone
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return &Side{Conn: conn}
}

// Zone is the time zone of every connection.
const Zone = "Asia/Kolkata"

// expand makes a database what it is in a state, with a ledger that says so.
func expand(t testing.TB, db *pgtest.DB, k Kind, s State) {
	ctx := t.Context()
	db.Exec(t, k.expansion(s.Phase, !s.Bare)+k.look(s.Phase)+k.restore())
	conn := db.Conn(t)
	check := func(err error) {
		if err != nil {
			t.Fatalf("set up %s, %s: %v", k.Name, s.Name, err)
		}
	}
	check(ledger.Migrate(ctx, conn, nil))
	for i, m := range k.Moves {
		tr := m.transition(k, i)
		tr.Definition.KeepName = s.Phase == phase.Named
		check(ledger.Register(ctx, conn, &tr, event("register")))
		for tr.Phase != s.Phase {
			check(advance(ctx, conn, &tr))
		}
	}
	check(conn.Close(ctx))
}

func event(name string) ledger.Event { return ledger.Event{Actor: "lockstep", Event: name} }

// advance takes a transition to the next phase. Nobody has joined yet.
func advance(ctx context.Context, conn *pgx.Conn, tr *ledger.Transition) error {
	next, ok := tr.Phase.Next()
	if !ok {
		return keep(ctx, conn, tr)
	}
	if err := ledger.Move(ctx, conn, tr, next, event("move")); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return ledger.Drained(ctx, tx, tr, event("drained"))
	})
}

// keep takes a contracted transition to the phase named. Nobody waits to join.
func keep(ctx context.Context, conn *pgx.Conn, tr *ledger.Transition) error {
	if err := ledger.Hold(ctx, conn, tr, time.Minute, event("hold")); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return ledger.Name(ctx, tx, tr, time.Second, event("move"))
	})
}

// transition is the move as the migrator would register it.
func (m Move) transition(k Kind, number int) ledger.Transition {
	move := m.Move
	move.Sources = append(move.Sources[:0:0], move.Sources...)
	for _, t := range k.Tables() {
		if t.Schema != "public" || t.Name != m.Table {
			continue
		}
		for i := range move.Sources {
			for at, c := range t.Columns {
				if c.Name == move.Sources[i].Name {
					move.Sources[i].Position = at + 1
				}
			}
		}
	}
	definition := ledger.Definition{Move: move, Key: []string{"id"}, KeyTypes: []string{"bigint"}}
	if m.Key {
		definition.Key, definition.KeyTypes = m.SourceNames(), []string{m.Sources[0].Type}
		definition.PrimaryKey = &ledger.PrimaryKey{Constraint: keyName(m.Table),
			Create: fmt.Sprintf("create unique index concurrently on public.%s using btree (%s)", m.Table, quoted(m.Targets[0].Name))}
	}
	if m.Unique {
		source, target := uniqueName(m.Table, m.Sources[0].Name), uniqueName(m.Table, m.Targets[0].Name)
		definition.Indexes = []ledger.Index{{
			Name: source, Target: target, Constraint: source, TargetConstraint: target,
			Create: fmt.Sprintf("create unique index concurrently %s on public.%s (%s)", quoted(target), m.Table, quoted(m.Targets[0].Name)),
		}}
	}
	return ledger.Transition{
		Name:   fmt.Sprintf("%s.%s.%d", m.Table, strings.Join(m.SourceNames(), "."), number),
		Schema: "public", Table: m.Table, Definition: definition,
	}
}
