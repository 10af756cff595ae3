package dualwrite

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// A listener that reconnects with the configuration of its first connection, again
// and again, leaves nothing behind.
func TestConfigurationForgetsItsConnections(t *testing.T) {
	t.Parallel()
	hook, err := New(Config{})
	require.NoError(t, err)
	d := &dial{source: &source{hook: hook}, build: func(r io.Reader, w io.Writer) *pgproto3.Frontend { return pgproto3.NewFrontend(r, w) }}
	kept := d.buildFrontend(strings.NewReader(""), io.Discard)
	_, err = d.built[0].writer.Write(make([]byte, 8)) // a startup packet
	require.NoError(t, err)
	for range 100 {
		d.buildFrontend(strings.NewReader(""), io.Discard)
	}
	runtime.GC()
	d.buildFrontend(strings.NewReader(""), io.Discard)
	require.LessOrEqual(t, len(d.built), 3) // one may be in a register still
	require.NotNil(t, d.find(kept))
}

// OnEvent sees refusals as statements do.
func TestAsRefusalOfAnEvent(t *testing.T) {
	t.Parallel()
	e := Event{Kind: Refused, Err: &Refusal{Message: "no", Hint: "do", Position: 3}}
	r, ok := AsRefusal(e.Err)
	require.True(t, ok)
	require.Equal(t, &Refusal{Message: "no", Hint: "do", Position: 3}, r)
}
