package phase_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// TestEveryPair walks every pair of phases: neighbours may follow each other,
// nothing else, and nothing leads back once the source is gone.
func TestEveryPair(t *testing.T) {
	all := phase.All()
	for i, p := range all {
		for j, q := range all {
			want := j == i+1 || j == i-1 && p != phase.Contracted
			require.Equal(t, want, p.CanMoveTo(q), "%s -> %s", p, q)
		}
		require.Equal(t, p == phase.Contracted, p.CanMoveTo(phase.Named), p)
		require.False(t, phase.Named.CanMoveTo(p), p)
		require.False(t, p.CanMoveTo("unknown"))
		require.False(t, phase.Phase("unknown").CanMoveTo(p))
	}
}

// TestAdjacentPhasesAgree: of two phases that may be in force at once, the one
// that reads a column may only meet one that writes it. Complete and rampdown
// meet because the source is not read in either.
func TestAdjacentPhasesAgree(t *testing.T) {
	writes := func(b phase.Behaviour, s phase.Side) bool {
		if s == phase.Source {
			return b.WriteSource
		}
		return b.WriteTarget
	}
	for _, p := range phase.All() {
		for _, q := range phase.All() {
			if p != q && !p.CanMoveTo(q) {
				continue
			}
			require.True(t, writes(q.Behaviour(), p.Behaviour().Read), "%s reads what %s does not write", p, q)
		}
	}
}

func TestParse(t *testing.T) {
	for _, p := range append(phase.All(), phase.Named) {
		got, err := phase.Parse(string(p))
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
	_, err := phase.Parse("OFF")
	require.ErrorContains(t, err, `"OFF"`)
	require.Panics(t, func() { phase.Phase("OFF").Behaviour() })
}

func TestPath(t *testing.T) {
	var path []phase.Phase
	for p, more := phase.Off, true; more; p, more = p.Next() {
		path = append(path, p)
		require.True(t, p == phase.Off || phase.Off.Before(p))
	}
	require.Equal(t, phase.All(), path)
}
