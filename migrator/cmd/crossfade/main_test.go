package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { pgtest.Main(m) }

const usersSQL = `
create table users (
    id bigint generated always as identity primary key,
    full_name text not null default 'nobody',
    email text
);
create index users_full_name_idx on users (full_name);
insert into users (full_name, email) select 'user ' || n, 'u' || n || '@example.com' from generate_series(1, 1000) n;
analyze users;`

const usersFile = `name: users-name
table: public.users
rename: {from: full_name, to: name}
`

// outcome is what a run of the command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// shell runs commands on one database.
type shell struct {
	t     *testing.T
	db    *pgtest.DB
	file  string // a transition file
	stdin string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	return &shell{t: t, db: pgtest.NewFrom(t, usersSQL), file: writeFile(t, "users-name.yaml", usersFile)}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *shell) run(args ...string) outcome {
	s.t.Helper()
	return s.runContext(s.t.Context(), args...)
}

func (s *shell) runContext(ctx context.Context, args ...string) outcome {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, append([]string{"--database-url", s.db.URL}, args...), strings.NewReader(s.stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// must runs a command that has to end with the exit code.
func (s *shell) must(code int, args ...string) outcome {
	s.t.Helper()
	o := s.run(args...)
	if o.code != code {
		s.t.Fatalf("crossfade %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s",
			strings.Join(args, " "), o.code, code, o.stdout, o.stderr)
	}
	return o
}

// document decodes the one JSON document on stdout.
func document[T any](t *testing.T, o outcome) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(strings.NewReader(o.stdout))
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("stdout is no JSON: %v\n%s", err, o.stdout)
	}
	if decoder.More() {
		t.Fatalf("stdout has more than one document:\n%s", o.stdout)
	}
	return v
}

// events decodes the JSON lines on stderr.
func events(t *testing.T, o outcome) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(o.stderr) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("stderr has a line that is no JSON: %v\n%s", err, line)
		}
		all = append(all, event)
	}
	return all
}

func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got:\n%s\nwant:\n%s", name, got, want)
	}
}
