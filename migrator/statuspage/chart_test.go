package statuspage

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// every is a series of rates, one each two seconds up to noon.
func every(rates ...float64) series {
	var s series
	for i, rate := range rates {
		s = append(s, point{at: noon.Add(time.Duration(i-len(rates)+1) * 2 * time.Second), rate: rate})
	}
	return s
}

var config = Config{}.withDefaults()

func TestChart(t *testing.T) {
	t.Parallel()
	plot := transitionPlots[0]
	_, top := plot.draw(every(5), noon, config)
	require.Zero(t, top, "one point is no line")
	_, top = plot.draw(every(0, 0, math.NaN()), noon, config)
	require.Zero(t, top, "there is nothing to see")
	drawn, top := plot.draw(every(0, 800, 1400), noon, config)
	require.InDelta(t, 1400, top, 0)
	require.Equal(t, "1,400", drawn.Lines[0].Now)
	require.Equal(t, []mark{{108, "0"}, {59, "1,000"}, {10, "2,000"}}, drawn.Grid)
	require.Equal(t, []mark{{52, "1 min ago"}, {202, "30s ago"}, {352, "now"}}, drawn.Times)
	require.True(t, strings.HasSuffix(drawn.Lines[0].Path, "L352.0 39.4"), drawn.Lines[0].Path)

	// What is not known is not drawn, and what lies between two looks far apart neither.
	drawn, _ = plot.draw(every(1, 2, math.NaN(), 3, 4), noon, config)
	require.Equal(t, 2, strings.Count(drawn.Lines[0].Path, "M"))
	gap := append(every(1, 2), point{at: noon.Add(time.Minute), rate: 3})
	drawn, _ = plot.draw(gap, noon.Add(time.Minute), config)
	require.Equal(t, 2, strings.Count(drawn.Lines[0].Path, "M"))
	drawn, _ = plot.draw(every(1, math.NaN()), noon, config)
	require.Equal(t, "unknown", drawn.Lines[0].Now)

	// However many points there are, a line is short, and stays in its frame.
	drawn, _ = plot.draw(every(make([]float64, 899)...), noon, config)
	require.Empty(t, drawn.Lines)
	many := make([]float64, 900)
	for i := range many {
		many[i] = float64(i % 7)
	}
	drawn, _ = plot.draw(every(many...), noon, config)
	require.LessOrEqual(t, strings.Count(drawn.Lines[0].Path, "L"), columns+1)
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		value, base float64
		whole       bool
		want        float64
	}{
		{.3, 10, false, .5}, {.3, 10, true, 1}, {1, 10, true, 1}, {3, 10, true, 5}, {7, 10, false, 10}, {12345, 10, false, 20000},
		{100, 1024, false, 100}, {3 << 20, 1024, false, 5 << 20}, {900 << 30, 1024, false, 1000 << 30},
	} {
		require.InDelta(t, x.want, round(x.value, x.base, x.whole), 1e-9, "%v", x)
	}
}

// TestRemember: the rate is that of the last seconds of the same scan, and what is
// older than the window is forgotten.
func TestRemember(t *testing.T) {
	t.Parallel()
	page := &Page{config: Config{Window: 20 * time.Second}.withDefaults()}
	past, at := map[string]series{}, noon
	look := func(job string, rows int64) point {
		at = at.Add(2 * time.Second)
		s := migrator.Status{Position: migrator.Position{Name: "x"}}
		if job != "" {
			s.Jobs = []migrator.JobProgress{{Job: job, RowsScanned: rows}}
		}
		past = page.remember(past, state{at: at, list: []migrator.Status{s}})
		return past["x"][len(past["x"])-1]
	}
	require.True(t, math.IsNaN(look("backfill", 0).rate))
	require.InDelta(t, 500, look("backfill", 1000).rate, 0)
	require.InDelta(t, 500, look("backfill", 2000).rate, 0)
	for rows := int64(3000); rows < 30000; rows += 1000 {
		require.InDelta(t, 500, look("backfill", rows).rate, 0)
	}
	require.Len(t, past["x"], 11)
	require.True(t, math.IsNaN(look("verify", 5).rate), "another scan")
	require.True(t, math.IsNaN(look("", 0).rate), "none")
	require.True(t, math.IsNaN(look("verify", 3).rate), "it has begun anew")
	at = at.Add(time.Hour)
	look("", 0)
	require.Len(t, past["x"], 1)
	past = page.remember(past, state{at: at})
	require.NotContains(t, past, "x", "it is gone")
}
