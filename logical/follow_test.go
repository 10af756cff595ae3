package logical

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestChangesComeInCommitOrder(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	var got batches
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		_ = got.apply(ctx, tx, b)
		return record(ctx, tx, b)
	}
	tailer := setUp(t, config)
	before := time.Now().Add(-time.Minute)
	a, b := db.Conn(t), db.Conn(t)
	ctx := t.Context()
	// The one that begins first commits last.
	tx, err := a.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `insert into item values (1, 'a')`)
	require.NoError(t, err)
	_, err = b.Exec(ctx, `insert into item values (2, 'b')`)
	require.NoError(t, err)
	var xid int64
	require.NoError(t, tx.QueryRow(ctx, `select txid_current()`).Scan(&xid))
	require.NoError(t, tx.Commit(ctx))
	for _, sql := range []string{
		`update item set body = 'c' where id = 1`,
		`update item set id = 3 where id = 1`,
		`delete from item where id = 2`,
		`truncate item`,
	} {
		db.Exec(t, sql)
	}
	r := start(t, tailer)
	barrier(t, tailer)
	require.Equal(t, []string{"insert item 2", "insert item 1", "update item 1", "update item 3 <1", "delete item 2", "truncate item"}, seen(t, db))
	var whole Batch // where it is cut is for the moment to decide
	for _, b := range got.all() {
		whole.Changes = append(whole.Changes, b.Changes...)
	}
	second := whole.Changes[1]
	require.Equal(t, uint32(xid), second.Transaction.XID)
	require.Greater(t, second.Transaction.Commit, whole.Changes[0].Transaction.Commit)
	require.True(t, second.Transaction.Time.After(before))
	require.Equal(t, []string{"id"}, second.Relation.Key)
	require.Equal(t, [][]string{{"2", "1", "3"}}, whole.Keys(Table{Name: "item"}))
	r.stop(t)
	require.Equal(t, Stopped, tailer.Status().State)
}

func TestMessagesComeInCommitOrder(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	if major(t, db.Conn(t)) < 14 {
		t.Skip("pgoutput sends no messages before PostgreSQL 14")
	}
	var got batches
	config.Apply = got.apply
	tailer := setUp(t, config)
	db.Exec(t, `insert into item values (1)`)
	db.Exec(t, `select pg_logical_emit_message(false, 'mine', 'out of order')`)
	db.Exec(t, `select pg_logical_emit_message(true, 'mine', 'content')`)
	db.Exec(t, `insert into item values (2)`)
	start(t, tailer)
	barrier(t, tailer)
	var order []string
	for _, b := range got.all() {
		for _, c := range b.Changes {
			order = append(order, string(c.Kind)+c.Prefix+string(c.Content))
		}
	}
	require.Equal(t, []string{"insert", "messageminecontent", "insert", "message" + MarkerPrefix}, order)
}

// A row of 10 kB of which the update leaves the large value out of the log, and
// a key that is itself stored out of line.
func TestUnchangedTOAST(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, `
		create table item (id text primary key, body text, note text);
		alter table item alter id set storage external, alter body set storage external;
		create table seen (n bigserial primary key, kind text, name text, key text, old text, commit bigint, xid bigint);`)
	key := make([]byte, 1200)
	_, err := rand.Read(key)
	require.NoError(t, err)
	id := hex.EncodeToString(key)
	db.Exec(t, `insert into item values ($1, repeat('x', 10000))`, id)
	tailer := setUp(t, config)
	db.Exec(t, `update item set note = 'n'`)
	db.Exec(t, `update item set id = 'short'`)
	db.Exec(t, `delete from item`)
	start(t, tailer)
	barrier(t, tailer)
	require.Equal(t, []string{"update item " + id, "update item short <" + id, "delete item short"}, seen(t, db))
}

func TestReplicaIdentities(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema+`
		create table "Odd ""name""" (b int, "K,ey" text not null, extra text, a int, primary key (a, b));
		create unique index odd on "Odd ""name""" ("K,ey");
		alter table "Odd ""name""" replica identity using index odd;
		create table whole (x text, id int primary key, y text);
		alter table whole replica identity full;`)
	config.Tables = append(config.Tables, Table{Schema: "public", Name: `Odd "name"`}, Table{Name: "whole"})
	config.Publication = `It's "odd", too`
	tailer := setUp(t, config)
	db.Exec(t, `insert into "Odd ""name""" values (1, 'k', 'e', 2); update "Odd ""name""" set extra = 'f'; update "Odd ""name""" set "K,ey" = 'l'`)
	db.Exec(t, `insert into whole values ('x', 1); update whole set y = 'y'; update whole set id = 2; delete from whole`)
	start(t, tailer)
	barrier(t, tailer)
	require.Equal(t, []string{
		`insert Odd "name" k`, `update Odd "name" k`, `update Odd "name" l <k`,
		"insert whole 1", "update whole 1", "update whole 2 <1", "delete whole 2",
	}, seen(t, db))
}

func TestTableChangesInMidStream(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailer := setUp(t, config)
	r := start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	for _, sql := range []string{
		`alter table item add column first int`, `insert into item values (2)`,
		`alter table item drop column body`, `insert into item values (3)`,
		`alter table item rename column id to key`, `insert into item values (4)`,
		`alter table item alter note type varchar(100)`, `insert into item values (5)`,
		`alter table item replica identity full`,
	} {
		db.Exec(t, sql)
	}
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 5), seen(t, db))
	r.stop(t)
	// It was decoded by what the catalog was, not by what it has become.
	db.Exec(t, `alter table item replica identity default; insert into item values (6); alter table item rename key to id; insert into item values (7)`)
	start(t, tailer)
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 7), seen(t, db))
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	const partitioned = `
		create table item (id int primary key, body text) partition by range (id);
		create table item_low partition of item for values from (0) to (100);
		create table item_high (body text, id int primary key);
		alter table item attach partition item_high for values from (100) to (200);
		create table seen (n bigserial primary key, kind text, name text, key text, old text, commit bigint, xid bigint);`
	for name, want := range map[string][]string{
		"root":   {"insert item 1", "insert item 150", "insert item 2", "update item 150 <1", "truncate item"},
		"leaves": {"insert item_low 1", "insert item_high 150", "insert item_low 2", "delete item_low 1", "insert item_high 151", "truncate item_low", "truncate item_low", "truncate item_high"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, config := newDB(t, partitioned)
			config.NameLeaves = name == "leaves"
			tailer := setUp(t, config)
			db.Exec(t, `insert into item values (1), (150); insert into item_low values (2); update item set id = 151 where id = 1; truncate item_low; truncate item`)
			start(t, tailer)
			barrier(t, tailer)
			got := seen(t, db)
			if name == "root" {
				// A row that moves is deleted there and inserted here.
				require.Equal(t, []string{"insert item 1", "insert item 150", "insert item 2", "delete item 1", "insert item 151", "truncate item"}, got)
				return
			}
			require.ElementsMatch(t, want, got)
		})
	}
}

func TestSubtransactionsAndPrepared(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailer := setUp(t, config)
	start(t, tailer)
	db.Exec(t, `begin; insert into item values (1); savepoint a; insert into item values (2); rollback to a; insert into item values (3);
		savepoint b; insert into item values (4); release b; commit`)
	db.Exec(t, `begin; insert into item values (90); rollback`)
	db.Exec(t, `begin; insert into item values (10); prepare transaction '`+db.Name+`'`)
	db.Exec(t, `insert into item values (5)`)
	barrier(t, tailer)
	want := []string{"insert item 1", "insert item 3", "insert item 4", "insert item 5"}
	require.Equal(t, want, seen(t, db), "a prepared transaction is not one yet")
	db.Exec(t, `commit prepared '`+db.Name+`'`)
	barrier(t, tailer)
	require.Equal(t, append(want, "insert item 10"), seen(t, db))
}

// Own writes to a followed table come back once.
func TestEchoEnds(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		keys := b.Keys(Table{Name: "item"})
		if keys != nil {
			_, err := tx.Exec(ctx, `update item set note = upper(body)
				where id = any($1::text[]::int[]) and note is distinct from upper(body)`, keys[0])
			if err != nil {
				return err
			}
		}
		return record(ctx, tx, b)
	}
	tailer := setUp(t, config)
	start(t, tailer)
	conn := db.Conn(t)
	for i := range 20 {
		_, err := conn.Exec(t.Context(), `insert into item values ($1, 'a')`, i)
		require.NoError(t, err)
	}
	barrier(t, tailer)
	barrier(t, tailer) // the echo
	barrier(t, tailer)
	require.Equal(t, 20, one[int](t, conn, `select count(*)::int from item where note = 'A'`))
	require.Equal(t, 20, one[int](t, conn, `select count(*)::int from seen where kind = 'update'`))
}

func TestTemporarySlot(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	config.Temporary = true
	streaming := make(chan struct{}, 1)
	config.OnStatus = func(s Status) {
		assert.Equal(t, Streaming, s.State)
		signal(streaming)
	}
	tailer := newTailer(t, config)
	r := start(t, tailer)
	<-streaming
	db.Exec(t, `insert into item values (1)`)
	conn := db.Conn(t)
	count := func() int { return one[int](t, conn, `select count(*)::int from seen`) }
	pgtest.WaitFor(t, "the change", func() bool { return count() == 1 })
	require.Nil(t, one[*string](t, conn, `select to_regclass('crossfade_logical.position')::text`), "nothing is stored")
	db.Exec(t, `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1`, config.Slot)
	requireLost(t, r.wait(t), Disconnected)
	pgtest.WaitFor(t, "the slot to go", func() bool {
		return one[int](t, conn, `select count(*)::int from pg_replication_slots where slot_name = $1`, config.Slot) == 0
	})
	require.NoError(t, tailer.Drop(t.Context()))
}

func TestSetupAndDropAreIdempotent(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema+`create table other (id int primary key)`)
	tailer := newTailer(t, config)
	for range 2 {
		require.NoError(t, tailer.Setup(t.Context()))
	}
	conn := db.Conn(t)
	confirmed := one[string](t, conn, `select confirmed_flush_lsn::text from pg_replication_slots where slot_name = $1`, config.Slot)
	require.Equal(t, confirmed, one[string](t, conn, `select lsn::text from crossfade_logical.position`))

	// A crash between the slot and its position.
	db.Exec(t, `drop schema crossfade_logical cascade`)
	require.NoError(t, tailer.Setup(t.Context()))
	require.Equal(t, confirmed, one[string](t, conn, `select lsn::text from crossfade_logical.position`))

	// Another list of tables.
	config.Tables = []Table{{Name: "other"}, {Name: "item"}}
	config.NameLeaves = true
	require.NoError(t, newTailer(t, config).Setup(t.Context()))
	require.Equal(t, []string{"item", "other"}, strs(t, conn, `select tablename::text from pg_publication_tables where pubname = $1 order by 1`, config.Slot))

	for range 2 {
		require.NoError(t, tailer.Drop(t.Context()))
	}
	require.Zero(t, one[int](t, conn, `select (select count(*) from pg_replication_slots where slot_name = $1)::int +
		(select count(*) from pg_publication)::int + (select count(*) from crossfade_logical.position)::int`, config.Slot))
}

func TestConcurrentSetup(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	errs := make(chan error)
	for range 4 {
		go func() {
			tailer, err := New(config)
			if err == nil {
				err = tailer.Setup(context.Background())
			}
			errs <- err
		}()
	}
	succeeded := 0
	for range 4 {
		if err := <-errs; err == nil {
			succeeded++
		} else {
			t.Log(err)
		}
	}
	require.Equal(t, 4, succeeded)
	conn := db.Conn(t)
	require.NotEqual(t, "0/0", one[string](t, conn, `select lsn::text from crossfade_logical.position`))
}

func TestPublicationOfOthersIsLeftAlone(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	db.Exec(t, `create publication theirs for table item`)
	config.Publication = "theirs"
	requireRefused(t, newTailer(t, config).Setup(t.Context()), Publication)

	config.Tables = nil
	tailer := setUp(t, config)
	r := start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 1), seen(t, db))
	r.stop(t)
	require.NoError(t, tailer.Drop(t.Context()))
	require.Equal(t, 1, one[int](t, db.Conn(t), `select count(*)::int from pg_publication`))

	config.Publication = "none"
	requireRefused(t, newTailer(t, config).Check(t.Context()), Publication)
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	conn, err := pgx.ParseConfig("postgres://localhost/none")
	require.NoError(t, err)
	good := Config{Conn: conn, Slot: "s", Tables: []Table{{Name: "t"}}, Apply: record}
	_, err = New(good)
	require.NoError(t, err)
	for i, change := range []func(*Config){
		func(c *Config) { c.Conn = nil },
		func(c *Config) { c.Slot = "" },
		func(c *Config) { c.Slot = `Robert"; drop` },
		func(c *Config) { c.Apply = nil },
		func(c *Config) { c.Tables = nil },
		func(c *Config) { c.Tables = []Table{{}} },
		func(c *Config) { c.Tables = []Table{{Name: "t"}, {Schema: "public", Name: "t"}} },
		func(c *Config) { c.Publication = "a\x00b" },
		func(c *Config) { c.BatchSize = -1 },
		func(c *Config) { c.Temporary, c.Failover = true, true },
	} {
		bad := good
		change(&bad)
		_, err := New(bad)
		require.Error(t, err, fmt.Sprint("case ", i))
	}
}
