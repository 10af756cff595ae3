package docs

import (
	"context"
	"log/slog"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// shop is a database with the roles of security.md, and nobody else's rights.
type shop struct {
	*pgtest.DB
	t *testing.T
}

var ofRole = regexp.MustCompile(`\bshop_(owner|app|status|tail)\b`)

// role is the name of a role of the page here: roles are the server's.
func (s shop) role(name string) string { return name + "_" + s.Name }

func newShop(t *testing.T) shop {
	t.Helper()
	s := shop{pgtest.NewFrom(t, `create table users (id bigint generated always as identity primary key, full_name text not null);
		insert into users (full_name) select 'user ' || i from generate_series(1, 100) i; revoke all on schema public from public`), t}
	blocks := sqlOf(t, root+"docs/security.md")
	require.Len(t, blocks, 4)
	t.Cleanup(func() {
		for _, found := range slices.Compact(ofRole.FindAllString(strings.Join(blocks, ""), -1)) {
			s.Exec(t, `do $$ begin if to_regrole('`+s.role(found)+`') is not null then
				execute 'reassign owned by `+s.role(found)+` to postgres; drop owned by `+s.role(found)+`; drop role `+s.role(found)+`';
				end if; end $$`)
		}
	})
	for i, block := range blocks {
		if i == 2 { // the ledger is there before the roles that read it
			require.NoError(t, s.migrator("shop_owner", migrator.Config{}).Init(t.Context(), migrator.InitOptions{GrantTo: []string{s.role("shop_app")}}))
		}
		block = ofRole.ReplaceAllStringFunc(block, s.role)
		s.Exec(t, strings.ReplaceAll(block, "database shop", "database "+s.Name))
	}
	return s
}

func (s shop) config(role string) *pgx.ConnConfig {
	config := s.Config(s.t)
	config.User = s.role(role)
	return config
}

func (s shop) migrator(role string, c migrator.Config) *migrator.Migrator {
	s.t.Helper()
	c.PollInterval, c.Logger = time.Millisecond, slog.New(slog.DiscardHandler)
	m, err := migrator.New(s.config(role), c)
	require.NoError(s.t, err)
	return m
}

// application is a hooked pool of the role, with its hook running.
func (s shop) application() *pgxpool.Pool {
	s.t.Helper()
	hook, err := dualwrite.New(dualwrite.Config{RecycleWithin: -1})
	require.NoError(s.t, err)
	config, err := pgxpool.ParseConfig(s.URL)
	require.NoError(s.t, err)
	config.ConnConfig.User = s.role("shop_app")
	ctx, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	pool, err := hook.NewPool(ctx, config)
	require.NoError(s.t, err)
	var running sync.WaitGroup
	running.Go(func() { _ = hook.Run(ctx) })
	s.t.Cleanup(func() { stop(); running.Wait(); pool.Close() })
	return pool
}

// TestRoles takes a transition all the way, there and back, with the roles of
// security.md.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx := t.Context()
	app, owner, status := s.application(), s.migrator("shop_owner", migrator.Config{}), s.migrator("shop_status", migrator.Config{})
	n := 0
	work := func() {
		t.Helper()
		n++
		var name string
		err := app.QueryRow(ctx, `update users set full_name = 'Ada ' || $1::int where id = 17 returning full_name`, n).Scan(&name)
		require.NoError(t, err)
		_, err = app.Exec(ctx, `insert into users (full_name) values ($1)`, name)
		require.NoError(t, err)
		var count int
		require.NoError(t, app.QueryRow(ctx, `select count(*) from users where full_name = $1`, name).Scan(&count))
		require.Equal(t, 2, count)
		list, err := status.Status(ctx, migrator.StatusOptions{Name: "users-name"})
		require.NoError(t, err)
		require.NotEmpty(t, list[0].History)
	}
	tr, err := migrator.ParseTransition([]byte("name: users-name\ntable: users\nrename: {from: full_name, to: name}\n"))
	require.NoError(t, err)
	_, err = owner.Start(ctx, tr)
	require.NoError(t, err)
	work()
	_, err = app.Exec(ctx, `select u from users u where full_name = 'Ada'`)
	refusal, refused := dualwrite.AsRefusal(err)
	require.True(t, refused, err)
	pgtest.WaitFor(t, "the refusal to be reported by the role of the application", func() bool {
		list, err := status.Status(ctx, migrator.StatusOptions{Name: "users-name"})
		require.NoError(t, err)
		return len(list[0].Refused) == 1 && list[0].Refused[0].Message == refusal.Message
	})
	all := []migrator.Phase{migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete}
	forward := func() {
		for _, phase := range all {
			_, err := owner.Run(ctx, "users-name", migrator.RunOptions{Until: phase})
			require.NoError(t, err)
			work()
		}
	}
	forward()
	_, err = owner.Rollback(ctx, "users-name", migrator.RollbackOptions{})
	require.NoError(t, err)
	work()
	forward()
	_, err = owner.Contract(ctx, "users-name", migrator.ContractOptions{Snapshot: migrator.NoSnapshot})
	require.NoError(t, err)
	work()
	require.NoError(t, owner.Remove(ctx, "users-name"))

	for role, forbidden := range map[string][]string{
		"shop_app":    {`select from crossfade.refused`, `insert into crossfade.refused default values`, `select from crossfade.history`, `select from crossfade.transition`, `update crossfade.epoch set epoch = 1`, `create table crossfade.t ()`},
		"shop_status": {`update crossfade.transition set phase = 'off'`, `select from public.users`, `delete from crossfade.history`},
		"shop_tail":   {`update crossfade.transition set phase = 'off'`, `delete from crossfade.position`, `delete from users`},
	} {
		conn, err := pgx.ConnectConfig(ctx, s.config(role))
		require.NoError(t, err)
		for _, sql := range forbidden {
			_, err := conn.Exec(ctx, sql)
			require.ErrorContains(t, err, "SQLSTATE 42501", "%s: %s", role, sql)
		}
		require.NoError(t, conn.Close(ctx))
	}
}

// TestTailRole: the log is followed by the role that may do no more.
func TestTailRole(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx := t.Context()
	s.Exec(t, `alter role `+s.role("shop_owner")+` replication`)
	owner, status := s.migrator("shop_owner", migrator.Config{}), s.migrator("shop_status", migrator.Config{})
	tr, err := migrator.ParseTransition([]byte("name: users-name\ntable: users\nrename: {from: full_name, to: name}\nsync: logical\n"))
	require.NoError(t, err)
	_, err = owner.Start(ctx, tr)
	require.NoError(t, err)
	_, err = owner.Run(ctx, "users-name", migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	_, err = owner.Advance(ctx, "users-name", migrator.AdvanceOptions{}) // step sync
	require.NoError(t, err)

	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	tail := s.migrator("shop_tail", migrator.Config{})
	go func() { ended <- tail.Tail(following, "users-name") }()
	s.Exec(t, `update users set full_name = 'by hand' where id = 17`)
	conn, err := pgx.ConnectConfig(ctx, s.Config(t))
	require.NoError(t, err)
	pgtest.WaitFor(t, "the row to be put right", func() bool {
		select {
		case err := <-ended:
			t.Fatal("the tail has ended: ", err)
		default:
		}
		list, err := status.Status(ctx, migrator.StatusOptions{Name: "users-name"})
		require.NoError(t, err)
		var right bool
		require.NoError(t, conn.QueryRow(ctx, `select name is not distinct from full_name from users where id = 17`).Scan(&right))
		return right && list[0].Tail != nil
	})
	require.NoError(t, conn.Close(ctx)) // the barrier waits for sessions without the hook
	_, err = owner.Run(ctx, "users-name", migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	require.NoError(t, <-ended)
}

var fencedSQL = regexp.MustCompile("(?ms)^```sql\n(.*?)^```$")

func sqlOf(t *testing.T, page string) (blocks []string) {
	t.Helper()
	for _, found := range fencedSQL.FindAllStringSubmatch(read(t, page), -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

var row = regexp.MustCompile(`(?m)^\| ([\w./-]+/[\w./-]+) \| [^|]* \| ([^|]*) \|$`)

// TestSupplyChain: the table has the modules that go.mod requires, and says which
// package links them.
func TestSupplyChain(t *testing.T) {
	t.Parallel()
	_, required, _ := strings.Cut(read(t, root+"go.mod"), "require (\n")
	required, _, _ = strings.Cut(required, ")")
	var wanted, listed []string
	for line := range strings.Lines(required) {
		wanted = append(wanted, strings.Fields(line)[0])
	}
	links := map[string]string{}
	for _, name := range []string{"dualwrite", "logical", "migrator", "migrator/cmd/crossfade"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-C", root, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./"+name).Output()
		require.NoError(t, err)
		links[name] = string(out)
	}
	for _, found := range row.FindAllStringSubmatch(read(t, root+"docs/security.md"), -1) {
		module, by := found[1], found[2]
		listed = append(listed, module)
		for name, linked := range links {
			has := slices.Contains(strings.Fields(linked), module)
			short := name
			if name == "migrator/cmd/crossfade" {
				short = "the command"
			}
			says := by == "all" || slices.Contains(strings.Split(by, ", "), short)
			if short == "the command" { // it links what package migrator links
				says = says || strings.Contains(by, "migrator")
			}
			require.Equal(t, has, says, "%s links %s", name, module)
		}
	}
	require.ElementsMatch(t, wanted, listed)
}
