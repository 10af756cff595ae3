package statuspage_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

// TestHeld: a flip waits for an open transaction, and a flag asks for more.
func TestHeld(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename)
	run(t, m, rename.Name, migrator.Shadow)
	s := serve(t, m, statuspage.Config{})
	s.get("/", "at rest", `aria-current="step"><span class="stage">shadow`)

	report := join(t, db, "nightly-report")
	_, err := report.Exec(ctx, "begin; select 'a secret' from users")
	require.NoError(t, err)
	connect(t, db, "psql")
	var drain *migrator.DrainError
	_, err = newMigrator(t, db, migrator.Config{DrainTimeout: time.Millisecond}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &drain)
	_, err = m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Complete, Key: "crossfade.users-name", Provider: "flagd"})
	require.NoError(t, err)
	page := s.get("/", "complete requested", "flip shadow -&gt; live waits for 1 session", "nightly-report", "idle in transaction",
		"no hook, ignored", "stopped half way", "crossfade run users-name continues it")
	require.NotContains(t, page, "a secret")
	require.Contains(t, serve(t, m, statuspage.Config{ShowStatements: true}).get("/", "nightly-report"), "a secret")

	// Somebody goes on: it is not stopped any more. The session ends: nothing holds it.
	working := make(chan error, 1)
	go func() {
		_, err := newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
		working <- err
	}()
	pgtest.WaitFor(t, "the migrator to be seen", func() bool { return !contains(s.ask("GET", "/").body, "stopped half way") })
	require.NoError(t, report.Close(ctx))
	require.NoError(t, <-working)
	page = s.get("/", "at rest", `aria-current="step"><span class="stage">complete`)
	require.NotContains(t, page, "requested")
}

// TestGates: before it is a flip's turn its gates are not looked at, afterwards they
// are, and a closed one is in the way of who asks for more.
func TestGates(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{})
	require.NotContains(t, s.get("/", "Gates before dualwrite"), ">closed<")
	run(t, m, rename.Name, migrator.Shadow)
	page := s.get("/", "Gates before live", `verified</span> <span class="state">open`)
	require.Contains(t, page, `dependents-carried</span> <span class="state">looked at when it comes`)
	require.NoError(t, m.RecordPlans(ctx, rename.Name, migrator.PlanCheck{Statements: 7, Refused: 2, Worse: 1, Listed: []string{"select <1>"}}))
	page = s.get("/", "gate plan-regression", "2 refused", "1 with a worse plan", "select &lt;1&gt;")
	require.Contains(t, page, `class="badge rest"`, "nobody asks for more")
	_, err := m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Live})
	require.NoError(t, err)
	s.get("/", `class="badge held"`, "live requested")
}

// TestLostSlot: what is wrong comes first on the page.
func TestLostSlot(t *testing.T) {
	t.Parallel()
	tailed := rename
	tailed.Sync = "logical"
	db, m := started(t, users, widen, tailed)
	run(t, m, tailed.Name, migrator.DualWrite)
	_, err := m.Advance(ctx, tailed.Name, migrator.AdvanceOptions{})
	require.NoError(t, err)
	s := serve(t, m, statuspage.Config{})
	page := s.get("/", "nobody follows the log", "Followed in the log")
	require.Contains(t, page, "reserved")
	db.Exec(t, `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`)
	page = s.get("/", "slot missing", "crossfade tail users-name --renew", `class="badge bad"`)
	require.Less(t, strings.Index(page, `id="t-users-name"`), strings.Index(page, `id="t-orders-amount"`))
}

// TestMismatches: the rows that differ are named by their keys.
func TestMismatches(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename)
	run(t, m, rename.Name, migrator.DualWrite)
	_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
	require.NoError(t, err)
	db.Exec(t, `update users set full_name = 'somebody else' where id in (7, 8)`)
	var mismatch *migrator.MismatchError
	_, err = m.Verify(ctx, rename.Name)
	require.ErrorAs(t, err, &mismatch)
	s := serve(t, m, statuspage.Config{})
	s.get("/", "2 rows in which source and target differ, of 300; the first by (id): (7) (8)", `class="badge bad"`,
		"crossfade repair users-name --dry-run")
	require.NotContains(t, s.ask("GET", "/").body, "somebody else")
}

// TestRefused: what an application's hook has refused is shown, and needs somebody.
func TestRefused(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{})
	require.NotContains(t, s.get("/", "users-name"), "Refused statements")
	hook, err := dualwrite.New(dualwrite.Config{PollInterval: 10 * time.Millisecond})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["application_name"] = "<checkout>"
	pool, err := hook.NewPool(ctx, config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	background(t, func(ctx context.Context) { _ = hook.Run(ctx) })
	_, err = pool.Exec(ctx, `select u as "<b>" from users u where full_name = 'a secret'`)
	refusal, ok := dualwrite.AsRefusal(err)
	require.True(t, ok, err)
	page := s.get("/", "Refused statements", "1 statement, 1 time within the last day", `<code>select u as &#34;&lt;b&gt;&#34; from users u where full_name = ?</code>`,
		"&lt;checkout&gt;", "hint: "+html.EscapeString(refusal.Hint), html.EscapeString(refusal.Message), "statements are refused", `class="badge bad"`)
	require.NotContains(t, page, "a secret")
	require.NotContains(t, s.ask("GET", "/status.json").body, "a secret")
	db.Exec(t, `update crossfade.refused set last_at = last_at - interval '1 hour'`)
	s.get("/", "Refused statements", `class="badge rest"`)
}

// TestScan: a backfill that is paused, and goes on.
func TestScan(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename)
	run(t, m, rename.Name, migrator.DualWrite)
	_, err := m.SetRate(ctx, rename.Name, 20)
	require.NoError(t, err)
	working := make(chan error, 1)
	go func() {
		_, err := newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
		working <- err
	}()
	s := serve(t, m, statuspage.Config{})
	s.get("/", "<progress", "of about 300 rows", "replica-lag", "WAL up to", "limited to 20 rows/s by ada@ops-1", `class="badge busy"`)
	s.get("/", `aria-label="Rows per second over time`)
	_, err = m.Pause(ctx, rename.Name)
	require.NoError(t, err)
	s.get("/", "scans are paused by ada@ops-1", `class="badge held"`)
	_, err = m.SetRate(ctx, rename.Name, 0)
	require.NoError(t, err)
	_, err = m.Resume(ctx, rename.Name)
	require.NoError(t, err)
	require.NoError(t, <-working)
	s.get("/", "Scans that are over", "300 rows", "at rest")
}

// TestWriters: who writes without the hook, as the trigger has seen it.
func TestWriters(t *testing.T) {
	t.Parallel()
	synced := rename
	synced.Sync = "trigger"
	db, m := started(t, users, synced)
	run(t, m, synced.Name, migrator.Shadow)
	_, err := connect(t, db, "cron-job").Exec(ctx, `update users set full_name = 'x' where id = 1`)
	require.NoError(t, err)
	serve(t, m, statuspage.Config{}).get("/", "Writers without the hook", "cron-job")
}

// TestEnds: what is over says so, and what moves no column has steps alone.
func TestEnds(t *testing.T) {
	t.Parallel()
	index := migrator.Transition{Name: "email-index", Table: "users", AddIndex: &migrator.AddIndex{Name: "users_email_idx", On: "(email)"}}
	_, m := started(t, users, rename, index)
	s := serve(t, m, statuspage.Config{})
	_, err := m.Run(ctx, index.Name, migrator.RunOptions{})
	require.NoError(t, err)
	run(t, m, rename.Name, migrator.Contracted)
	page := s.get("/", "2 done", "add_index users_email_idx", `<span class="stage">contracted`)
	require.NotContains(t, page, "Gates before")
	require.NoError(t, m.Remove(ctx, rename.Name))
	require.NoError(t, m.Remove(ctx, index.Name))
	s.get("/", "No transitions", "crossfade start FILE")
	require.JSONEq(t, "[]", s.ask("GET", "/status.json").body)
}

// TestHostile: what the database calls itself is text, wherever it stands.
func TestHostile(t *testing.T) {
	t.Parallel()
	const hostile = `"><script>alert(1)</script>`
	const table = "x" + hostile // a transition file cannot name one that begins with a quote
	db := pgtest.NewFrom(t, "create table "+pgx.Identifier{table}.Sanitize()+" (id int primary key, a text)")
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	tr := migrator.Transition{Name: "x", Table: table, Rename: &migrator.Rename{From: "a", To: `</code><img src=x onerror="alert(2)">`}}
	_, err := m.Start(ctx, tr)
	require.NoError(t, err)
	db.Exec(t, `insert into crossfade.request (transition_id, phase, flag, actor, held_by, held)
		select id, 'live', '<b>', $1, 'javascript:alert(1)', $1 from crossfade.transition`, hostile)
	db.Exec(t, `insert into crossfade.history (transition_id, epoch, actor, event, detail) select id, 1, $1, $1, $1 from crossfade.transition`, hostile)
	join(t, db, hostile)
	s := serve(t, m, statuspage.Config{})
	page := s.get("/", "&lt;script&gt;", "&lt;img src=x")
	require.Equal(t, 1, strings.Count(page, "<script"), "its own")
	require.NotContains(t, page, "<img src=x")
	for _, line := range strings.Split(s.ask("GET", "/metrics").body, "\n") {
		require.True(t, line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "crossfade_"), line)
	}
}

// TestDocument: status.json is what Status returns.
func TestDocument(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename, widen)
	run(t, m, rename.Name, migrator.Live)
	join(t, db, "app")
	s := serve(t, m, statuspage.Config{Events: 5})
	s.get("/status.json", `"application": "app"`)
	pgtest.WaitFor(t, "the connections of the migrator have gone, but that of the page", func() (alone bool) {
		require.NoError(t, db.Conn(t).QueryRow(ctx, `select count(*) = 1 from pg_stat_activity
			where application_name = 'crossfade migrator' and datname = current_database()`).Scan(&alone))
		return alone
	})
	var shown, wanted any
	list, err := m.Status(ctx, migrator.StatusOptions{Events: 5})
	require.NoError(t, err)
	text, err := json.Marshal(list)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &wanted))
	pgtest.WaitFor(t, "the page has not seen the connection of Status", func() bool {
		answer := s.ask("GET", "/status.json")
		require.Equal(t, "application/json", answer.header.Get("Content-Type"))
		require.NoError(t, json.Unmarshal([]byte(answer.body), &shown))
		return assert.ObjectsAreEqual(wanted, shown)
	})
}

// TestWithoutLedger: everything says why there is nothing to see.
func TestWithoutLedger(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	m := newMigrator(t, db, migrator.Config{})
	s := serve(t, m, statuspage.Config{})
	s.get("/", "The database cannot be read", "crossfade init")
	for _, path := range []string{"/healthz", "/status.json", "/metrics"} {
		answer := s.ask("GET", path)
		require.Equal(t, http.StatusServiceUnavailable, answer.code, path)
		require.Contains(t, answer.body, "crossfade init", path)
	}
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	s.get("/", "No transitions")
	require.Equal(t, http.StatusOK, s.ask("GET", "/healthz").code)
}

// TestDatabaseGoesAway: the page keeps what it knows and says how old it is;
// programs get no old figures.
func TestDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: server.URL("postgres"), Name: "postgres"}
	db.Exec(t, users)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, rename)
	require.NoError(t, err)
	s := serve(t, m, statuspage.Config{})
	s.get("/", "users-name")
	require.NoError(t, server.Kill())
	s.get("/", "The database cannot be read", "What follows is as of", "users-name")
	for _, path := range []string{"/healthz", "/status.json", "/metrics"} {
		require.Equal(t, http.StatusServiceUnavailable, s.ask("GET", path).code, path)
	}
	require.Contains(t, s.ask("GET", "/status.json").body, "last_read")
	require.NoError(t, server.Restart(ctx))
	pgtest.WaitFor(t, "the page to read again", func() bool { return s.ask("GET", "/healthz").code == http.StatusOK })
	require.NotContains(t, s.ask("GET", "/").body, "cannot be read")
}

// TestOneLook: who watches costs the database nothing.
func TestOneLook(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{})
	s.get("/", "users-name")
	for range 5 {
		s.stream()
	}
	conn := connect(t, db, "psql")
	pids := map[int]bool{}
	for range 20 {
		var pid int
		require.NoError(t, conn.QueryRow(ctx, `select pid from pg_stat_activity where application_name = 'crossfade migrator' and datname = current_database()`).Scan(&pid))
		pids[pid] = true
		s.ask("GET", "/")
		s.ask("GET", "/status.json")
	}
	require.Len(t, pids, 1, "one session, and it stays")
}

// TestMounted: a team's own server may show it anywhere.
func TestMounted(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	page, err := statuspage.New(m, statuspage.Config{})
	require.NoError(t, err)
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- page.Run(running) }()
	mux := http.NewServeMux()
	mux.Handle("/crossfade/", http.StripPrefix("/crossfade", page))
	s := listen(t, mux)
	require.Equal(t, "/crossfade/", s.ask("GET", "/crossfade").header.Get("Location"))
	s.get("/crossfade/", "users-name")
	for _, file := range []string{"style.css", "live.js", "icon.svg", "healthz"} {
		require.Equal(t, http.StatusOK, s.ask("GET", "/crossfade/"+file).code, file)
	}
	require.ErrorIs(t, page.Run(ctx), statuspage.ErrRunning)
	stop()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Equal(t, http.StatusServiceUnavailable, s.ask("GET", "/crossfade/healthz").code, "nobody looks any more")
	require.Equal(t, http.StatusNotFound, s.ask("GET", "/crossfade/nothing").code)
}

func TestNewValidates(t *testing.T) {
	t.Parallel()
	_, err := statuspage.New(nil, statuspage.Config{})
	require.ErrorContains(t, err, "no migrator")
	m := newMigrator(t, pgtest.New(t), migrator.Config{})
	_, err = statuspage.New(m, statuspage.Config{Interval: -1, Events: -1, MaxStreams: -1, Token: "short"})
	require.ErrorContains(t, err, "Interval is negative")
	require.ErrorContains(t, err, "MaxStreams is negative")
	require.ErrorContains(t, err, "at least 16")
}

// TestDocumented: the page of the documentation names what there is.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/status-page.md")
	require.NoError(t, err)
	for _, word := range []string{"/status.json", "/metrics", "/healthz", "statuspage.New", "CROSSFADE_TOKEN", "status-page.png"} {
		require.Contains(t, string(text), word)
	}
}
