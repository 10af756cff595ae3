package rewrite_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// state is an expanded database as it can be in a phase.
type state struct {
	name  string
	phase phase.Phase
	// targets and sources say what the columns are like.
	targets, sources content
}

// content is what the columns of one side hold.
type content uint8

const (
	missing content = iota
	wrong
	right
)

var states = []state{
	{"off, no target yet", phase.Off, missing, right},
	{"off, target wrong", phase.Off, wrong, right},
	{"dualwrite", phase.DualWrite, right, right},
	{"live", phase.Live, right, right},
	{"complete, source wrong", phase.Complete, right, wrong},
	{"contracted", phase.Contracted, right, missing},
	{"named", phase.Named, right, missing},
}

// expansion is the DDL that brings a table into a state. index is for targets
// that are filled, retire for sources that are not.
func expansion(s state, table string, m transform.Move, index, retire string) string {
	var b strings.Builder
	run := func(format string, args ...any) {
		b.WriteString("alter table " + table + " " + fmt.Sprintf(format, args...) + ";")
	}
	set := func(c transform.Column, value string) {
		b.WriteString("update " + table + " set " + c.Name + " = " + value + ";")
	}
	if s.targets == missing {
		return ""
	}
	for _, c := range m.Targets {
		collation := ""
		if c.Collation != "" {
			collation = " collate " + c.Collation
		}
		run("add column %s %s%s", c.Name, c.Type, collation)
		if s.targets == wrong {
			set(c, wrongValue(c))
			continue
		}
		set(c, valueOf(c, m.Sources))
	}
	if s.targets == right {
		b.WriteString(index)
	}
	if s.sources == right {
		return b.String()
	}
	b.WriteString(retire)
	for _, c := range m.Sources {
		if s.sources == missing {
			run("drop column %s", c.Name)
			continue
		}
		set(c, wrongValue(c))
		run("alter column %s drop default", c.Name)
	}
	if s.phase == phase.Named {
		run("rename column %s to %s", m.Targets[0].Name, m.Sources[0].Name)
	}
	return b.String()
}

// valueOf is the column as it follows from those of the other side.
func valueOf(c transform.Column, others []transform.Column) string {
	if c.Value == "" {
		return others[0].Name
	}
	return c.Cast(c.Value)
}

// wrongValue is a value that the column should not have.
func wrongValue(c transform.Column) string {
	switch c.BaseType {
	case "text", "character varying":
		return "'wrong ' || ctid"
	case "integer", "bigint", "numeric":
		return "-1 - id"
	}
	return "null"
}

// trial is a database with transitions, and statements to run on it.
type trial struct {
	script  string
	corpus  string
	catalog func(phase.Phase) rewrite.Catalog
	expand  func(state) string
	// others are the tables that no transition is of; sequences are set back
	// before each statement.
	others, sequences []string
	// strict: a statement that fails on the original database says so.
	strict bool
}

// TestDifferential runs each statement of a corpus as it is on the original
// database, and rewritten on expanded ones, and compares everything that an
// application can see, and what is left behind.
func TestDifferential(t *testing.T) {
	trials := map[string]trial{
		"renames": {
			"testdata/differential/original.sql", "testdata/corpus/*.sql", testCatalog, expandRenames,
			[]string{"orders", "products", "devices"},
			[]string{"codes"}, false,
		},
		"kinds": {
			"testdata/differential/kinds.sql", "testdata/corpus-kinds/*.sql", kindsCatalog, expandKinds,
			[]string{"others"},
			[]string{"calls", "item_ids"}, true,
		},
	}
	for name, tr := range trials {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr.run(t)
		})
	}
}

func expandRenames(s state) string {
	var b strings.Builder
	for _, tr := range testCatalog(s.phase).Transitions {
		index := ""
		if tr.Table.Name == "users" {
			index = "create unique index on users (name);"
		}
		b.WriteString(expansion(s, tr.Table.Name, tr.Move, index, ""))
	}
	return b.String()
}

func (tr trial) run(t *testing.T) {
	script, err := os.ReadFile(tr.script)
	require.NoError(t, err)
	setup := string(script) + "create schema crossfade;"
	for _, transition := range tr.catalog(phase.Off).Transitions {
		setup += "create table crossfade." + transition.Token + "();"
	}
	original := pgtest.NewFrom(t, setup).Conn(t)
	cases := corpus(t, tr.corpus)
	want := make([]observation, len(cases))
	off, err := rewrite.New(tr.catalog(phase.Off))
	require.NoError(t, err)
	for i, c := range cases {
		if c.refused {
			continue
		}
		want[i] = tr.observe(t, original, c, c.sql, "")
		if want[i].Code == "42703" {
			// It names the target, which the original database does not have:
			// what phase off makes of it shows what it means.
			want[i] = tr.observe(t, original, c, off.Rewrite(c.sql).SQL, "")
		}
		if tr.strict && want[i].Code == "42601" && c.code != want[i].Code {
			t.Logf("this version of PostgreSQL does not know: %s", c.sql) // MERGE before 15
		} else if tr.strict {
			assert.Equal(t, c.code, want[i].Code, "%s: %s", c.place, c.sql)
		}
	}
	for _, s := range states {
		if s.phase == phase.Named && tr.strict {
			continue // what has another type has no original to compare with
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.NewFrom(t, setup+tr.expand(s)).Conn(t)
			r, err := rewrite.New(tr.catalog(s.phase))
			require.NoError(t, err)
			for i, c := range cases {
				result := r.Rewrite(c.sql)
				if c.refused {
					assert.Equal(t, rewrite.Refused, result.Outcome, "%s: %s", c.place, c.sql)
					continue
				}
				if result.Outcome == rewrite.Refused {
					if want[i].Code != "" {
						continue // PostgreSQL rejects it too
					}
					t.Errorf("%s: %s\nrefused: %s", c.place, c.sql, result.Refusal.Message)
					continue
				}
				want, got := want[i], tr.observe(t, conn, c, result.SQL, s.phase)
				if c.lossy && s.phase.Behaviour().Read == phase.Target {
					want.Left, got.Left = nil, nil
				}
				if !assert.Equal(t, want, got, c.place) {
					t.Logf("original:  %s\nrewritten: %s", c.sql, result.SQL)
				}
			}
		})
	}
}
