package compat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// auditor is the application_name of connections that no drain waits for.
const auditor = "auditor"

// moves are what happens below a shop, at the same time.
var moves = []migrator.Transition{
	{
		Name: "users-name", Table: "public.users", Rename: &migrator.Rename{From: "full_name", To: "name"},
		IgnoreApplications: []string{auditor},
	},
	{
		Name: "orders-cents", Table: "public.orders", Change: &migrator.Change{From: "cents", To: "amount", Type: "bigint"},
		IgnoreApplications: []string{auditor},
	},
}

// the way forward, back, forward again and to the end.
var way = []migrator.Phase{
	migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete,
	migrator.RampDown, migrator.Live, migrator.Shadow, migrator.DualWrite, migrator.Off,
	migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete, migrator.Contracted,
}

// journey is a database whose columns move, and an application with the hook.
type journey struct {
	*pgtest.DB
	t *testing.T
	// app is the URL that the application uses, where it is another one.
	app      string
	moves    []migrator.Transition
	hook     *dualwrite.Hook
	migrator *migrator.Migrator
	standbys []*pgx.ConnConfig
	audit    *pgx.Conn
	position migrator.Phase
}

// newJourney makes a database with the schema and more, in which nothing moves yet.
func newJourney(t *testing.T, more string) *journey {
	return newJourneyOn(t, pgtest.NewFrom(t, schema+more))
}

// newJourneyOn takes a database with the schema.
func newJourneyOn(t *testing.T, db *pgtest.DB) *journey {
	j := &journey{DB: db, t: t, app: db.URL, moves: moves}
	var err error
	const soon = 100 * time.Millisecond
	j.hook, err = dualwrite.New(dualwrite.Config{RecycleWithin: soon / 5, PollInterval: soon, AbsentInterval: soon, DriftInterval: soon})
	require.NoError(t, err)
	config := j.Config(t)
	config.RuntimeParams["application_name"] = auditor
	j.audit, err = pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.audit.Close(context.Background()) })
	j.migrate()
	return j
}

// migrate makes the migrator.
func (j *journey) migrate() {
	var err error
	j.migrator, err = migrator.New(j.Config(j.t), migrator.Config{
		Standbys: j.standbys,
		Actor:    "compat", Logger: slog.New(slog.DiscardHandler), DrainTimeout: patience, Throttle: migrator.ThrottleOff,
		Grace:        2 * time.Second, // an idle session that stays is fenced after it
		WritersQuiet: time.Nanosecond,
	})
	require.NoError(j.t, err)
}

// follow runs the hook until the test ends.
func (j *journey) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.hook.Run(ctx) }()
	j.t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			j.t.Errorf("Run returned %v", err)
		}
	})
}

// begin registers the transitions.
func (j *journey) begin() {
	ctx := j.t.Context()
	require.NoError(j.t, j.migrator.Init(ctx, migrator.InitOptions{}))
	for _, move := range j.moves {
		_, err := j.migrator.Start(ctx, move)
		require.NoError(j.t, err)
	}
	j.position = migrator.Off
}

// to goes to a phase, with one transition after the other.
func (j *journey) to(p migrator.Phase) {
	ctx := j.t.Context()
	for _, move := range j.moves {
		var err error
		if p.Before(j.position) {
			_, err = j.migrator.Rollback(ctx, move.Name, migrator.RollbackOptions{To: p})
		} else {
			_, err = j.migrator.Run(ctx, move.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		}
		require.NoError(j.t, err, "%s to %s", move.Name, p)
	}
	j.position = p
}

// travel goes the whole way. In each phase, and between, visit must return
// before it goes on.
func (j *journey) travel(visit func(where string)) {
	visit("before init")
	j.begin()
	visit("off")
	for i, p := range way {
		j.to(p)
		visit(fmt.Sprintf("%s, step %d", p, i+1))
	}
}

// run lets customers use the shop all the way, and looks at every row in the end.
func (j *journey) run(s shop) {
	j.follow()
	ctx, cancel := context.WithCancel(j.t.Context())
	defer cancel()
	customers := []*customer{newCustomer(s, "ada"), newCustomer(s, "grace")}
	ended := make(chan error, len(customers))
	for _, c := range customers {
		go func() { ended <- c.use(ctx) }()
	}
	running := len(customers)
	j.travel(func(where string) {
		// What began before the flip may end in either phase: two more turns.
		var enough []int64
		for _, c := range customers {
			enough = append(enough, c.turns.Load()+2)
		}
		pgtest.WaitFor(j.t, "the customers in "+where, func() bool {
			select {
			case err := <-ended:
				running--
				require.NoError(j.t, err, "in "+where)
			default:
			}
			for i, c := range customers {
				if c.turns.Load() < enough[i] {
					return false
				}
			}
			return true
		})
	})
	cancel()
	for range running {
		require.NoError(j.t, <-ended)
	}
	require.Zero(j.t, j.hook.Stats().Stale, "statements failed because their phase had ended")
	j.compare(customers)
}

// compare reads the tables as they are after contract, without the hook.
func (j *journey) compare(customers []*customer) {
	ctx := j.t.Context()
	var users []User
	var orders []int32
	bought := map[int64][]int32{}
	for _, c := range customers {
		users = append(users, c.kept...)
		for id, cents := range c.bought {
			bought[id] = cents
		}
	}
	rows, _ := j.audit.Query(ctx, `select id, name as full_name, email, visits from users order by name collate "C"`)
	got, err := pgx.CollectRows(rows, pgx.RowToStructByName[User])
	require.NoError(j.t, err)
	users = sorted(users...)
	require.Equal(j.t, users, got)
	for _, u := range users {
		orders = append(orders, bought[u.ID]...)
	}
	rows, _ = j.audit.Query(ctx, `select amount::int from orders o join users u on u.id = o.user_id order by u.name collate "C", o.id`)
	amounts, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	require.NoError(j.t, err)
	require.Equal(j.t, orders, amounts)
}
