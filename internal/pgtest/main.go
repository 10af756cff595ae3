package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pgcrossfade/crossfade/internal/postgres"
	"go.uber.org/goleak"
)

// EnvRequire makes tests fail where there is no PostgreSQL, when it is "1".
const EnvRequire = "CROSSFADE_REQUIRE_POSTGRES"

// startTimeout leaves time for a download.
const startTimeout = 5 * time.Minute

// Main runs the tests, stops the shared server and exits; it fails when
// goroutines are left, other than those that ignore names. Call it from TestMain.
func Main(m *testing.M, ignore ...goleak.Option) {
	code := m.Run()
	examples.end()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = max(code, 1)
	}
	// After a failure, leaks are likely and beside the point.
	if code == 0 {
		if err := goleak.Find(ignore...); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// Server starts a server for this test alone, which it may kill and restart,
// and stops it at cleanup. The server is small; parameters are further
// settings of postgresql.conf, or nil.
func Server(t testing.TB, parameters map[string]string) *postgres.Server {
	t.Helper()
	settings := map[string]string{
		"max_connections": "30",
		"shared_buffers":  "16MB",
	}
	for name, value := range parameters {
		settings[name] = value
	}
	server, err := start(postgres.Config{Private: true, Parameters: settings})
	require(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func start(c postgres.Config) (*postgres.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c.Log = os.Stderr
	return postgres.Start(ctx, c)
}

// require skips the test when there is no PostgreSQL.
func require(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, postgres.ErrNoPostgres) && os.Getenv(EnvRequire) != "1":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// shared is the server of this test binary.
var shared sharedServer

type sharedServer struct {
	once      sync.Once
	server    *postgres.Server
	err       error
	templates templates
}

// get starts the server for the first test that needs it.
func (s *sharedServer) get(t testing.TB) *postgres.Server {
	t.Helper()
	s.once.Do(s.start)
	require(t, s.err)
	return s.server
}

func (s *sharedServer) start() {
	s.server, s.err = start(postgres.Config{Parameters: map[string]string{
		"max_connections":           "400",
		"max_prepared_transactions": "20",
		"max_replication_slots":     "20",
		"max_wal_senders":           "20",
		"shared_buffers":            "128MB",
	}})
}

func (s *sharedServer) stop() error {
	if s.server == nil {
		return nil
	}
	if os.Getenv(postgres.EnvURL) == "" {
		return s.server.Stop() // and with it the templates
	}
	return s.templates.drop(s.server)
}
