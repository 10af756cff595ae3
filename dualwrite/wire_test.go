package dualwrite

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// wired returns the state of a connection that has joined in phase off, without
// a server.
func wired(t testing.TB) *conn {
	hook, err := New(Config{})
	require.NoError(t, err)
	w, err := newWorld(hook, fence.View{}, catalog.Snapshot{})
	require.NoError(t, err)
	return &conn{
		hook: hook, armed: true, server: newServer(hook, "server", "db"), world: w, reading: &w.reading, epoch: 3,
		tokens: []string{"crossfade.t1_dualwrite_3", "crossfade.t2_dualwrite_3"}, texts: knownTexts(t),
	}
}

func knownTexts(t testing.TB) *translator {
	texts, err := newTranslator(knownCatalog())
	require.NoError(t, err)
	return texts
}

func beside(t testing.TB, first *translator) *translator {
	texts, err := first.beside(knownCatalog())
	require.NoError(t, err)
	return texts
}

func knownCatalog() rewrite.Catalog {
	return rewrite.Catalog{
		SearchPath: []string{"pg_catalog", "public"},
		Homonyms:   []rewrite.Name{{Schema: "public", Name: "users"}},
		Transitions: []rewrite.Transition{{
			ID: 1, Table: rewrite.Name{Schema: "public", Name: "users"},
			Move:  transform.Renamed(transform.Column{Name: "full_name", Type: "text", BaseType: "text"}, "name"),
			Phase: phase.DualWrite, Token: "t1_dualwrite_3",
		}, {
			ID: 2, Table: rewrite.Name{Schema: "public", Name: "synced"},
			Move:  transform.Renamed(transform.Column{Name: "full_name", Type: "text", BaseType: "text"}, "name"),
			Phase: phase.DualWrite, Token: "t2_dualwrite_3", Synced: true,
		}},
		Tables: []rewrite.Table{{
			Name: rewrite.Name{Schema: "public", Name: "users"}, Of: rewrite.Name{Schema: "public", Name: "users"},
			Columns: []rewrite.Column{{Name: "id", Type: "bigint"}, {Name: "full_name", Type: "text"}},
		}, {
			Name: rewrite.Name{Schema: "public", Name: "synced"}, Of: rewrite.Name{Schema: "public", Name: "synced"},
			Columns: []rewrite.Column{{Name: "id", Type: "bigint"}, {Name: "full_name", Type: "text"}},
		}},
	}
}

func encode(t testing.TB, messages ...pgproto3.FrontendMessage) []byte {
	var b []byte
	for _, m := range messages {
		var err error
		b, err = m.Encode(b)
		require.NoError(t, err)
	}
	return b
}

func answers(t testing.TB, messages ...pgproto3.BackendMessage) []byte {
	var b []byte
	for _, m := range messages {
		var err error
		b, err = m.Encode(b)
		require.NoError(t, err)
	}
	return b
}

const (
	touching  = `update users set full_name = $1 where id = $2`
	unrelated = `update accounts set balance = $1 where id = $2`
	refusing  = `copy users from stdin`
)

func TestWriterChangesOnlySQL(t *testing.T) {
	c := wired(t)
	send := c.texts.translate([]byte(touching)).send
	require.NotEqual(t, touching, send)
	messages := func(sql string) []pgproto3.FrontendMessage {
		return []pgproto3.FrontendMessage{
			&pgproto3.Parse{Name: "a", Query: unrelated},
			&pgproto3.Parse{Name: "b", Query: sql, ParameterOIDs: []uint32{25, 20}},
			&pgproto3.Describe{ObjectType: 'S', Name: "b"},
			&pgproto3.Bind{PreparedStatement: "b", Parameters: [][]byte{[]byte(touching), []byte("1")}},
			&pgproto3.Execute{},
			&pgproto3.Sync{},
			&pgproto3.Query{String: sql},
			&pgproto3.CopyData{Data: []byte("Q\x00\x00\x00\x99" + touching)},
			&pgproto3.CopyDone{},
			&pgproto3.CopyFail{Message: touching},
			&pgproto3.Close{ObjectType: 'S', Name: "b"},
			&pgproto3.PasswordMessage{Password: touching},
			&pgproto3.Terminate{},
		}
	}
	in, want := encode(t, messages(touching)...), encode(t, messages(send)...)
	for _, size := range []int{len(in), 1, 2, 3, 7, 100} {
		c := wired(t)
		var out bytes.Buffer
		w := &writer{to: &out, conn: c}
		for part := range slices.Chunk(in, size) {
			own := slices.Clone(part)
			n, err := w.Write(own)
			require.NoError(t, err)
			require.Equal(t, len(part), n)
			clear(own) // it must not be kept
		}
		require.Equal(t, want, out.Bytes(), "in parts of %d", size)
		require.Empty(t, w.held)
	}
}

func TestWriterWritesOnce(t *testing.T) {
	c := wired(t)
	var writes int
	w := &writer{conn: c, to: writerFunc(func(p []byte) (int, error) { writes++; return len(p), nil })}
	_, err := w.Write(encode(t, &pgproto3.Parse{Query: touching}, &pgproto3.Sync{}))
	require.NoError(t, err)
	require.Equal(t, 1, writes)
}

func TestWriterReportsWhetherAnythingWasSent(t *testing.T) {
	c := wired(t)
	broken := errors.New("broken")
	message := encode(t, &pgproto3.Query{String: touching})
	for _, sent := range []int{0, 1, 1000} {
		w := &writer{conn: c, to: writerFunc(func([]byte) (int, error) { return sent, broken })}
		n, err := w.Write(message)
		require.ErrorIs(t, err, broken)
		require.Equal(t, min(sent, len(message)), n)
	}
}

func TestWriterBeforeJoining(t *testing.T) {
	var out bytes.Buffer
	startup := encode(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters: map[string]string{"user": "u", "database": "d"}})
	c := &conn{}
	w := &writer{to: &out, conn: c}
	_, err := w.Write(startup)
	require.NoError(t, err)
	require.Equal(t, "d", c.database)
	_, err = w.Write(encode(t, &pgproto3.Query{String: touching}))
	require.NoError(t, err)

	w = &writer{to: &out, conn: &conn{}}
	_, err = w.Write(encode(t, &pgproto3.Query{String: touching}))
	require.ErrorContains(t, err, "not opened by way of the hook")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// exchange sends messages through the hook, then reads the server's answer
// through it, in reads of all kinds.
func exchange(t *testing.T, send []pgproto3.FrontendMessage, answer []byte) (read []byte, err error) {
	t.Helper()
	for i, wrap := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r },
		iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader,
	} {
		c := wired(t)
		w := &writer{to: io.Discard, conn: c}
		_, werr := w.Write(encode(t, send...))
		require.NoError(t, werr)
		got, gotErr := io.ReadAll(&reader{from: wrap(bytes.NewReader(answer)), conn: c})
		if i > 0 {
			require.Equal(t, read, got, "reader %d", i)
		}
		read, err = got, gotErr
	}
	return read, err
}

func TestReaderPassesWhatIsNoError(t *testing.T) {
	answer := answers(t,
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{},
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("E")}}},
		&pgproto3.DataRow{Values: [][]byte{bytes.Repeat([]byte("E"), 20_000)}},
		&pgproto3.DataRow{Values: [][]byte{nil}},
		&pgproto3.NoticeResponse{Message: "E"},
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT 2")},
		&pgproto3.ReadyForQuery{TxStatus: 'I'},
	)
	read, err := exchange(t, []pgproto3.FrontendMessage{
		&pgproto3.Parse{Query: touching}, &pgproto3.Bind{}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{},
	}, answer)
	require.NoError(t, err)
	require.Equal(t, answer, read)
}

// decode returns the messages that are no errors, and the errors.
func decode(t *testing.T, b []byte) (kinds string, errs []*pgconn.PgError) {
	t.Helper()
	f := pgproto3.NewFrontend(bytes.NewReader(b), nil)
	for {
		m, err := f.Receive()
		if err != nil {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			return kinds, errs
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			kinds += "E"
			errs = append(errs, pgconn.ErrorResponseToPgError(m))
		case *pgproto3.ReadyForQuery:
			kinds += "Z"
		case *pgproto3.ParseComplete:
			kinds += "1"
		case *pgproto3.BindComplete:
			kinds += "2"
		case *pgproto3.CommandComplete:
			kinds += "C"
		default:
			t.Fatalf("unexpected %T", m)
		}
	}
}

func TestReaderFindsTheStatementOfAnError(t *testing.T) {
	// Two segments of a pipeline; the first fails in its second text.
	const first, second = `select 1 from users`, `select 'ü' as "naïve", nothing from users`
	c := wired(t)
	s := c.texts.translate([]byte(second))
	at := strings.Index(s.send, "nothing")
	require.Positive(t, at)
	answer := answers(t,
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")},
		&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42703", Message: "no column", Position: int32(position(s.send, at))},
		&pgproto3.ReadyForQuery{TxStatus: 'I'},
		&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42703", Message: "another", Position: 3},
		&pgproto3.ReadyForQuery{TxStatus: 'I'},
	)
	execute := []pgproto3.FrontendMessage{&pgproto3.Bind{}, &pgproto3.Execute{}}
	send := slices.Concat(
		[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: first}}, execute,
		[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: second}}, execute,
		[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: first}}, execute, []pgproto3.FrontendMessage{&pgproto3.Sync{}},
		[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: unrelated}}, execute, []pgproto3.FrontendMessage{&pgproto3.Sync{}},
	)
	read, err := exchange(t, send, answer)
	require.NoError(t, err)
	kinds, errs := decode(t, read)
	require.Equal(t, "12CEZEZ", kinds)
	require.EqualValues(t, position(second, strings.Index(second, "nothing")), errs[0].Position)
	require.EqualValues(t, 3, errs[1].Position)
}

func TestReaderFinishesRefusals(t *testing.T) {
	read, err := exchange(t, []pgproto3.FrontendMessage{&pgproto3.Query{String: refusing}}, answers(t,
		&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601", Message: "syntax error", Position: 50},
		&pgproto3.ReadyForQuery{TxStatus: 'I'}))
	require.NoError(t, err)
	kinds, errs := decode(t, read)
	require.Equal(t, "EZ", kinds)
	refusal, ok := AsRefusal(errs[0])
	require.True(t, ok)
	require.NotEmpty(t, refusal.Message)
	require.Equal(t, "0A000", errs[0].Code)
}

func TestReaderExplainsStalePhases(t *testing.T) {
	read, err := exchange(t, []pgproto3.FrontendMessage{&pgproto3.Query{String: touching}}, answers(t,
		&pgproto3.ErrorResponse{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "42P01",
			Message: `Relation »crossfade.t1_dualwrite_3« existiert nicht`, Position: 14},
		&pgproto3.ReadyForQuery{TxStatus: 'I'}))
	require.NoError(t, err)
	_, errs := decode(t, read)
	require.True(t, IsStalePhase(errs[0]))
	require.Equal(t, "40001", errs[0].Code)
	require.Contains(t, errs[0].Detail, "existiert nicht")
}

func TestReaderEndsBypass(t *testing.T) {
	answer := answers(t,
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("UPDATE 1")},
		&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for _, from := range []io.Reader{bytes.NewReader(answer), iotest.OneByteReader(bytes.NewReader(answer))} {
		c := wired(t)
		read, err := io.ReadAll(&reader{from: from, conn: c})
		require.ErrorContains(t, err, "past the hook")
		kinds, errs := decode(t, read)
		require.Contains(t, []string{"E", "1E"}, kinds)
		require.Equal(t, "FATAL", errs[0].Severity)
		require.True(t, c.marked.Load())
	}
}

func TestPositions(t *testing.T) {
	const text = "sélect 'ü', x"
	for i := range text {
		require.Equal(t, i, offset(text, position(text, i)))
	}
	require.Equal(t, 13, position(text, strings.Index(text, "x")))
	require.Equal(t, len(text), offset(text, 99))
}

// PostgreSQL 18 reports a search_path that a function has changed.
func TestReaderNoticesSettings(t *testing.T) {
	for _, wrap := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader,
	} {
		c := wired(t)
		answer := answers(t,
			&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")},
			&pgproto3.ParameterStatus{Name: "search_path", Value: "other"},
			&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "off"},
			&pgproto3.ParameterStatus{Name: "client_encoding", Value: "BIG5"},
			&pgproto3.ReadyForQuery{TxStatus: 'I'})
		read, err := io.ReadAll(&reader{from: wrap(bytes.NewReader(answer)), conn: c})
		require.NoError(t, err)
		require.Equal(t, answer, read)
		require.True(t, c.pathUnknown && c.backslashes && c.foreign)
	}
}

func TestQueueOfAnEndlessPipeline(t *testing.T) {
	var p pending
	p.push('S', nil)
	for range 100_000 {
		p.push('P', unknown)
		p.push('S', nil)
		p.ready()
		r, ok := p.answered('P')
		require.True(t, ok)
		require.Same(t, unknown, r.statement)
	}
	require.Less(t, cap(p.queue), 64)
}

func TestClosedStatementsAreForgotten(t *testing.T) {
	for _, tokens := range [][]string{nil, {"crossfade.t1_dualwrite_3"}} {
		c := wired(t)
		c.tokens = tokens
		w := &writer{to: io.Discard, conn: c}
		_, err := w.Write(encode(t, &pgproto3.Parse{Name: "a", Query: `set search_path = other`}))
		require.NoError(t, err)
		require.Len(t, c.named, 1)
		_, err = w.Write(encode(t, &pgproto3.Close{ObjectType: 'S', Name: "a"}))
		require.NoError(t, err)
		require.Empty(t, c.named)
	}
}
