package statuspage_test

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

var update = flag.Bool("update", false, "take the screenshot of the documentation anew")

func TestMain(m *testing.M) { pgtest.Main(m) }

var ctx = context.Background()

const users = `
	create table users (
		id bigint generated always as identity primary key,
		full_name text not null,
		email text not null);
	create index users_full_name_idx on users (full_name);
	insert into users (full_name, email) select 'user ' || i, i || '@example.org' from generate_series(1, 300) i;
	create table orders (id int primary key, amount int);
	insert into orders select i, i from generate_series(1, 20) i;
	analyze`

var (
	rename = migrator.Transition{Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"},
		IgnoreApplications: []string{"psql"}}
	widen = migrator.Transition{Name: "orders-amount", Table: "orders",
		Change: &migrator.Change{From: "amount", To: "amount_big", Type: "bigint"}, IgnoreApplications: []string{"psql"}}
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newMigrator(t testing.TB, db *pgtest.DB, c migrator.Config) *migrator.Migrator {
	t.Helper()
	c.Logger, c.Actor, c.PollInterval = quiet, "ada@ops-1", 5*time.Millisecond
	if c.DrainTimeout == 0 {
		c.DrainTimeout = time.Minute
	}
	m, err := migrator.New(db.Config(t), c)
	require.NoError(t, err)
	return m
}

// started is a database in which transitions have begun.
func started(t testing.TB, setup string, transitions ...migrator.Transition) (*pgtest.DB, *migrator.Migrator) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	for _, tr := range transitions {
		_, err := m.Start(ctx, tr)
		require.NoError(t, err)
	}
	return db, m
}

func run(t testing.TB, m *migrator.Migrator, name string, until migrator.Phase) {
	t.Helper()
	_, err := m.Run(ctx, name, migrator.RunOptions{Until: until, Snapshot: migrator.NoSnapshot})
	require.NoError(t, err)
}

// connect opens a session of an application without the hook, join one of an
// application with it.
func connect(t testing.TB, db *pgtest.DB, application string) *pgx.Conn {
	t.Helper()
	config := db.Config(t)
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return conn
}

func join(t testing.TB, db *pgtest.DB, application string) *pgx.Conn {
	t.Helper()
	conn := connect(t, db, application)
	_, err := fence.Join(ctx, conn.PgConn())
	require.NoError(t, err)
	return conn
}

// site is a page that is being served.
type site struct {
	t    testing.TB
	url  string
	http http.Client
}

// serve serves the page of a migrator's database until the test ends.
func serve(t testing.TB, m *migrator.Migrator, c statuspage.Config) *site {
	t.Helper()
	if c.Interval == 0 {
		c.Interval = 10 * time.Millisecond
	}
	c.Logger = quiet
	page, err := statuspage.New(m, c)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- page.Serve(serving, l) }()
	t.Cleanup(func() {
		stop()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	return at(t, "http://"+l.Addr().String())
}

// listen serves a handler that runs by itself.
func listen(t testing.TB, h http.Handler) *site {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return at(t, server.URL)
}

func at(t testing.TB, url string) *site {
	s := &site{t: t, url: url, http: http.Client{Transport: &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	t.Cleanup(s.http.CloseIdleConnections)
	return s
}

// answer is what came of a request.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends a request; change may alter it.
func (s *site) ask(method, path string, change ...func(*http.Request)) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, nil)
	require.NoError(s.t, err)
	for _, f := range change {
		f(r)
	}
	response, err := s.http.Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

// get waits until a page has what is wanted, and returns it.
func (s *site) get(path string, wanted ...string) string {
	s.t.Helper()
	var body string
	s.t.Cleanup(func() {
		if s.t.Failed() {
			_, missing := body, wanted
			for _, text := range missing {
				if !contains(body, text) {
					s.t.Logf("%s lacks %q:\n%s", path, text, body)
					return
				}
			}
		}
	})
	pgtest.WaitFor(s.t, "the page to show it", func() bool {
		body = s.ask("GET", path).body
		for _, text := range wanted {
			if !contains(body, text) {
				return false
			}
		}
		return true
	})
	return body
}

func contains(body, text string) bool { return strings.Contains(body, text) }

// background runs something until the function that it returns is called.
func background(t testing.TB, work func(context.Context)) (stop func()) {
	t.Helper()
	working, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); work(working) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}
