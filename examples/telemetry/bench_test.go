package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// discard takes spans as an exporter would, and forgets them.
type discard struct{}

func (discard) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (discard) OnEnd(sdk.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error             { return nil }
func (discard) ForceFlush(context.Context) error           { return nil }

// plainSpans makes spans that do not tell their kind: the hook adds nothing to them.
type plainSpans struct{ trace.Tracer }

func (p plainSpans) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	ctx, span := p.Tracer.Start(ctx, name, options...)
	span = struct{ trace.Span }{span}
	return trace.ContextWithSpan(ctx, span), span
}

type plainProvider struct{ trace.TracerProvider }

func (p plainProvider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return plainSpans{p.TracerProvider.Tracer(name, options...)}
}

// way is one way to send a statement, measured against the others.
type way struct {
	name string
	pool *pgxpool.Pool
	took []float64 // microseconds
}

// BenchmarkTracing compares what a statement takes with and without otelpgx, the
// hook, and the attributes that the hook adds. All ways take turns, in random
// order, so that what else the machine does hits all alike.
func BenchmarkTracing(b *testing.B) {
	db := pgtest.NewFrom(b, schema)
	db.Exec(b, `insert into users select i, 'user ' || i from generate_series(1, 1000) i`)
	m, err := migrator.New(db.Config(b), migrator.Config{Logger: slog.New(slog.DiscardHandler), Throttle: migrator.ThrottleOff})
	require.NoError(b, err)
	require.NoError(b, m.Init(b.Context(), migrator.InitOptions{}))
	_, err = m.Start(b.Context(), rename)
	require.NoError(b, err)
	_, err = m.Run(b.Context(), rename.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(b, err)

	db.Exec(b, `vacuum (analyze) users`)

	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(discard{}), sdk.WithSampler(sdk.AlwaysSample()))
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(b, err)
	open := func(name string, hooked bool, p trace.TracerProvider) *way {
		config, err := pgxpool.ParseConfig(db.URL)
		require.NoError(b, err)
		config.MaxConns = 1
		config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
		if p != nil {
			config.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(p))
		}
		newPool := pgxpool.NewWithConfig
		if hooked {
			newPool = hook.NewPool
		}
		pool, err := newPool(b.Context(), config)
		require.NoError(b, err)
		b.Cleanup(pool.Close)
		return &way{name: name, pool: pool}
	}
	ways := []*way{
		open("pgx", false, nil),
		open("otelpgx", false, provider),
		open("hook", true, nil),
		open("hook+otelpgx", true, plainProvider{provider}),
		open("hook+otelpgx+attributes", true, provider),
	}
	for _, statement := range []struct {
		name string
		do   func(context.Context, *pgxpool.Pool, int) error
	}{
		{"read", func(ctx context.Context, pool *pgxpool.Pool, id int) (err error) {
			var name string
			return pool.QueryRow(ctx, `select full_name from users where id = $1`, id).Scan(&name)
		}},
		{"write", func(ctx context.Context, pool *pgxpool.Pool, id int) error {
			_, err := pool.Exec(ctx, `update users set full_name = $2 where id = $1`, id, "somebody")
			return err
		}},
		{"batch", func(ctx context.Context, pool *pgxpool.Pool, id int) error {
			batch := &pgx.Batch{}
			for i := range 10 {
				batch.Queue(`select full_name from users where id = $1`, (id+i)%1000+1)
			}
			return pool.SendBatch(ctx, batch).Close()
		}},
	} {
		b.Run(statement.name, func(b *testing.B) {
			ctx := b.Context()
			for _, w := range ways {
				w.took = nil
				for id := range 20 {
					require.NoError(b, statement.do(ctx, w.pool, id+1), w.name)
				}
			}
			for b.Loop() {
				id := rand.IntN(1000) + 1
				for _, i := range rand.Perm(len(ways)) {
					start := time.Now()
					if err := statement.do(ctx, ways[i].pool, id); err != nil {
						b.Fatal(ways[i].name, err)
					}
					ways[i].took = append(ways[i].took, float64(time.Since(start).Nanoseconds())/1000)
				}
			}
			for _, w := range ways {
				slices.Sort(w.took)
				b.ReportMetric(w.took[len(w.took)/2], w.name+"-us")
				b.ReportMetric(w.took[len(w.took)/10], fmt.Sprintf("%s-p10-us", w.name))
			}
			b.ReportMetric(0, "ns/op") // of all ways together: it says nothing
		})
	}
}
