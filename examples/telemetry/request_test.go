package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// says is a flag that always says the same.
type says struct{ answer migrator.Answer }

func (s says) Variant(context.Context, string) (migrator.Answer, error) { return s.answer, nil }
func (s says) Changed() <-chan struct{}                                 { return nil }

// TestRequest: a flag's request is a span with the attributes for feature flags.
func TestRequest(t *testing.T) {
	db := pgtest.NewFrom(t, schema)
	recorder := tracetest.NewSpanRecorder()
	m, err := migrator.New(db.Config(t), migrator.Config{
		Logger: slog.New(slog.DiscardHandler), TracerProvider: sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)),
	})
	require.NoError(t, err)
	require.NoError(t, m.Init(t.Context(), migrator.InitOptions{}))
	_, err = m.Start(t.Context(), rename)
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- m.Follow(ctx, migrator.FollowOptions{
			Source: says{migrator.Answer{Value: "dualwrite", Variant: "2", Reason: "TARGETING_MATCH", Provider: "flagd"}},
			Settle: time.Millisecond, Poll: 20 * time.Millisecond,
		})
	}()
	var last sdk.ReadOnlySpan
	pgtest.WaitFor(t, "the request to be granted", func() bool {
		for _, s := range recorder.Ended() {
			if s.Name() == "request" {
				last = s
			}
		}
		return last != nil && of(last, "crossfade.phase") == "dualwrite"
	})
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	for key, value := range map[attribute.Key]string{
		"feature_flag.key": "crossfade.users-name", "feature_flag.result.value": "dualwrite", "feature_flag.result.variant": "2",
		"feature_flag.result.reason": "TARGETING_MATCH", "feature_flag.provider.name": "flagd",
		"crossfade.transition": rename.Name, "crossfade.to": "dualwrite", "crossfade.held_by": "",
	} {
		require.Equal(t, value, of(last, key), string(key))
	}
}
