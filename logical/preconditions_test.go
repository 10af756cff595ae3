package logical

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestTablesThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema+`
		create table keyless (id int);
		create table nothing (id int primary key); alter table nothing replica identity nothing;
		create table whole (id int); alter table whole replica identity full;
		create unlogged table fast (id int primary key);
		create view looks as select * from item;
		create table parent (id int) partition by range (id);
		create table leaf partition of parent for values from (0) to (9); alter table leaf add primary key (id);
		create table root (id int primary key) partition by range (id);
		create table bad partition of root for values from (0) to (9); alter table bad replica identity nothing;`)
	for name, code := range map[string]Code{
		"keyless": NoIdentity, "nothing": NoIdentity, "whole": NoKey, "fast": NoTable, "looks": NoTable, "none": NoTable,
		"parent": NoIdentity, "root": NoIdentity,
	} {
		config.Tables = []Table{{Name: "item"}, {Name: name}}
		requireRefused(t, newTailer(t, config).Check(t.Context()), code)
		requireRefused(t, newTailer(t, config).Setup(t.Context()), code)
	}
	conn := db.Conn(t)
	require.Zero(t, one[int](t, conn, `select count(*)::int from pg_publication`))
	require.Zero(t, one[int](t, conn, `select count(*)::int from pg_replication_slots where slot_name = $1`, config.Slot))

	config.Tables = []Table{{Name: "parent"}}
	config.NameLeaves = true
	require.NoError(t, newTailer(t, config).Check(t.Context()), "the partition has a key")
	_, err := conn.Exec(t.Context(), `insert into keyless values (1); update keyless set id = 2`)
	require.NoError(t, err, "it was not published")
}

func TestServerThatDoesNotReplicate(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"wal_level": "replica", "max_wal_senders": "1", "max_replication_slots": "1"})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	hint := requireRefused(t, newTailer(t, testConfig(t, db.URL, "level")).Setup(t.Context()), WALLevel)
	require.Contains(t, hint, "postgresql.conf")
	db.Exec(t, `create role rds_superuser`)
	hint = requireRefused(t, start(t, newTailer(t, testConfig(t, db.URL, "level"))).wait(t), WALLevel)
	require.Contains(t, hint, "rds.logical_replication")
}

func TestNothingLeftToReplicateWith(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"max_wal_senders": "1", "max_replication_slots": "1"})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	first := setUp(t, testConfig(t, db.URL, "first"))
	requireRefused(t, newTailer(t, testConfig(t, db.URL, "second")).Setup(t.Context()), NoSlot)
	start(t, first)
	pgtest.WaitFor(t, "the stream", func() bool { return first.Status().State == Streaming })
	requireRefused(t, newTailer(t, testConfig(t, db.URL, "first")).Check(t.Context()), NoWALSender)
}

func TestRoleWithoutReplication(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	role := db.Name + "_role"
	db.Exec(t, `create role `+role+` login`)
	defer db.Exec(t, `drop role `+role)
	config.Conn.User = role
	hint := requireRefused(t, newTailer(t, config).Check(t.Context()), NoRight)
	require.Contains(t, hint, role)
}

// A pooler gives its clients pids of its own.
func TestPooler(t *testing.T) {
	t.Parallel()
	_, config := newDB(t, schema)
	dial := config.Conn.DialFunc
	config.Conn.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &pooled{Conn: conn}, err
	}
	requireRefused(t, newTailer(t, config).Check(t.Context()), Pooler)
	requireRefused(t, start(t, newTailer(t, config)).wait(t), Pooler)
}

// pooled changes the pid in BackendKeyData, the answer to the start.
type pooled struct {
	net.Conn
	changed bool
}

func (c *pooled) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for i := 0; !c.changed && i+9 <= n; {
		if b[i] == 'K' {
			binary.BigEndian.PutUint32(b[i+5:], 4242)
			c.changed = true
		}
		i += 1 + int(binary.BigEndian.Uint32(b[i+1:]))
	}
	return n, err
}

func TestSlotOfOthers(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	other := pgtest.New(t)
	other.Exec(t, `select pg_create_logical_replication_slot($1, 'pgoutput')`, config.Slot)
	tailer := newTailer(t, config)
	requireRefused(t, tailer.Setup(t.Context()), SlotForeign)
	requireRefused(t, tailer.Drop(t.Context()), SlotForeign)
	require.Equal(t, 1, one[int](t, db.Conn(t), `select count(*)::int from pg_replication_slots where slot_name = $1`, config.Slot))
}

// Making a slot waits for every open transaction; the error says for which.
func TestSlotNamesWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"max_prepared_transactions": "2"})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	for _, temporary := range []bool{false, true} {
		config := testConfig(t, db.URL, "blocked")
		config.SlotTimeout = 300 * time.Millisecond
		config.Temporary = temporary
		appConfig := db.Config(t)
		appConfig.RuntimeParams["application_name"] = "the old writer"
		app, err := pgx.ConnectConfig(t.Context(), appConfig)
		require.NoError(t, err)
		_, err = app.Exec(t.Context(), `begin; insert into item values (1); prepare transaction 'forgotten'; begin; insert into item values (2)`)
		require.NoError(t, err)

		tailer := newTailer(t, config)
		if temporary {
			err = start(t, tailer).wait(t)
		} else {
			err = tailer.Setup(t.Context())
		}
		var blocked *SlotBlocked
		require.ErrorAs(t, err, &blocked)
		require.Contains(t, err.Error(), "the old writer")
		require.Contains(t, err.Error(), "forgotten")
		require.Zero(t, one[int](t, db.Conn(t), `select count(*)::int from pg_replication_slots`), "nothing is left of it")

		require.NoError(t, app.Close(t.Context()))
		db.Exec(t, `rollback prepared 'forgotten'`)
		if !temporary {
			require.NoError(t, tailer.Setup(t.Context()))
			require.NoError(t, tailer.Drop(t.Context()))
		}
	}
}

func TestEveryHintHasAPlainOne(t *testing.T) {
	t.Parallel()
	for code := range hints {
		require.NotEmpty(t, hint(code, Plain, "role"))
		for _, service := range roles {
			require.NotContains(t, hint(code, service, "role"), "%!")
		}
	}
}
