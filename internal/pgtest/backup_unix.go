//go:build unix

package pgtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// emptied are the directories of a data directory that a base backup has
// without what is in them. WAL comes last, when the backup has ended.
var emptied = map[string]bool{
	"pg_dynshmem": true, "pg_notify": true, "pg_replslot": true, "pg_serial": true, "pg_snapshots": true,
	"pg_stat_tmp": true, "pg_subtrans": true, "pg_wal": true,
}

// backup makes dir a copy of the server of db that starts as a standby. It is what
// pg_basebackup does, which not every package of PostgreSQL has.
func backup(t testing.TB, db *DB, dir string) {
	t.Helper()
	if err := withConn(db.URL, func(ctx context.Context, conn *pgx.Conn) error {
		start, stop := `select pg_backup_start('standby', true)`, `select labelfile from pg_backup_stop(false)`
		var version int
		var data, label string
		const ask = `select current_setting('server_version_num')::int, current_setting('data_directory')`
		if err := conn.QueryRow(ctx, ask).Scan(&version, &data); err != nil {
			return err
		}
		if version < 150000 {
			start, stop = `select pg_start_backup('standby', true, false)`, `select labelfile from pg_stop_backup(false, false)`
		}
		if _, err := conn.Exec(ctx, start); err != nil {
			return err
		}
		if err := copyTree(data, dir, emptied); err != nil {
			return err
		}
		if err := conn.QueryRow(ctx, stop).Scan(&label); err != nil {
			return err
		}
		return errors.Join(
			copyTree(filepath.Join(data, "pg_wal"), filepath.Join(dir, "pg_wal"), nil),
			os.WriteFile(filepath.Join(dir, "backup_label"), []byte(label), 0o600),
			os.WriteFile(filepath.Join(dir, "standby.signal"), nil, 0o600))
	}); err != nil {
		t.Fatalf("make a base backup: %v", err)
	}
}

// copyTree copies a directory of a running server, without what is in the
// directories named by emptied.
func copyTree(from, to string, emptied map[string]bool) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		} else if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if err := os.MkdirAll(filepath.Join(to, name), 0o700); err != nil || !emptied[name] {
				return err
			}
			return fs.SkipDir
		}
		if name == "postmaster.pid" || name == "postmaster.opts" {
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o600)
	})
}
