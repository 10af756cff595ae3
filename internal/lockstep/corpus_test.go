package lockstep_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/lockstep"
)

// corpus runs the hand-written statements, each by itself.
func corpus(t *testing.T, world *lockstep.World) {
	cases, err := world.Kind.Corpus("testdata/*.sql")
	require.NoError(t, err)
	// To the rewriter, shadow is dualwrite and rampdown is live.
	world = world.Without("shadow", "rampdown")
	off := world.Against(world.Expanded[0])
	wrong := map[string]int{}
	for _, c := range cases {
		judge := world
		if c.Target {
			judge = off
		}
		want, found, err := judge.Step(t.Context(), c.Step, judge.Expanded)
		require.NoError(t, err, c.Place)
		if code := want.Answers[0].Code; code != "" {
			wrong[code]++
		}
		found = slices.DeleteFunc(found, func(d lockstep.Difference) bool {
			return d.Aspect == lockstep.Refused && isJustified(d.Got)
		})
		if len(found) == 0 {
			continue
		}
		var phases []string
		for _, d := range found {
			phases = append(phases, d.Side.Name)
		}
		d, sql := found[len(found)-1], want.Answers[0].SQL
		t.Errorf("%s differs: %s, phases %s: %s\nrewritten: %s\noriginal: %s\nexpanded: %s",
			d.Aspect, c.Place, strings.Join(phases, ", "), sql, d.Side.Explain(sql), d.Want, d.Got)
	}
	t.Logf("%d statements, of which PostgreSQL rejects: %v", len(cases), wrong)
}
