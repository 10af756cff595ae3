package dualwrite

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

// traced puts the hook's tracer after the application's, so that it finds the
// span which that one has begun.
func traced(application pgx.QueryTracer) pgx.QueryTracer {
	if application == nil {
		return spanTracer{} // database/sql can have a span all the same
	}
	return multitracer.New(application, spanTracer{})
}

// spanTracer lends a connection the application's span while a query, a batch or
// a COPY runs. What the hook does with a statement is known only when it is sent.
type spanTracer struct{}

var (
	_ pgx.BatchTracer    = spanTracer{}
	_ pgx.CopyFromTracer = spanTracer{}
)

func (spanTracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return lend(ctx, conn)
}

func (spanTracer) TraceQueryEnd(_ context.Context, conn *pgx.Conn, _ pgx.TraceQueryEndData) {
	takeBack(conn)
}

func (spanTracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return lend(ctx, conn)
}

func (spanTracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (spanTracer) TraceBatchEnd(_ context.Context, conn *pgx.Conn, _ pgx.TraceBatchEndData) {
	takeBack(conn)
}

func (spanTracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return lend(ctx, conn)
}

func (spanTracer) TraceCopyFromEnd(_ context.Context, conn *pgx.Conn, _ pgx.TraceCopyFromEndData) {
	takeBack(conn)
}

func lend(ctx context.Context, conn *pgx.Conn) context.Context {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() || !isQuery(span) {
		return ctx
	}
	if c := connOf(conn.PgConn()); c != nil && len(c.tokens) > 0 {
		c.span = annotation{span: span}
	}
	return ctx
}

func takeBack(conn *pgx.Conn) {
	if c := connOf(conn.PgConn()); c != nil {
		c.span = annotation{}
	}
}

// isQuery tells a query's span from the one around it, an HTTP request's for
// example: those of databases are of the kind client. The SDK lets it be read.
func isQuery(span trace.Span) bool {
	s, ok := span.(interface{ SpanKind() trace.SpanKind })
	return ok && s.SpanKind() == trace.SpanKindClient
}

// annotation is what a span of the application has been told. A batch has one
// for all its statements.
type annotation struct {
	span    trace.Span // nil when there is none
	outcome rewrite.Outcome
	touched []int // transitions of the world, sorted
}

// severity orders outcomes: of several, a span has the one that says most.
var severity = map[rewrite.Outcome]int{rewrite.Passed: 1, rewrite.Rewritten: 2, rewrite.Refused: 3}

// annotate tells the application's span about a statement; nil stands for one
// that goes out as it came.
func (c *conn) annotate(s *statement) {
	a, outcome := &c.span, rewrite.Passed
	if s.changed() {
		outcome = s.result.Outcome
	}
	news := severity[outcome] > severity[a.outcome]
	if news {
		a.outcome = outcome
	}
	if outcome == rewrite.Rewritten {
		for i, token := range c.tokens {
			if at, known := slices.BinarySearch(a.touched, i); !known && names(s.send, token) {
				a.touched, news = slices.Insert(a.touched, at, i), true
			}
		}
	}
	if !news {
		return
	}
	attributes := []attribute.KeyValue{telemetry.EpochKey.Int(c.epoch), telemetry.Outcome.String(string(a.outcome))}
	if len(a.touched) > 0 {
		transitions, phases := make([]string, len(a.touched)), make([]string, len(a.touched))
		for i, n := range a.touched {
			t := c.world.view.Transitions[n]
			transitions[i], phases[i] = t.Name, string(t.Phase)
		}
		attributes = append(attributes, telemetry.Transition.String(strings.Join(transitions, ",")),
			telemetry.PhaseKey.String(strings.Join(phases, ",")))
	}
	a.span.SetAttributes(attributes...)
}

// names tells whether a rewritten text names a token. One can be the beginning
// of another.
func names(text, token string) bool {
	for {
		i := strings.Index(text, token)
		if i < 0 {
			return false
		}
		if text = text[i+len(token):]; text == "" || text[0] < '0' || text[0] > '9' {
			return true
		}
	}
}
