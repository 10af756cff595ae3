package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestRefusalsOfAlteredPartitions(t *testing.T) {
	t.Parallel()
	const more = `; create table app.teams (id int primary key); create table app.tree (id int primary key) partition by range (id);
		create table app.tree0 partition of app.tree default`
	unique := ledger.Alteration{Index: "i", Unique: true, Create: "(full_name, region)", Constraint: "i"}
	column := ledger.Alteration{Column: &transform.Column{Name: "email"}}
	conn := pgtest.New(t).Conn(t)
	for _, c := range []struct {
		name, setup  string
		kind         transform.Kind
		a            ledger.Alteration
		code, object string
		says         string
	}{
		{"unique without the key of the table", "", ledger.AddIndex, ledger.Alteration{Index: "i", Unique: true, Create: "(id)"},
			"index-partitioned", "app.i", "app.users is partitioned by LIST (region)"},
		{"unique without the key of a partition", "", ledger.AddUnique, unique, "index-partitioned", "app.i", "app.late is partitioned by HASH (id)"},
		{"unique over an expression of the key", "create table app.e (id int, region text, full_name text) partition by list (lower(region)); drop table app.users cascade; alter table app.e rename to users",
			ledger.AddUnique, unique, "index-partitioned", "app.i", "lower(region)"},
		{"an invalid index of the name", "create index i on only app.users (email)", ledger.AddIndex, ledger.Alteration{Index: "i", Create: "(email)"},
			"name-taken", "app.i", "exists already"},
		{"a constraint of a partition has the name", "alter table app.l0 add constraint c check (id > 0)", ledger.AddCheck,
			ledger.Alteration{Constraint: "c", Body: "id > 0"}, "name-taken", "app.l0", "exists already"},
		{"both partitioned", "", ledger.AddForeignKey, foreign("app.tree", []string{"id"}, nil), "referenced-table", "app.users", "both tables are partitioned"},
		{"a foreign key of a partition", "alter table app.l1 add constraint own foreign key (id) references app.teams not valid", ledger.AddForeignKey,
			foreign("app.teams", []string{"id"}, nil), "partition-depends", "constraint own on table app.l1", "FOREIGN KEY (id)"},
		{"many partitions", "do $$ begin for i in 1..340 loop execute format('create table old.p%s partition of app.users for values in (%L)', i, i); end loop; end $$",
			ledger.AddForeignKey, foreign("app.teams", []string{"id"}, nil), "foreign-key-holds", "constraint fk", "343 partitions"},
		{"an index of a partition", "create unique index own on app.l0 (email)", ledger.DropColumn, column, "drops-with-column", "index app.own", "(email)"},
		{"a view of a partition", "create view old.mails as select email from app.l0", ledger.DropColumn, column, "view-depends", "old.mails", "email"},
		{"NOT NULL in a partition", "update app.users set email = 'x'; alter table app.l0 alter email set not null", ledger.DropColumn, column, "partition-not-null", "app.l0.email", "this partition only"},
		{"the key of a partition", "alter table app.users drop constraint users_pkey", ledger.DropColumn,
			ledger.Alteration{Column: &transform.Column{Name: "id"}}, "source-in-partition-key", "app.late.id", "HASH (id)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := conn.Exec(t.Context(), resetPartitioned+partitioned+more+"; "+c.setup)
			require.NoError(t, err)
			report := check(t, conn, altering(c.kind, c.a))
			found := find(report, c.code)
			require.NotEmpty(t, found, "%v", report.Findings)
			texts := ""
			for _, f := range found {
				require.Equal(t, preflight.Refuse, f.Severity)
				require.NotEmpty(t, f.Hint)
				texts += f.String()
			}
			require.Contains(t, texts, c.object)
			require.Contains(t, texts, c.says)
		})
	}

	_, err := conn.Exec(t.Context(), resetPartitioned+partitioned+more+"; update app.users set email = 'x'; alter table app.l0 alter email set not null")
	require.NoError(t, err)
	report := check(t, conn, altering(ledger.SetNotNull, column))
	require.False(t, report.Refused(), "%v", report.Findings)
	requireOne(t, report, preflight.Warn, "partition-not-null", "app.l0.email")
}
