package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestKey(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), pgtest.New(t).URL, &out), out.String())
	require.Contains(t, out.String(), "the next one is 3000000001")
}
