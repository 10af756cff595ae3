package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// receiver counts what comes by OTLP.
type receiver struct {
	mu    sync.Mutex // guards what follows
	bytes map[string]int
	names []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes[req.URL.Path] += len(body)
	r.names = append(r.names, body...)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// TestRun migrates under traffic, and looks at what three exporters have got.
func TestRun(t *testing.T) {
	r := &receiver{bytes: map[string]int{}}
	server := httptest.NewServer(r)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
	seen, err := run(t.Context(), pgtest.New(t).URL, options{rows: 2000, linger: 500 * time.Millisecond})
	require.NoError(t, err)
	var out bytes.Buffer
	seen.print(&out)
	t.Log(out.String())

	t.Run("otlp", func(t *testing.T) {
		require.Positive(t, r.bytes["/v1/traces"])
		require.Positive(t, r.bytes["/v1/metrics"])
		for _, name := range []string{"crossfade.outcome", "step backfill", telemetry.Statements.Name, telemetry.Rows.Name} {
			require.True(t, bytes.Contains(r.names, []byte(name)), name)
		}
	})
	t.Run("queries", func(t *testing.T) { queries(t, seen.spans) })
	t.Run("steps", func(t *testing.T) { steps(t, seen.spans) })
	t.Run("names", func(t *testing.T) {
		known, found := exported(t), map[string]bool{}
		for _, family := range seen.metrics {
			if strings.HasPrefix(family.GetName(), "crossfade_") {
				found[family.GetName()] = true
				require.Contains(t, known, family.GetName(), "not in telemetry.Metrics")
			}
		}
		for name, m := range known {
			switch m.Name {
			case telemetry.Retries.Name: // nobody held a lock
			case telemetry.SyncLag.Name, telemetry.SyncBacklog.Name: // the log was not followed
			case telemetry.Ramp.Name: // it is there in phase live, which is over
			case telemetry.Skipped.Name, telemetry.ReadDuration.Name: // no reads were compared
			default:
				require.True(t, found[name], "%s is never reported", name)
			}
		}
	})
}

// queries: the application's spans, of otelpgx and of otelsql, say what became of
// the statement; the spans around them do not.
func queries(t *testing.T, spans []sdk.ReadOnlySpan) {
	phases := map[string]map[string]bool{}
	for _, s := range spans {
		outcome, phase := of(s, "crossfade.outcome"), of(s, "crossfade.phase")
		switch {
		case s.Name() == "PUT /users":
			require.Empty(t, outcome, "it is no query")
		case outcome == "rewritten":
			require.Equal(t, rename.Name, of(s, "crossfade.transition"))
			require.NotEmpty(t, of(s, "crossfade.epoch"))
			if phases[s.Name()] == nil {
				phases[s.Name()] = map[string]bool{}
			}
			phases[s.Name()][phase] = true
		case outcome != "" && s.Name() == "DO":
			require.Equal(t, "refused", outcome)
		case outcome != "" && s.Name() == "SELECT": // of no table
			require.Equal(t, "passed", outcome)
			require.Empty(t, phase)
		}
	}
	all := map[string]bool{"off": true, "dualwrite": true, "shadow": true, "live": true, "rampdown": true, "complete": true}
	for _, name := range []string{"UPDATE", "batch start", "sql.conn.query"} {
		require.Equal(t, all, phases[name], name)
	}
}

// steps: what six migrators did is one trace, and leads to who called them.
func steps(t *testing.T, spans []sdk.ReadOnlySpan) {
	byName := map[string]sdk.ReadOnlySpan{}
	for _, s := range spans {
		if s.InstrumentationScope().Name == "github.com/pgcrossfade/crossfade/migrator" {
			byName[s.Name()] = s
		}
	}
	var deploy sdk.ReadOnlySpan
	for _, s := range spans {
		if s.Name() == "deploy" {
			deploy = s
		}
	}
	root := byName["step register"]
	require.NotNil(t, root)
	for name, s := range byName {
		require.Equal(t, root.SpanContext().TraceID(), s.SpanContext().TraceID(), name)
		require.Equal(t, rename.Name, of(s, "crossfade.transition"), name)
		if strings.HasPrefix(name, "step ") {
			require.Equal(t, root.Parent().SpanID(), s.Parent().SpanID(), name)
			require.Len(t, s.Links(), 1, name)
			require.Equal(t, deploy.SpanContext().TraceID(), s.Links()[0].SpanContext.TraceID())
		}
	}
	parent := func(child, parent string) {
		require.NotNil(t, byName[child], child)
		require.Equal(t, byName[parent].SpanContext().SpanID(), byName[child].Parent().SpanID(), "%s in %s", child, parent)
	}
	parent("backfill", "step backfill")
	parent("verify", "step verify")
	parent("drain", "step complete")
	parent("ledger: move off -> dualwrite", "step dualwrite")
	require.Equal(t, "2000", of(byName["backfill"], "crossfade.rows.scanned"))
	require.NotEmpty(t, byName["backfill"].Events())
}
