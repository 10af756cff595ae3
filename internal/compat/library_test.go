package compat

import (
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

const sectionLibraries = "Libraries"

// libraries are shops.
var libraries = []subject{
	overPool("pgx: `*pgxpool.Pool`", "github.com/jackc/pgx/v5", func(_ *testing.T, pool *pgxpool.Pool) shop { return pgxShop{pool} }, ""),
	overSQL("`database/sql` with pgx/v5/stdlib", "github.com/jackc/pgx/v5", func(_ *testing.T, db *sql.DB) shop { return sqlShop{db} }, ""),
	overSQL("GORM, gorm.io/driver/postgres", "gorm.io/gorm", openGorm, "`postgres.Config{Conn: db}`, db from `hook.OpenDB`"),
	overSQL("bun, pgdialect", "github.com/uptrace/bun", openBun, "`bun.NewDB(db, pgdialect.New())`, db from `hook.OpenDB`; not with its own driver pgdriver"),
	overSQL("sqlx", "github.com/jmoiron/sqlx", openSqlx, "`sqlx.NewDb(db, \"pgx\")`, db from `hook.OpenDB`"),
}

// overPool is a library on a hooked *pgxpool.Pool. With a note, the note is
// the setting that it needs.
func overPool(name, module string, open func(*testing.T, *pgxpool.Pool) shop, note string) subject {
	return subject{sectionLibraries, name, module, func(t *testing.T) outcome {
		j := newJourney(t, "")
		j.run(open(t, j.pool(nil)))
		return verdictOf(note)
	}}
}

// overSQL is a library on a hooked *sql.DB.
func overSQL(name, module string, open func(*testing.T, *sql.DB) shop, note string) subject {
	return subject{sectionLibraries, name, module, func(t *testing.T) outcome {
		j := newJourney(t, "")
		j.run(open(t, j.sqlDB()))
		return verdictOf(note)
	}}
}

func verdictOf(note string) outcome {
	if note == "" {
		return outcome{works, ""}
	}
	return outcome{worksWith, note}
}

// pool opens a hooked pool with few connections; change may be nil.
func (j *journey) pool(change func(*pgxpool.Config)) *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(j.URL)
	require.NoError(j.t, err)
	config.MaxConns = 4
	if change != nil {
		change(config)
	}
	pool, err := j.hook.NewPool(j.t.Context(), config)
	require.NoError(j.t, err)
	j.t.Cleanup(pool.Close)
	return pool
}

func (j *journey) sqlDB() *sql.DB {
	db, err := j.hook.OpenDB(*j.Config(j.t))
	require.NoError(j.t, err)
	db.SetMaxOpenConns(4)
	j.t.Cleanup(func() { require.NoError(j.t, db.Close()) })
	return db
}
