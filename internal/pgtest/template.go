package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/internal/postgres"
)

// prefix keeps the names of test binaries that share a server apart.
var prefix = "crossfade_" + strings.ToLower(rand.Text()[:8])

var lastNumber atomic.Int64

// newName returns a name for a database that no other has.
func newName() string { return fmt.Sprintf("%s_%d", prefix, lastNumber.Add(1)) }

// templates are the databases to clone, one for each setup script.
type templates struct {
	mu      sync.Mutex // guards bySetup
	bySetup map[[sha256.Size]byte]*template
}

type template struct {
	once sync.Once
	name string
	err  error
}

// get returns the name of the template that setup has filled, making it for
// the first test that asks.
func (ts *templates) get(t testing.TB, server *postgres.Server, setup string) string {
	t.Helper()
	ts.mu.Lock()
	if ts.bySetup == nil {
		ts.bySetup = map[[sha256.Size]byte]*template{}
	}
	key := sha256.Sum256([]byte(setup))
	made := ts.bySetup[key]
	if made == nil {
		made = &template{name: newName()}
		ts.bySetup[key] = made
	}
	ts.mu.Unlock()

	made.once.Do(func() { made.err = makeTemplate(server, made.name, setup) })
	if made.err != nil {
		t.Fatalf("set up template database: %v", made.err)
	}
	return made.name
}

func makeTemplate(server *postgres.Server, name, setup string) error {
	if err := createDatabase(server, name, "template0"); err != nil {
		return err
	}
	return withConn(server.URL(name), func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, setup)
		return err
	})
}

// drop drops the templates, which matters on a server that lives on.
func (ts *templates) drop(server *postgres.Server) error {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	var errs []error
	for _, made := range ts.bySetup {
		errs = append(errs, dropDatabase(server, made.name))
	}
	return errors.Join(errs...)
}
