package statuspage

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
)

// chart is a line chart, drawn as SVG.
type chart struct {
	ID, Title string
	// Lines are drawn one over the other; Grid and Times are the marks of the axes.
	Lines       []line
	Grid, Times []mark
}

// line is the path of a figure; Class gives its colour, Now is its last value.
type line struct{ Class, Name, Path, Now string }

// mark is a place on an axis with its text.
type mark struct {
	At   float64
	Text string
}

// The frame of the lines, in units of the viewBox of 360 by 132.
const (
	frameLeft, frameRight = 52.0, 352.0
	frameTop, frameBottom = 10.0, 108.0
	// columns is how many points a line has at most.
	columns = 150
)

// plot says what a chart shows.
type plot struct {
	id, title string
	// unit prints a value, base is what its round numbers are multiples of, whole
	// that there is nothing between 0 and 1.
	unit    func(float64) string
	base    float64
	whole   bool
	figures []figure
}

// figure is one value of the points.
type figure struct {
	class, name string
	of          func(point) float64
}

func number(x float64) string  { return console.Count(int64(math.Round(x))) }
func seconds(x float64) string { return console.Duration(time.Duration(x * float64(time.Second))) }

// ago is a place on the axis of time.
func ago(d time.Duration) string {
	if d < time.Minute || d%time.Minute != 0 {
		return console.Duration(d) + " ago"
	}
	return number(d.Minutes()) + " min ago"
}

var (
	transitionPlots = []plot{
		{id: "rate", title: "Rows per second", unit: number, base: 10,
			figures: []figure{{"current", "rows/s", func(x point) float64 { return x.rate }}}},
		{id: "waiting", title: "Drain", unit: number, base: 10, whole: true,
			figures: []figure{{"older", "waited for", func(x point) float64 { return x.waiting }}}},
		{id: "lag", title: "Follower of the log: lag", unit: seconds, base: 10,
			figures: []figure{{"current", "behind", func(x point) float64 { return x.lag }}}},
		{id: "backlog", title: "Follower of the log: backlog", unit: console.Size, base: 1024,
			figures: []figure{{"current", "not applied", func(x point) float64 { return x.backlog }}}},
	}
	connectionsPlot = plot{id: "connections", title: "Connections", unit: number, base: 10, whole: true, figures: []figure{
		{"current", "newest epoch", func(x point) float64 { return x.current }},
		{"older", "older epochs", func(x point) float64 { return x.older }},
		{"unhooked", "no hook", func(x point) float64 { return x.unhooked }},
	}}
)

// charts are those of a transition in which there is something to see.
func charts(past series, now time.Time, c Config) []chart {
	var list []chart
	for _, p := range transitionPlots {
		if drawn, top := p.draw(past, now, c); top > 0 {
			list = append(list, drawn)
		}
	}
	return list
}

// draw returns also the highest value; 0 when there is nothing to see.
func (p plot) draw(past series, now time.Time, c Config) (chart, float64) {
	drawn, top := chart{ID: p.id, Title: p.title}, 0.0
	for _, x := range past {
		for _, f := range p.figures {
			if y := f.of(x); y > top { // not of NaN
				top = y
			}
		}
	}
	if len(past) < 2 || top == 0 {
		return drawn, 0
	}
	span := reach(now.Sub(past[0].at), c.Window)
	ceiling := round(top, p.base, p.whole)
	for _, f := range p.figures {
		l := line{Class: f.class, Name: f.name, Now: "unknown", Path: trace(past, f.of, now.Add(-span), span, ceiling, 4*c.Interval)}
		if y := f.of(past[len(past)-1]); !math.IsNaN(y) {
			l.Now = p.unit(y)
		}
		drawn.Lines = append(drawn.Lines, l)
	}
	for _, share := range []float64{0, .5, 1} {
		if y := share * ceiling; !p.whole || y == math.Trunc(y) {
			drawn.Grid = append(drawn.Grid, mark{frameBottom - share*(frameBottom-frameTop), p.unit(y)})
		}
		text := "now"
		if share < 1 {
			text = ago(time.Duration((1 - share) * float64(span)))
		}
		drawn.Times = append(drawn.Times, mark{frameLeft + share*(frameRight-frameLeft), text})
	}
	return drawn, top
}

// trace joins the points of a figure, the mean of those that fall in one column. It
// is broken where nothing is known for longer than gap.
func trace(past series, of func(point) float64, begin time.Time, span time.Duration, ceiling float64, gap time.Duration) string {
	var b strings.Builder
	var last time.Time
	for i := first(past, begin); i < len(past); {
		column := func(x point) int { return int(columns * x.at.Sub(begin) / span) }
		at, sum, n := column(past[i]), 0.0, 0
		began := past[i].at
		for ; i < len(past) && column(past[i]) == at; i++ {
			if y := of(past[i]); !math.IsNaN(y) {
				sum, n = sum+y, n+1
			}
		}
		if n == 0 {
			last = time.Time{}
			continue
		}
		verb := "L"
		if last.IsZero() || began.Sub(last) > gap {
			verb = "M"
		}
		last = past[i-1].at
		x := frameLeft + (frameRight-frameLeft)*float64(last.Sub(begin))/float64(span)
		y := frameBottom - (frameBottom-frameTop)*sum/float64(n)/ceiling
		fmt.Fprintf(&b, "%s%.1f %.1f", verb, x, y)
	}
	return b.String()
}

// reach is a round span that has room for d.
func reach(d, most time.Duration) time.Duration {
	for _, span := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
		if d <= span && span < most {
			return span
		}
	}
	return most
}

// round is the next round number: 1, 2 or 5 times ten to some power, in units of the
// base.
func round(x, base float64, whole bool) float64 {
	unit := 1.0
	for base != 10 && x >= unit*base {
		unit *= base
	}
	power := math.Pow(10, math.Floor(math.Log10(x/unit)))
	if whole {
		power = math.Max(power, 1)
	}
	for _, n := range []float64{1, 2, 5} {
		if x <= n*power*unit {
			return n * power * unit
		}
	}
	return 10 * power * unit
}
