//go:build unix

package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/internal/postgres"
)

// Standby starts a streaming standby of the server of db, which [Server] has
// started, and returns the same database there. It is stopped at cleanup.
func Standby(t testing.TB, db *DB) *DB {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "standby")
	backup(t, db, dir)
	GiveToServer(t, db, dir)
	server, err := start(postgres.Config{Private: true, DataDir: dir, Parameters: map[string]string{"primary_conninfo": db.URL}})
	require(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &DB{URL: server.URL(db.Config(t).Database), Name: db.Name}
}

// GiveToServer makes dir, below a directory of the test, the property of the
// account that the server of db runs as: it is another one when the test runs as
// root. It returns the account.
func GiveToServer(t testing.TB, db *DB, dir string) (uid, gid uint32) {
	t.Helper()
	info, err := os.Stat(ask(t, db, `show data_directory`))
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() != 0 {
		return owner.Uid, owner.Gid
	}
	for parent := filepath.Dir(dir); parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil { //nolint:gosec // a test's directory
			t.Fatal(err)
		}
	}
	if err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}); err != nil {
		t.Fatal(err)
	}
	return owner.Uid, owner.Gid
}

func ask(t testing.TB, db *DB, query string) (answer string) {
	t.Helper()
	if err := withConn(db.URL, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, query).Scan(&answer)
	}); err != nil {
		t.Fatalf("ask %q: %v", query, err)
	}
	return answer
}
