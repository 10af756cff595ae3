package migrator

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

// story makes spans of what one session of the migrator does: of steps, and in
// them of drains, scans and statements. Of a transition all spans are in one
// trace, whichever process makes them and when: its id follows from the ledger.
type story struct {
	tracer trace.Tracer
	// caller is the span around the call; spans of steps link to it.
	caller trace.SpanContext

	step, drain, scan, statement part
	// waiting is how many the drain waited for when last looked.
	waiting int
	seen    seen
}

// part is a span that is open; the zero value is none.
type part struct {
	ctx  context.Context
	span trace.Span
}

// seen is what the span of a scan has been told.
type seen struct {
	job     string
	percent int64
	held    string
	notes   int
}

// maxNotes bounds the events of a scan's span that are about the throttle. With
// one for each percent they are less than the 128 that an SDK keeps.
const maxNotes = 20

func newStory(ctx context.Context, p trace.TracerProvider) *story {
	if p == nil {
		p = otel.GetTracerProvider()
	}
	return &story{tracer: p.Tracer(scope), caller: trace.SpanContextFromContext(ctx)}
}

// traceOf is the parent of a transition's spans, which is no span itself.
func traceOf(t *ledger.Transition) context.Context {
	sum := sha256.Sum256(fmt.Appendf(nil, "crossfade %d %s %d", t.ID, t.Name, t.CreatedAt.UnixMicro()))
	return trace.ContextWithRemoteSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(sum[:16]), SpanID: trace.SpanID(sum[16:24]), TraceFlags: trace.FlagsSampled, Remote: true,
	}))
}

// begin opens a span in the innermost part that is open.
func (s *story) begin(t *ledger.Transition, name string, attributes ...attribute.KeyValue) part {
	parent := traceOf(t)
	options := []trace.SpanStartOption{trace.WithAttributes(append(attributes, telemetry.Transition.String(t.Name))...)}
	switch {
	case s.scan.span != nil:
		parent = s.scan.ctx
	case s.drain.span != nil:
		parent = s.drain.ctx
	case s.step.span != nil:
		parent = s.step.ctx
	case s.caller.IsValid():
		options = append(options, trace.WithLinks(trace.Link{SpanContext: s.caller}))
	}
	ctx, span := s.tracer.Start(parent, name, options...)
	return part{ctx, span}
}

func (p *part) end(err error, attributes ...attribute.KeyValue) {
	if p.span == nil {
		return
	}
	p.span.SetAttributes(attributes...)
	if err != nil {
		p.span.SetStatus(codes.Error, err.Error())
	}
	p.span.End()
	*p = part{}
}

// end closes what is open, the innermost first.
func (s *story) end(err error) {
	s.statement.end(err)
	s.scan.end(err)
	s.drain.end(err)
	s.step.end(err)
}

// observe turns an event into a span, or a part of one.
func (s *story) observe(t *ledger.Transition, e Event) {
	if t.ID == 0 {
		return // not registered yet
	}
	switch e := e.(type) {
	case StepEvent:
		s.onStep(t, e)
	case StatementEvent:
		s.onStatement(t, e)
	case DrainEvent:
		s.onDrain(t, e)
	case BatchEvent:
		s.onBatch(t, e.Progress)
	}
}

func (s *story) onStep(t *ledger.Transition, e StepEvent) {
	if e.Done {
		phase := []attribute.KeyValue{telemetry.PhaseKey.String(string(t.Phase)), telemetry.EpochKey.Int(t.Epoch)}
		if s.step.span != nil {
			s.step.span.SetAttributes(phase...)
		}
		s.end(e.Err)
		return
	}
	s.end(nil)
	name := "step " + e.Name
	if e.Undo {
		name = "undo " + e.Name
	}
	s.step = s.begin(t, name, telemetry.Step.String(e.Name), telemetry.Undo.Bool(e.Undo))
}

// onStatement names a span by the statement's first words. The text of DDL is
// the migrator's own; those who block it are not named, as their SQL may hold
// values.
func (s *story) onStatement(t *ledger.Transition, e StatementEvent) {
	switch {
	case e.Done:
		s.statement.end(e.Err, telemetry.Attempts.Int(e.Retry+1))
	case e.Retry > 0:
		if s.statement.span != nil {
			s.statement.span.AddEvent("lock not available", trace.WithAttributes(
				telemetry.Attempts.Int(e.Retry), telemetry.Sessions.Int(len(e.Blockers))))
		}
	default:
		name, isLedger := strings.CutPrefix(e.SQL, "-- ")
		attributes := []attribute.KeyValue{attribute.String("db.system.name", "postgresql")}
		if isLedger {
			name = "ledger: " + name
		} else {
			words := strings.Fields(e.SQL)
			name = strings.Join(words[:min(2, len(words))], " ")
			attributes = append(attributes, attribute.String("db.query.text", e.SQL), telemetry.Lock.String(e.Lock))
		}
		s.statement.end(nil)
		s.statement = s.begin(t, name, attributes...)
	}
}

func (s *story) onDrain(t *ledger.Transition, e DrainEvent) {
	if s.drain.span == nil {
		s.drain = s.begin(t, "drain", telemetry.From.String(string(e.From)), telemetry.To.String(string(e.To)), telemetry.EpochKey.Int(e.Epoch))
		s.waiting = 0
	}
	if n := len(e.Waiting); n != s.waiting {
		s.waiting = n
		s.drain.span.AddEvent("waiting", trace.WithAttributes(telemetry.Sessions.Int(n)))
	}
	if e.Done {
		s.drain.end(nil, telemetry.Fenced.Int(len(e.Fenced)))
	}
}

// onBatch makes one span of a scan, with an event for each percent of it: a
// large table has a million batches.
func (s *story) onBatch(t *ledger.Transition, p JobProgress) {
	if s.scan.span == nil || s.seen.job != p.Job {
		s.scan.end(nil)
		s.scan = s.begin(t, p.Job, telemetry.Job.String(p.Job))
		s.seen = seen{job: p.Job}
	}
	rows := []attribute.KeyValue{telemetry.Scanned.Int64(p.RowsScanned), telemetry.Changed.Int64(p.RowsChanged),
		telemetry.Differing.Int64(p.Mismatches)}
	if percent := p.RowsScanned * 100 / max(p.Estimate, 1); percent > s.seen.percent && percent <= 100 {
		s.seen.percent = percent
		s.scan.span.AddEvent("progress", trace.WithAttributes(rows...))
	}
	if held := holding(p); held != s.seen.held && s.seen.notes < maxNotes {
		s.seen.held = held
		s.seen.notes++
		s.scan.span.AddEvent("throttle", trace.WithAttributes(telemetry.Signal.String(held)))
	}
	if p.Finished {
		s.scan.end(nil, rows...)
	}
}

// holding names the signals that hold a scan; empty when none does.
func holding(p JobProgress) string {
	var names []string
	for _, signal := range p.Signals {
		if signal.Holds {
			names = append(names, signal.Signal)
		}
	}
	return strings.Join(names, ",")
}
