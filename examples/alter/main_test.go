package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestAlter(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	r, err := run(t.Context(), options{rows: 2000, workers: 3, databaseURL: db.URL})
	require.NoError(t, err)
	require.True(t, r.OK, "%+v", r)
	require.Equal(t, len(operations), r.Operations)
	require.Positive(t, r.Statements)
	require.GreaterOrEqual(t, r.FilledRows, int64(2*2*2000+400))
	require.GreaterOrEqual(t, r.CountedRows, int64(2*5*2000))

	var out bytes.Buffer
	r.print(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var printed report
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &printed), "the last line is JSON")
	require.Equal(t, *r, printed)
}

// The audit has to fail when a write goes that somebody has made, or nothing that
// it says is worth anything.
func TestAuditNotices(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn := db.Conn(t)
	require.NoError(t, createTables(t.Context(), conn, 100))
	db.Exec(t, `alter table orders add column plan text, add column domain text, add column token text`)
	r := &report{Rows: 100}
	require.NoError(t, r.audit(t.Context(), conn, totals{inserted: 1, raised: 2}))
	require.EqualValues(t, 3, r.LostUpdates)
	require.EqualValues(t, 1, r.Unfinished)
}

func TestOptions(t *testing.T) {
	for _, args := range [][]string{{"-rows", "10"}, {"-workers", "0"}, {"more"}, {"-what"}} {
		require.Error(t, example.Parse("alter", args, &options{}), "%v", args)
	}
}
