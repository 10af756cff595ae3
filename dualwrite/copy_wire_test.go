package dualwrite

import (
	"bytes"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

const copying = `copy public.synced (id, full_name) from stdin`

func TestWriterLocksTheTokenBeforeCopy(t *testing.T) {
	c := wired(t)
	var out bytes.Buffer
	w := &writer{to: &out, conn: c}
	_, err := w.Write(encode(t, &pgproto3.Query{String: copying}))
	require.NoError(t, err)
	require.Equal(t, encode(t, &pgproto3.Query{String: "LOCK TABLE crossfade.t2_dualwrite_3 IN ACCESS SHARE MODE; " + copying}), out.Bytes())
}

// Parse takes one statement only.
func TestWriterRefusesToPrepareCopy(t *testing.T) {
	c := wired(t)
	w := &writer{to: io.Discard, conn: c}
	_, err := w.Write(encode(t, &pgproto3.Parse{Name: "a", Query: copying}))
	require.NoError(t, err)
	s := c.prepared([]byte("a"))
	require.Equal(t, rewrite.Refused, s.result.Outcome)
	require.Equal(t, copying, s.original)
	require.Contains(t, s.send, refusedName)
	require.Equal(t, 1, c.texts.translate([]byte(copying)).result.Leading, "what is sent as a Query is another matter")
}

func TestReaderSwallowsWhatTheHookPutBefore(t *testing.T) {
	lock := &pgproto3.CommandComplete{CommandTag: []byte("LOCK TABLE")}
	notice := &pgproto3.NoticeResponse{Message: "C"}
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	copied := []pgproto3.BackendMessage{
		notice, &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0, 0}}, notice,
		&pgproto3.CommandComplete{CommandTag: []byte("COPY 1")}, ready,
	}
	queries := []pgproto3.FrontendMessage{
		&pgproto3.Query{String: copying}, &pgproto3.CopyData{Data: []byte("1\tx\n")}, &pgproto3.CopyDone{},
	}
	one := append([]pgproto3.BackendMessage{lock}, copied...)
	read, err := exchange(t, queries, answers(t, one...))
	require.NoError(t, err)
	require.Equal(t, answers(t, copied...), read)

	// Each of several, and not what belongs to the application.
	queries = append(append(queries, &pgproto3.Query{String: unrelated}), queries...)
	other := []pgproto3.BackendMessage{lock, ready}
	read, err = exchange(t, queries, append(append(answers(t, one...), answers(t, other...)...), answers(t, one...)...))
	require.NoError(t, err)
	require.Equal(t, append(append(answers(t, copied...), answers(t, other...)...), answers(t, copied...)...), read)

	// One that fails leaves nothing to swallow.
	for _, first := range [][]pgproto3.BackendMessage{{}, {lock}} {
		failed := append(first, &pgproto3.ErrorResponse{Severity: "ERROR", Code: "57014", Message: "cancelled"}, ready)
		read, err = exchange(t, queries[:4], append(answers(t, failed...), answers(t, other...)...))
		require.NoError(t, err)
		kinds, errs := decode(t, read)
		require.Equal(t, "EZCZ", kinds)
		require.Equal(t, "57014", errs[0].Code)
	}
}

func TestReaderExplainsStalePhaseOfCopy(t *testing.T) {
	read, err := exchange(t, []pgproto3.FrontendMessage{&pgproto3.Query{String: copying}}, answers(t,
		&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42P01", Message: `relation "crossfade.t2_dualwrite_3" does not exist`},
		&pgproto3.ReadyForQuery{TxStatus: 'I'}))
	require.NoError(t, err)
	_, errs := decode(t, read)
	require.True(t, IsStalePhase(errs[0]))
}
