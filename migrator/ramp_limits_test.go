package migrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// TestRampLimits: what passes a limit, and what is chance.
func TestRampLimits(t *testing.T) {
	t.Parallel()
	// took are as many comparisons, with these times.
	took := func(n int, source, target time.Duration) (r ledger.Reads) {
		for range n {
			r.Compared++
			r.Took(source, target)
		}
		return r
	}
	sum := func(list ...ledger.Reads) (r ledger.Reads) {
		for _, one := range list {
			r.Add(one)
		}
		return r
	}
	served := func(sourceErrors, source, targetErrors, target int64) ledger.Reads {
		return ledger.Reads{SourceErrors: sourceErrors, SourceStatements: source, TargetErrors: targetErrors, TargetStatements: target}
	}
	const us, ms = time.Microsecond, time.Millisecond
	for name, c := range map[string]struct {
		limits     RampLimits
		lately     ledger.Reads
		before     ledger.Reads // what was counted earlier in the phase
		why, whole string       // how it begins, or all of it
	}{
		"nothing":       {},
		"like for like": {lately: sum(took(100, 2*ms, 3*ms), served(10, 1000, 15, 1000))},

		"a mismatch":              {lately: ledger.Reads{Compared: 100, Mismatched: 1}, whole: "mismatches: 1 of 100 reads compared differed"},
		"more than the share":     {limits: RampLimits{Mismatches: 0.05}, lately: ledger.Reads{Compared: 100, Mismatched: 6}, why: "mismatches: 6 of 100"},
		"within the share":        {limits: RampLimits{Mismatches: 0.05}, lately: ledger.Reads{Compared: 100, Mismatched: 5}},
		"any may differ":          {limits: RampLimits{Mismatches: -1}, lately: ledger.Reads{Compared: 100, Mismatched: 100}},
		"what fails":              {lately: ledger.Reads{Compared: 9, Mismatched: 3, TargetFailed: 2}, whole: "mismatches: 3 of 9 reads compared differed, 2 of them fail where the target is read"},
		"given up is no mismatch": {lately: ledger.Reads{Compared: 9, Mismatched: 2, TargetTimeouts: 2}},

		"more errors":              {lately: served(10, 1000, 40, 1000), whole: "errors: 40 of 1000 statements failed that read the target, 10 of 1000 that read the source"},
		"a few more errors":        {lately: served(10, 1000, 25, 1000)},
		"one error of few":         {lately: served(0, 50, 1, 50)},
		"two errors of few":        {lately: served(0, 5000, 2, 60)},
		"all fail":                 {lately: served(0, 50, 50, 50), why: "errors: 50 of 50"},
		"too few statements":       {lately: served(0, 1000, 49, 49)},
		"both sides fail":          {lately: served(500, 1000, 500, 1000)},
		"nobody reads the source":  {lately: served(0, 0, 60, 1000), whole: "errors: 60 of 1000 statements failed that read the target, and too few read the source to compare with"},
		"nobody reads it any more": {lately: served(0, 0, 60, 1000), before: served(60, 1000, 0, 0)},
		"worse than before":        {lately: served(0, 0, 600, 1000), before: served(60, 1000, 0, 0), why: "errors: 600 of 1000 statements failed that read the target, 60 of 1000 that read the source since the phase began"},
		"errors do not matter":     {limits: RampLimits{Errors: -1}, lately: served(0, 1000, 1000, 1000)},

		"slower":                {lately: took(50, 2*ms, 10*ms), whole: "latency: reads of the target take 10ms, those of the source 2ms, on the average of 50; 50 were slower on the target, 0 on the source"},
		"a tighter limit":       {limits: RampLimits{Latency: 1.5}, lately: took(50, 4*ms, 7*ms), why: "latency: "},
		"slower within it":      {lately: took(500, 4*ms, 7*ms)},
		"too few comparisons":   {lately: took(49, 2*ms, 10*ms)},
		"not noticeable":        {lately: took(500, 10*us, 900*us)},
		"one was held up":       {lately: sum(took(99, 300*us, 300*us), took(1, 300*us, 900*ms))},
		"some were held up":     {lately: sum(took(500, 300*us, 300*us), took(10, 300*us, 900*ms), took(3, 900*ms, 300*us))},
		"one statement of many": {lately: sum(took(570, 300*us, 300*us), took(30, 300*us, 90*ms)), why: "latency: "},
		"slow both ways":        {lately: sum(took(300, 900*ms, 80*ms), took(290, 70*ms, 900*ms))},
		"given up": {
			lately: sum(took(30, 300*us, time.Second), took(30, 300*us, 300*us), ledger.Reads{Mismatched: 30, TargetTimeouts: 30}),
			why:    "latency: reads of the target take 500.15ms, those of the source 300µs, on the average of 60; 30 were slower on the target, 0 on the source; 30 of the target were given up",
		},
		"latency does not matter": {limits: RampLimits{Latency: -1}, lately: took(500, 2*ms, 900*ms)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			why := c.limits.withDefaults().passed(c.lately, sum(c.lately, c.before))
			switch {
			case c.whole != "":
				require.Equal(t, c.whole, why)
			case c.why != "":
				require.Contains(t, why, c.why)
			default:
				require.Empty(t, why)
			}
		})
	}
}
