package dualwrite

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// adrift is a connection whose search_path is not known, with what it sends.
func adrift(t *testing.T) (*conn, *bytes.Buffer) {
	c := wired(t)
	catalog := knownCatalog()
	catalog.PathUnknown = true
	unknown, err := newTranslator(catalog)
	require.NoError(t, err)
	c.world.adrift = unknown
	c.world.translators["pg_catalog\x00public"] = c.texts
	sent := &bytes.Buffer{}
	c.writer = &writer{to: sent, conn: c}
	c.movePath()
	return c, sent
}

func (c *conn) sends(t *testing.T, sent *bytes.Buffer, messages ...pgproto3.FrontendMessage) string {
	sent.Reset()
	_, err := c.writer.Write(encode(t, messages...))
	require.NoError(t, err)
	return kindsOf(sent.Bytes())
}

func (c *conn) reads(t *testing.T, wrap func(io.Reader) io.Reader, messages ...pgproto3.BackendMessage) string {
	read, err := io.ReadAll(&reader{from: wrap(bytes.NewReader(answers(t, messages...))), conn: c})
	require.NoError(t, err)
	return kindsOf(read)
}

// kindsOf lists the types of messages.
func kindsOf(b []byte) string {
	var kinds strings.Builder
	for len(b) >= headerLen {
		kinds.WriteByte(b[0])
		b = b[headerLen+bodyLen(b):]
	}
	return kinds.String()
}

var readers = map[string]func(io.Reader) io.Reader{
	"whole": func(r io.Reader) io.Reader { return r },
	"bytes": iotest.OneByteReader,
	"half":  iotest.HalfReader,
	"error": iotest.DataErrReader,
}

var (
	path   = &pgproto3.DataRow{Values: [][]byte{[]byte(`["pg_catalog","public"]`)}}
	fields = &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("array_to_json")}}}
	done   = &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}
	idle   = &pgproto3.ReadyForQuery{TxStatus: 'I'}
	failed = &pgproto3.ErrorResponse{Severity: "ERROR", Code: "57014", Message: "cancelled"}
	notice = &pgproto3.NoticeResponse{Message: "by the way"}
)

func TestQuestionBeforeAQuery(t *testing.T) {
	for name, wrap := range readers {
		t.Run(name, func(t *testing.T) {
			c, sent := adrift(t)
			query := &pgproto3.Query{String: touching}
			require.Equal(t, "Q", c.sends(t, sent, query))
			require.Contains(t, sent.String(), pathQuery)
			sent.Reset()
			require.Equal(t, "NA", c.reads(t, wrap, fields, notice, path, done, &pgproto3.NotificationResponse{}, idle))
			require.Equal(t, encode(t, &pgproto3.Query{String: c.texts.translate([]byte(touching)).send}), sent.Bytes())
			require.Equal(t, "CZ", c.reads(t, wrap, done, idle))
			require.True(t, c.pending.empty())
		})
	}
}

// The error takes the place of the statement's, which is not sent.
func TestFailedQuestionBeforeAQuery(t *testing.T) {
	for name, wrap := range readers {
		t.Run(name, func(t *testing.T) {
			c, sent := adrift(t)
			query := &pgproto3.Query{String: touching}
			require.Equal(t, "Q", c.sends(t, sent, query))
			sent.Reset()
			require.Equal(t, "EZ", c.reads(t, wrap, failed, idle))
			require.Empty(t, sent.Bytes())
			require.True(t, c.pathUnknown)
			require.Equal(t, "Q", c.sends(t, sent, query), "it is asked again")
			require.Contains(t, sent.String(), pathQuery)
		})
	}
}

func TestQuestionInAPipeline(t *testing.T) {
	for name, wrap := range readers {
		t.Run(name, func(t *testing.T) {
			c, sent := adrift(t)
			send := []pgproto3.FrontendMessage{
				&pgproto3.Parse{Query: unrelated}, &pgproto3.Bind{}, &pgproto3.Execute{},
				&pgproto3.Parse{Query: touching}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{},
			}
			require.Equal(t, "PBECPBECCH", c.sends(t, sent, send...))
			require.Empty(t, c.sends(t, sent, &pgproto3.Parse{Query: unrelated}, &pgproto3.Sync{}))
			require.Equal(t, "12C", c.reads(t, wrap,
				&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, done,
				&pgproto3.CloseComplete{}, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, path, done,
				&pgproto3.CloseComplete{}, &pgproto3.CloseComplete{}))
			require.Equal(t, "PBESPS", kindsOf(sent.Bytes()))
			known := c.world.translators["pg_catalog\x00public"]
			require.Contains(t, sent.String(), known.translate([]byte(touching)).send)
			require.Equal(t, "12CZ1Z", c.reads(t, wrap,
				&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, done, idle, &pgproto3.ParseComplete{}, idle))
			require.True(t, c.pending.empty())
		})
	}
}

// The server discards the question and what waits for it, up to the Sync;
// whether it is the question itself that fails, or something before it.
func TestFailedQuestionInAPipeline(t *testing.T) {
	for name, wrap := range readers {
		for before, answer := range map[string][]pgproto3.BackendMessage{
			"itself": {&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, done, &pgproto3.ParseComplete{}, failed},
			"before": {&pgproto3.ParseComplete{}, failed},
		} {
			t.Run(name+"/"+before, func(t *testing.T) {
				c, sent := adrift(t)
				c.sends(t, sent, &pgproto3.Parse{Query: unrelated}, &pgproto3.Bind{}, &pgproto3.Execute{},
					&pgproto3.Parse{Query: touching}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{})
				sent.Reset()
				require.Contains(t, []string{"12CE", "1E"}, c.reads(t, wrap, answer...))
				require.Equal(t, "PBES", kindsOf(sent.Bytes()))
				require.NotContains(t, sent.String(), "update users", "whatever the server does with it")
				require.Equal(t, "Z", c.reads(t, wrap, idle))
				require.True(t, c.pending.empty())
				require.True(t, c.pathUnknown)
			})
		}
	}
}

// Without an answer nothing goes on.
func TestQuestionWithoutAnAnswer(t *testing.T) {
	c, sent := adrift(t)
	c.sends(t, sent, &pgproto3.Query{String: refusing})
	data := make(chan error)
	go func() {
		_, err := c.writer.Write(encode(t, &pgproto3.CopyData{Data: []byte("1\n")}))
		data <- err
	}()
	_, err := io.ReadAll(&reader{from: iotest.ErrReader(io.ErrUnexpectedEOF), conn: c})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, <-data, io.ErrUnexpectedEOF)
}

// The end of an empty COPY is sent by who reads.
func TestEndOfCopyDoesNotWait(t *testing.T) {
	c, sent := adrift(t)
	c.sends(t, sent, &pgproto3.Query{String: unrelated + "; " + touching})
	require.Empty(t, c.sends(t, sent, &pgproto3.CopyDone{}))
	require.Empty(t, c.reads(t, readers["whole"], fields, path, done, idle))
	require.Equal(t, "Qc", kindsOf(sent.Bytes()))
}

// faulty is a network that takes small messages only.
type faulty struct{ closed bool }

func (f *faulty) Write(p []byte) (int, error) {
	if len(p) > socketBuffer {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func (f *faulty) Close() error {
	f.closed = true
	return nil
}

func TestWriteBehindFails(t *testing.T) {
	c, sent := adrift(t)
	network := &faulty{}
	c.writer.to = network
	c.sends(t, sent, &pgproto3.Parse{Query: touching}, &pgproto3.Bind{Parameters: [][]byte{make([]byte, socketBuffer)}}, &pgproto3.Sync{})
	answer := []pgproto3.BackendMessage{
		&pgproto3.CloseComplete{}, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, path, done,
		&pgproto3.CloseComplete{}, &pgproto3.CloseComplete{},
	}
	require.Empty(t, c.reads(t, readers["whole"], answer...))
	for range 2 {
		_, err := c.writer.Write(encode(t, &pgproto3.Sync{}))
		require.ErrorIs(t, err, io.ErrShortWrite)
	}
	_, err := c.writer.Write(encode(t, &pgproto3.Terminate{}))
	require.NoError(t, err)
	require.True(t, network.closed, "the reader must not wait")
}

func TestMalformedReadyForQuery(t *testing.T) {
	c := wired(t)
	c.unsettled = true
	read, err := io.ReadAll(&reader{from: bytes.NewReader([]byte{'Z', 0, 0, 0, 4}), conn: c})
	require.NoError(t, err)
	require.Equal(t, "Z", kindsOf(read))
}
