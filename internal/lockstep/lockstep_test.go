package lockstep_test

import (
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/lockstep"
)

var (
	histories = flag.Int("lockstep.n", 2, "how many histories to run for each kind of transition")
	length    = flag.Int("lockstep.steps", 10, "how many steps a history has")
	// Fixed by default: what main must pass must not depend on luck.
	seed     = flag.Uint64("lockstep.seed", 1, "the seed of the first history; 0: a random one")
	duration = flag.Duration("lockstep.duration", 0, "go on for this long, whatever -lockstep.n says")
	all      = flag.Bool("lockstep.all", false, "go on after a finding")
)

// TestKinds runs, for every kind of transition and in every phase, the
// hand-written statements and random histories against the hook.
func TestKinds(t *testing.T) {
	first := *seed
	if first == 0 {
		first = rand.Uint64N(1_000_000_000)
	}
	t.Logf("-lockstep.seed=%d", first)
	deadline := time.Now().Add(*duration)
	for _, kind := range lockstep.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			world := lockstep.NewWorld(t, kind, kind.States(), hooked)
			t.Run("corpus", func(t *testing.T) { corpus(t, world) })
			t.Run("histories", func(t *testing.T) { random(t, world, first, deadline) })
		})
	}
}

// random runs histories from a seed on.
func random(t *testing.T, world *lockstep.World, first uint64, deadline time.Time) {
	report := lockstep.NewReport()
	o := lockstep.Options{Steps: *length, Accept: isJustified}
	seen := map[string]bool{}
	for n := 0; n < *histories || time.Now().Before(deadline); n++ {
		before := len(report.Findings)
		require.NoError(t, world.History(t.Context(), first+uint64(n), o, &report))
		for _, f := range report.Findings[before:] {
			if !seen[f.Signature()] {
				seen[f.Signature()] = true
				t.Errorf("%s", f)
			}
		}
		if t.Failed() && !*all {
			break
		}
	}
	t.Logf("%d statements, %d of them rejected by PostgreSQL", report.Statements, report.Rejected)
	for _, message := range slices.Sorted(maps.Keys(report.Rejections)) {
		t.Logf("rejected %d times: %s", report.Rejections[message], message)
	}
	for _, message := range slices.Sorted(maps.Keys(report.Refusals)) {
		t.Logf("refused %d times: %s", report.Refusals[message], message)
	}
	// A generator whose statements fail tests nothing.
	if report.Statements > 500 {
		assert.Less(t, report.Rejected, report.Statements/3, "too many statements are invalid")
	}
}
