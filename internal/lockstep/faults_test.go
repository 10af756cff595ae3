package lockstep_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/lockstep"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// planted are rewriters that are wrong in one way, each with the kind of
// transition that can show it.
var planted = []struct {
	name, kind string
	fault      lockstep.Fault
	// within is how many executions of statements may pass until it is found.
	within int
	// aspects are what it may be found by.
	aspects []lockstep.Aspect
}{
	{
		name: "forgets the default", kind: "rename with default",
		fault: lockstep.Fault{Definition: func(view *fence.View) {
			for i := range view.Transitions {
				view.Transitions[i].Definition.Sources[0].Default = ""
			}
		}},
		within: 1000, aspects: []lockstep.Aspect{lockstep.SQLSTATE, lockstep.Rows, lockstep.Contents, lockstep.Faulty},
	},
	{
		name: "evaluates twice", kind: "rename",
		fault: swapped("nextval('public.volatile')", "8675309::bigint").
			with("gen(", "btrim("),
		within: 3000, aspects: []lockstep.Aspect{lockstep.Faulty, lockstep.Sequences},
	},
	{
		name: "takes a WITH query for the table it hides", kind: "rename",
		fault:  mistaken("users"),
		within: 6000, aspects: []lockstep.Aspect{lockstep.SQLSTATE, lockstep.Rows, lockstep.Columns},
	},
	{
		name: "rewrites nothing", kind: "rename",
		fault:  lockstep.Fault{Ignore: true},
		within: 200, aspects: []lockstep.Aspect{lockstep.SQLSTATE, lockstep.Rows, lockstep.Columns, lockstep.Contents, lockstep.Faulty},
	},
	{
		name: "lets a star show both columns", kind: "rename",
		fault:  lockstep.Fault{After: stars},
		within: 1000, aspects: []lockstep.Aspect{lockstep.SQLSTATE, lockstep.Rows, lockstep.Columns},
	},
}

// TestPlantedFaults shows that the harness finds what it is there to find. What a
// rewriter without the fault would be blamed for as well does not count.
func TestPlantedFaults(t *testing.T) {
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			var states []lockstep.State
			for _, p := range []phase.Phase{phase.DualWrite, phase.Live, phase.Contracted} {
				states = append(states, lockstep.State{Name: string(p), Phase: p})
			}
			kind := named(t, p.kind)
			faulty := lockstep.NewWorld(t, kind, states, lockstep.Rewriting(p.fault))
			healthy := lockstep.NewWorld(t, kind, states, lockstep.Rewriting(lockstep.Fault{}))
			o := lockstep.Options{Steps: *length, Accept: func(string) bool { return true }}
			report := lockstep.NewReport()
			for seed := uint64(1); report.Statements < p.within; seed++ {
				before := len(report.Findings)
				require.NoError(t, faulty.History(t.Context(), seed, o, &report))
				if len(report.Findings) == before {
					continue
				}
				found := report.Findings[before]
				excused, err := healthy.Shows(t.Context(), found)
				require.NoError(t, err)
				if !excused && slices.Contains(p.aspects, found.Aspect) {
					t.Logf("after %d statements: %s", report.Statements, found)
					return
				}
			}
			require.Fail(t, "not found", "in %d statements", report.Statements)
		})
	}
}

func named(t *testing.T, name string) lockstep.Kind {
	for _, k := range lockstep.Kinds() {
		if k.Name == name {
			return k
		}
	}
	require.FailNow(t, "no kind "+name)
	panic("unreachable")
}

// swapping are pairs of texts: the rewriter sees the second in the place of the
// first.
type swapping []string

// swapped hides a volatile expression behind one that may be repeated.
func swapped(volatile, harmless string) swapping { return swapping{volatile, harmless} }

func (s swapping) with(volatile, harmless string) lockstep.Fault {
	s = append(s, volatile, harmless)
	var there, back []string
	for i := 0; i < len(s); i += 2 {
		there, back = append(there, s[i], s[i+1]), append(back, s[i+1], s[i])
	}
	return lockstep.Fault{Before: strings.NewReplacer(there...).Replace, After: strings.NewReplacer(back...).Replace}
}

// mistaken does not see that a WITH query bears the name of a table.
func mistaken(table string) lockstep.Fault {
	const hidden = "_with"
	return lockstep.Fault{
		Before: func(sql string) string {
			for _, follows := range []string{" as (", " as materialized (", " as not materialized (", " ("} {
				for _, precedes := range []string{"with ", "WITH ", "), ", "recursive "} {
					sql = strings.Replace(sql, precedes+table+follows, precedes+hidden+follows, 1)
				}
			}
			return sql
		},
		After: func(sql string) string { return strings.ReplaceAll(sql, hidden, table) },
	}
}

// stars lets `*` show the target as well.
func stars(sql string) string {
	const written = "email, users.full_name, users.age"
	return strings.Replace(sql, written, "email, users.full_name, users.name, users.age", 1)
}
