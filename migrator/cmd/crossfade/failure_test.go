package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

func TestDrainHangs(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	config := s.db.Config(t)
	config.RuntimeParams["application_name"] = "nightly-report"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "select full_name from users limit 1"); err != nil {
		t.Fatal(err)
	}
	wanted := []string{fmt.Sprintf("pid %d", conn.PgConn().PID()), "nightly-report", "select full_name from users"}

	text := s.must(exitWaiting, "start", s.file, "--drain-timeout", "100ms")
	contains(t, text.stderr, append(wanted, "first drain", "hint: ")...)

	all := events(t, s.must(exitWaiting, "advance", "users-name", "--drain-timeout", "100ms", "-o", "json"))
	last := all[len(all)-1]
	if last["event"] != "error" || last["kind"] != "waiting" || last["exit_code"] != float64(exitWaiting) {
		t.Errorf("the last line is %v", last)
	}
	if drain, ok := last["drain"].(map[string]any); !ok || len(drain["waiting"].([]any)) != 1 {
		t.Errorf("the error does not tell whom it waits for: %v", last)
	}
	status := s.must(exitOK, "status", "users-name").stdout
	contains(t, status, append(wanted, "waiting for 1 session")...)

	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.must(exitOK, "start", s.file)
}

func TestRefusedTransitions(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	missing := writeFile(t, "missing.yaml", "name: m\ntable: users\nrename: {from: nick, to: name}\n")
	plan := s.must(exitRefused, "plan", missing)
	contains(t, plan.stdout, "refuse [column-missing] column public.users.nick")
	contains(t, plan.stderr, `start would refuse transition "m"`)
	contains(t, s.must(exitRefused, "start", missing).stderr, `crossfade: transition "m" is refused`,
		"\n  refuse [column-missing] column public.users.nick\n    ", "\nhint: ")

	event := events(t, s.must(exitRefused, "start", missing, "-o", "json"))
	last := event[len(event)-1]
	if findings, _ := last["findings"].([]any); len(findings) == 0 || last["kind"] != "refused" {
		t.Errorf("the error has no findings: %v", last)
	}

	s.must(exitOK, "start", s.file)
	other := writeFile(t, "other.yaml", "name: other\ntable: users\nrename: {from: full_name, to: label}\n")
	s.must(exitRefused, "start", other) // one transition for each column
	contains(t, s.must(exitRefused, "verify", "users-name").stderr, "hint: ")
}

func TestVerificationFindsDifferences(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "run", s.file, "--until", "shadow")
	s.db.Exec(t, "alter table users drop constraint crossfade_t1_equal") // it would not let them differ
	s.db.Exec(t, "update users set name = 'somebody else' where id in (17, 18)")
	contains(t, s.must(exitMismatch, "verify", "users-name").stderr, "differ in 2 of 1000 rows", "(17) (18)", "hint: ")

	v := s.must(exitMismatch, "verify", "users-name", "-o", "json")
	if got := document[struct{ Mismatches int }](t, v); got.Mismatches != 2 {
		t.Errorf("mismatches in the result: %+v", got)
	}
}

func TestAnotherMigratorAtWork(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	conn := s.db.Conn(t)
	if err := fence.Own(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if err := fence.Lead(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	contains(t, s.must(exitBusy, "start", s.file).stderr, fmt.Sprintf("pid %d", conn.PgConn().PID()), "hint: ")
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	contains(t, s.must(exitNotFound, "status").stderr, "crossfade init")
	s.must(exitOK, "init")
	for _, args := range [][]string{
		{"status", "nobody"}, {"advance", "nobody"}, {"run", "nobody"}, {"rollback", "nobody"}, {"verify", "nobody"},
		{"contract", "nobody", "--yes", "--no-snapshot"}, {"remove", "nobody"}, {"explain", "-t", "nobody", "select 1"},
		{"plan", "no-such-file.yaml"}, {"explain", "no-such-file.sql"}, {"explain", "--file", "no-such-file"}, {"run", "./no-such-file"},
	} {
		o := s.must(exitNotFound, args...)
		if o.stdout != "" || o.stderr == "" {
			t.Errorf("%v: stdout %q, stderr %q", args, o.stdout, o.stderr)
		}
	}
}

// bare runs a command that needs no database.
func bare(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	wrong := writeFile(t, "wrong.yaml", "name: users-name\ntable: users\nrenames: {from: a, to: b}\n")
	emptyDir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"statsu"}, `unknown command "statsu", did you mean "status"?`},
		{[]string{"run"}, "NAME|FILE is missing"},
		{[]string{"run", "a", "b"}, `"b" is too much`},
		{[]string{"run", "a", "--fast"}, "--fast"},
		{[]string{"run", "a", "--until", "never"}, "off, dualwrite, shadow"},
		{[]string{"run", "a", "--laggards", "shoot"}, "fence, wait, terminate"},
		{[]string{"run", "a", "--grace", "-1s"}, "negative"},
		{[]string{"run", "a", "--until", "contracted"}, "--yes"},
		{[]string{"init", "-o", "xml"}, "text or json"},
		{[]string{"init", "-q", "-v"}, "contradict"},
		{[]string{"plan", wrong}, "line 3"},
		{[]string{"explain"}, "no statement"},
		{[]string{"explain", "--stars", "both", "select 1"}, "source or target"},
		{[]string{"explain", "--cost-factor", "0.5", "select 1"}, "1 or more"},
		{[]string{"explain", "--schema", "schema.sql", "select 1"}, "name a transition file"},
		{[]string{"explain", "--file", emptyDir}, "holds no .sql file"},
	} {
		o := bare(t, c.args...)
		if o.code != exitUsage || o.stdout != "" {
			t.Errorf("%v: exit code %d, stdout %q", c.args, o.code, o.stdout)
		}
		contains(t, o.stderr, "crossfade: ", c.want)
	}
}

func TestPasswordsAreNotPrinted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url  string
		code int
	}{
		{"postgres://u:s3cret@127.0.0.1:1/db", exitConnection},
		{"host=127.0.0.1 port=1 user=u password=s3cret dbname=db", exitConnection},
		{"postgres://u:s3cret@h/db?sslmode=foo", exitUsage},
		{"postgres://u:s3cret/s3cret@h:port/db", exitUsage},
		{"postgres://h/db?password=s3cret&port=s3cret", exitUsage},
		{"user=u password='s3cret", exitUsage},
		{"user=u password=a s3cret", exitUsage},
	} {
		for _, format := range []string{"text", "json"} {
			o := bare(t, "status", "--database-url", c.url, "-o", format, "-v")
			if o.code != c.code {
				t.Errorf("%s: exit code %d, want %d: %s", c.url, o.code, c.code, o.stderr)
			}
			if strings.Contains(o.stderr+o.stdout, "s3cret") {
				t.Errorf("%s: the password is printed: %s", c.url, o.stderr)
			}
		}
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"host=" + t.TempDir(), "postgres://127.0.0.1:1/db"} {
		o := bare(t, "status", "--database-url", url)
		if o.code != exitConnection {
			t.Errorf("%s: exit code %d: %s", url, o.code, o.stderr)
		}
		contains(t, o.stderr, "hint: check --database-url")
	}
}

// TestContractTooEarly: what is refused is not announced.
func TestContractTooEarly(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	stderr := s.must(exitRefused, "contract", "users-name", "--yes", "--no-snapshot").stderr
	contains(t, stderr, "it is in phase off", "hint: run it to complete first")
	if strings.Contains(stderr, "point of no return") {
		t.Errorf("it announces what it does not do: %s", stderr)
	}
}

// TestRightsAreMissing: the hint stands apart from the error, in JSON too.
func TestRightsAreMissing(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	role := "outsider_" + s.db.Name
	s.db.Exec(t, `create role `+role+` login`)
	t.Cleanup(func() { s.db.Exec(t, `drop role `+role) })
	config, err := url.Parse(s.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.User = url.User(role)
	all := events(t, s.must(exitError, "status", "-o", "json", "--database-url", config.String()))
	last := all[len(all)-1]
	hint, _ := last["hint"].(string)
	if !strings.Contains(hint, "the role lacks a right") || strings.Contains(last["error"].(string), "hint") {
		t.Errorf("the last line is %v", last)
	}
}

// TestRunCannotLook: a run of a file that has been started says why it cannot go on,
// and not that the name is taken.
func TestRunCannotLook(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	s.db.Exec(t, `alter table crossfade.progress rename to lost`)
	contains(t, s.must(exitError, "run", s.file).stderr, "progress")
	s.db.Exec(t, `alter table crossfade.lost rename to progress`)
	s.must(exitOK, "run", s.file)
}
