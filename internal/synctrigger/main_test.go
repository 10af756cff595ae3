package synctrigger_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func column(name, typ, value string) transform.Column {
	return transform.Column{Name: name, Type: typ, BaseType: typ, Value: value}
}

// renamed moves s to t.
func renamed(typ string) transform.Move { return transform.Renamed(column("s", typ, ""), "t") }

// split makes first and last of name. Neither direction keeps everything.
var split = transform.Move{
	Kind:    transform.Split,
	Sources: []transform.Column{column("name", "text", "first || ' ' || last")},
	Targets: []transform.Column{
		column("first", "text", "split_part(name, ' ', 1)"), column("last", "text", "split_part(name, ' ', 2)")},
	Lossy: []transform.Direction{transform.Forward, transform.Backward},
}

// install makes the ledger and the trigger on a table in public.
func install(t testing.TB, db *pgtest.DB, table string, m transform.Move, mode synctrigger.Mode) synctrigger.Trigger {
	t.Helper()
	conn := db.Conn(t)
	require.NoError(t, ledger.Migrate(t.Context(), conn, nil))
	trigger := synctrigger.Trigger{ID: 7, Table: ddl.Name{Schema: "public", Table: table}, Move: m, Mode: mode}
	for _, s := range []ddl.Statement{ddl.CreateTriggerFunction(trigger.Table, trigger.Function()), trigger.Install()} {
		require.NoError(t, ddl.Runner{}.Run(t.Context(), conn, s))
	}
	return trigger
}

// rows reads a query of one text column.
func rows(t testing.TB, conn *pgx.Conn, sql string) []string {
	t.Helper()
	result, err := conn.Query(t.Context(), sql)
	require.NoError(t, err)
	list, err := pgx.CollectRows(result, pgx.RowTo[string])
	require.NoError(t, err)
	return list
}
