package compat

import (
	"flag"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) {
	// GORM never ends the goroutine of its cache of prepared statements.
	pgtest.Main(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

var update = flag.Bool("update", false, "write docs/compatibility.md")

// subject is one line of the page.
type subject struct {
	section, name string
	// module is the path in go.mod that the version is taken from; empty where
	// there is none.
	module string
	// test finds out what the line says. It fails the test when what it sees is
	// not what it expects.
	test func(t *testing.T) outcome
}

// outcome is what a test has seen.
type outcome struct {
	verdict verdict
	// note says with which setting, or why not.
	note string
}

type verdict string

const (
	works        verdict = "works"
	worksWith    verdict = "works with this setting"
	notSupported verdict = "not supported"
)

// subjects in the order of the page.
var subjects = slices.Concat(libraries)

// TestCompatibility tests every subject, and then that the page says so.
func TestCompatibility(t *testing.T) {
	var mu sync.Mutex // guards seen
	seen := map[string]outcome{}
	t.Run("subject", func(t *testing.T) {
		for _, s := range subjects {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				o := s.test(t)
				mu.Lock()
				defer mu.Unlock()
				require.NotContains(t, seen, s.name, "two subjects have this name")
				seen[s.name] = o
			})
		}
	})
	switch {
	case t.Failed():
	case len(seen) < len(subjects):
		t.Logf("docs/compatibility.md is not compared: only %d of %d subjects ran: %v",
			len(seen), len(subjects), slices.Sorted(maps.Keys(seen)))
	default:
		checkPage(t, seen)
	}
}
