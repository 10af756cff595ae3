package dualwrite

import (
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Stars says under which name the application sees a moving column where its
// SQL names none: in `*`, in whole rows, in an INSERT without a column list.
type Stars string

const (
	// StarsSource shows the source's name: what an application expects that
	// was written before the transition. It is the default.
	StarsSource Stars = "source"
	// StarsTarget shows the target's name.
	StarsTarget Stars = "target"
)

// Policy says what becomes of SQL that the hook cannot see into.
type Policy string

const (
	// PolicyRefuse refuses the statement with SQLSTATE 0A000.
	PolicyRefuse Policy = "refuse"
	// PolicyReport sends it as it is, and reports it as an Event of the kind
	// Reported. What it does to a column in transition is the application's to
	// answer for: it will write one side, and read what may be stale.
	PolicyReport Policy = "report"
)

// Config sets up a Hook. Its zero value works.
type Config struct {
	// Stars is the name that `*` shows; empty means StarsSource.
	Stars Stars

	// PollInterval is how often Run reads the epoch, in case a notification was
	// lost. Zero means 1 second.
	PollInterval time.Duration

	// AbsentInterval is how often Run looks for a ledger in a database that has
	// none. A ledger that registers a transition is noticed at once all the
	// same. Zero means 10 seconds.
	AbsentInterval time.Duration

	// DriftInterval is how long the knowledge of the tables' columns is trusted
	// before it is compared with the catalog again. Zero means 10 seconds.
	DriftInterval time.Duration

	// RecycleWithin spreads reconnecting after a flip: each connection of an
	// older epoch is used until its own random moment within this time, but no
	// longer. Its phase is legal until then. Zero means 1 second; a negative
	// value means at once.
	RecycleWithin time.Duration

	// OpaqueText is for statements that run or store SQL in a string or a body
	// (DO, CREATE FUNCTION, CREATE PROCEDURE, dblink, query_to_xml), when it
	// mentions a table in transition. Reported, there is an Event each time. Empty
	// means PolicyRefuse.
	OpaqueText Policy

	// OpaqueCalls is for calls of functions and procedures whose body names a
	// table in transition and its column. That is found by words: a comment counts,
	// SQL that is put together at run time does not. Reported, there is one Event
	// for each function and epoch. Empty means PolicyReport.
	OpaqueCalls Policy

	// Shadow compares a sample of the reads in the phases shadow and live. Its zero
	// value compares none.
	Shadow Shadow

	// MeterProvider takes the hook's metrics, which docs/observability.md lists. Nil
	// means the global one, which takes none until the application sets it. Spans
	// need none: the hook makes no spans, it adds attributes to the application's.
	MeterProvider metric.MeterProvider

	// OnEvent is told what happens to connections; nil is fine. It is called
	// from the goroutine that uses the connection, or from Run, possibly
	// several at once: it must return quickly and not use the connection.
	OnEvent func(Event)
}

func (c Config) withDefaults() (Config, error) {
	switch c.Stars {
	case "":
		c.Stars = StarsSource
	case StarsSource, StarsTarget:
	default:
		return c, fmt.Errorf("dualwrite: Stars is %q, must be %q or %q", c.Stars, StarsSource, StarsTarget)
	}
	for name, p := range map[string]*Policy{"OpaqueText": &c.OpaqueText, "OpaqueCalls": &c.OpaqueCalls} {
		if *p != "" && *p != PolicyRefuse && *p != PolicyReport {
			return c, fmt.Errorf("dualwrite: %s is %q, must be %q or %q", name, *p, PolicyRefuse, PolicyReport)
		}
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"PollInterval", &c.PollInterval, time.Second},
		{"AbsentInterval", &c.AbsentInterval, 10 * time.Second},
		{"DriftInterval", &c.DriftInterval, 10 * time.Second},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("dualwrite: %s is negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	var err error
	if c.Shadow, err = c.Shadow.withDefaults(); err != nil {
		return c, err
	}
	if c.RecycleWithin == 0 {
		c.RecycleWithin = time.Second
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	return c, nil
}
