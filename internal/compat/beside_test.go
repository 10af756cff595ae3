package compat

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/golang-migrate/migrate/v4"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5/stdlib"
	tern "github.com/jackc/tern/v2/migrate"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
)

const besideNote = "on a connection without the hook, whose `application_name` is in `ignore_applications`"

// beside are tools that run their own migrations while columns move.
var beside = []subject{
	{"Migration tools beside it", "goose", "github.com/pressly/goose/v3", besideGoose},
	{"Migration tools beside it", "golang-migrate, database/pgx/v5", "github.com/golang-migrate/migrate/v4", besideMigrate},
	{"Migration tools beside it", "tern", "github.com/jackc/tern/v2", besideTern},
}

// migrations is how many steps a tool gets: one before init, one in off, one
// after each move.
var migrations = len(way) + 2

// noteTable references a table that moves.
func noteTable(n int) string {
	return fmt.Sprintf("create table note_%d (id bigint primary key, user_id bigint references users)", n)
}

func besideGoose(t *testing.T) outcome {
	j := newJourney(t, "")
	files := fstest.MapFS{}
	for n := 1; n <= migrations; n++ {
		files[fmt.Sprintf("%03d_note.sql", n)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + noteTable(n) + ";\n")}
	}
	db := stdlib.OpenDBFromPool(j.plainPool())
	defer func() { require.NoError(t, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	require.NoError(t, err)
	j.travel(func(where string) {
		_, err := provider.UpByOne(t.Context())
		require.NoError(t, err, where)
	})
	version, err := provider.GetDBVersion(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, migrations, version)
	return outcome{worksWith, besideNote}
}

func besideMigrate(t *testing.T) outcome {
	j := newJourney(t, "")
	files := fstest.MapFS{}
	for n := 1; n <= migrations; n++ {
		files[fmt.Sprintf("%03d_note.up.sql", n)] = &fstest.MapFile{Data: []byte(noteTable(n))}
	}
	source, err := iofs.New(files, ".")
	require.NoError(t, err)
	driver, err := migratepgx.WithInstance(stdlib.OpenDBFromPool(j.plainPool()), &migratepgx.Config{})
	require.NoError(t, err)
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	require.NoError(t, err)
	defer func() { _, _ = m.Close() }()
	j.travel(func(where string) { require.NoError(t, m.Steps(1), where) })
	version, dirty, err := m.Version()
	require.NoError(t, err)
	require.False(t, dirty)
	require.EqualValues(t, migrations, version)
	return outcome{worksWith, besideNote}
}

func besideTern(t *testing.T) outcome {
	j := newJourney(t, "")
	m, err := tern.NewMigrator(t.Context(), j.audit, "public.schema_version")
	require.NoError(t, err)
	for n := 1; n <= migrations; n++ {
		m.AppendMigration(fmt.Sprintf("note %d", n), noteTable(n), "")
	}
	next := int32(0)
	j.travel(func(where string) {
		next++
		require.NoError(t, m.MigrateTo(t.Context(), next), where)
	})
	version, err := m.GetCurrentVersion(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, migrations, version)
	return outcome{worksWith, besideNote}
}
