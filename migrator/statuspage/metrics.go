package statuspage

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/telemetry"
	"github.com/pgcrossfade/crossfade/migrator"
)

// metrics are those of docs/observability.md that the ledger and the sessions tell,
// as Prometheus reads them. When the ledger cannot be read the scrape fails, so
// that no old figure looks like a new one.
func (p *Page) metrics(w http.ResponseWriter, _ *http.Request) {
	s := p.current.Load()
	if err := p.fresh(s); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var e exposition
	for _, t := range s.list {
		e.transition(t)
	}
	e.connections(s)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = e.text().WriteTo(w)
}

// exposition collects samples by metric, since those of one have to stand together.
type exposition struct {
	order   []telemetry.Metric
	samples map[string][]string
}

// labels are pairs of names and values.
type labels []string

func (e *exposition) add(m telemetry.Metric, value float64, l labels) {
	var pairs []string
	for i := 0; i+1 < len(l); i += 2 {
		pairs = append(pairs, strings.ReplaceAll(l[i], ".", "_")+`="`+labelEscape.Replace(l[i+1])+`"`)
	}
	name := m.Prometheus()
	if e.samples[name] == nil {
		if e.samples == nil {
			e.samples = map[string][]string{}
		}
		e.order = append(e.order, m)
	}
	e.samples[name] = append(e.samples[name],
		name+"{"+strings.Join(pairs, ",")+"} "+strconv.FormatFloat(value, 'g', -1, 64))
}

var (
	labelEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	helpEscape  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

func (e *exposition) text() *bytes.Buffer {
	var b bytes.Buffer
	for _, m := range e.order {
		name := m.Prometheus()
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, helpEscape.Replace(m.Description), name, m.Kind)
		for _, sample := range e.samples[name] {
			b.WriteString(sample + "\n")
		}
	}
	return &b
}

func (e *exposition) transition(t migrator.Status) {
	name := labels{string(telemetry.Transition), t.Name}
	if t.Phase != "" {
		telemetry.EachPhase(t.Phase, func(p string, in int64) {
			e.add(telemetry.Phase, float64(in), append(slices.Clone(name), string(telemetry.PhaseKey), p))
		})
	}
	for _, j := range t.Jobs {
		e.job(j, append(slices.Clone(name), string(telemetry.Job), j.Job))
	}
	waiting := 0
	if t.Drain != nil {
		waiting = len(t.Drain.Waiting)
	}
	e.add(telemetry.DrainWaiting, float64(waiting), name)
	if tail := t.Tail; tail != nil && tail.Slot != "" && tail.NotedAgo != nil {
		e.add(telemetry.SyncLag, tail.Lag.Seconds(), name)
		e.add(telemetry.SyncBacklog, float64(tail.LagBytes), name)
	}
}

func (e *exposition) job(j migrator.JobProgress, l labels) {
	rate, left := j.Rate, max(j.Estimate-j.RowsScanned, 0)
	if j.Finished {
		left = 0
	}
	if j.Finished || !slices.ContainsFunc(j.Workers, func(w migrator.Worker) bool { return w.Alive }) {
		rate = 0 // nobody is at work
	}
	e.add(telemetry.Rows, float64(j.RowsScanned), l)
	e.add(telemetry.Rate, rate, l)
	e.add(telemetry.Remaining, float64(left), l)
	if j.Compares() {
		e.add(telemetry.Mismatches, float64(j.Mismatches), l)
	}
	for _, s := range j.Signals {
		if s.Limit > 0 {
			e.add(telemetry.Throttle, s.Value/s.Limit, append(slices.Clone(l), string(telemetry.Signal), s.Signal))
		}
	}
}

// connections counts those that have joined, as the hooks of all instances together
// do.
func (e *exposition) connections(s *state) {
	if len(s.list) == 0 {
		return
	}
	e.connectionsOf(s.database, s.address, s.list[0].Sessions)
	for _, standby := range s.list[0].Standbys {
		e.connectionsOf(s.database, standby.Name, standby.Sessions)
	}
}

func (e *exposition) connectionsOf(database, address string, sessions []migrator.EpochSessions) {
	where := labels{"db.namespace", database, "server.address", address}
	if host, port, err := net.SplitHostPort(address); err == nil {
		where = labels{"db.namespace", database, "server.address", host, "server.port", port}
	}
	for _, joined := range sessions { // by their epochs
		if joined.Epoch >= 0 {
			e.add(telemetry.Connections, float64(joined.Count), append(slices.Clone(where), string(telemetry.EpochKey), strconv.Itoa(joined.Epoch)))
		}
	}
}
