package dualwrite

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// A statement that was prepared: what an application sends most of the time.
func BenchmarkWriterSteadyState(b *testing.B) {
	const name = "stmtcache_0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, sql := range []string{touching, unrelated} {
		prepare := encode(b, &pgproto3.Parse{Name: name, Query: sql}, &pgproto3.Sync{})
		flush := encode(b, &pgproto3.Bind{PreparedStatement: name, Parameters: [][]byte{[]byte("a name"), []byte("12345678")}},
			&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{})
		b.Run(strings.Fields(sql)[1], func(b *testing.B) {
			c := wired(b)
			w := &writer{to: io.Discard, conn: c}
			_, err := w.Write(prepare)
			require.NoError(b, err)
			c.pending.ready()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Write(flush); err != nil {
					b.Fatal(err)
				}
				c.pending.ready() // what the reader does meanwhile
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/flush")
		})
	}
}

// A statement that is sent again as text: from the cache.
func BenchmarkWriterQuery(b *testing.B) {
	for _, sql := range []string{touching, unrelated} {
		b.Run(strings.Fields(sql)[1], func(b *testing.B) {
			c := wired(b)
			w := &writer{to: io.Discard, conn: c}
			message := encode(b, &pgproto3.Query{String: sql})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Write(message); err != nil {
					b.Fatal(err)
				}
				c.pending.ready()
			}
		})
	}
}

// Texts that do not touch a table in transition, each of them new: values
// inlined by the simple protocol.
func BenchmarkWriterUniqueTexts(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 10 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := wired(b)
			w := &writer{to: io.Discard, conn: c}
			text := strings.Repeat("insert into accounts (id, balance) values (12345, 'x'); ", size/56+1)[:size]
			message := encode(b, &pgproto3.Query{String: text + "0000000000"})
			end := message[len(message)-11:]
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				for j, n := 9, i; j >= 0; j, n = j-1, n/10 {
					end[j] = byte('0' + n%10)
				}
				if _, err := w.Write(message); err != nil {
					b.Fatal(err)
				}
				c.pending.ready()
			}
		})
	}
}

// 100,000 rows as pgx takes them from memory, with the reader and without.
func BenchmarkReaderRows(b *testing.B) {
	const rows = 100_000
	var answer []byte
	for i := range rows {
		row, err := (&pgproto3.DataRow{Values: [][]byte{fmt.Append(nil, i), []byte("somebody's name"), []byte("42")}}).Encode(nil)
		require.NoError(b, err)
		answer = append(answer, row...)
	}
	for _, hooked := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "hooked"}[hooked], func(b *testing.B) {
			c := wired(b)
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				var from io.Reader = bytes.NewReader(answer)
				if hooked {
					from = &reader{from: from, conn: c}
				}
				f := pgproto3.NewFrontend(from, io.Discard)
				for range rows {
					if _, err := f.Receive(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}

// The reader alone: what it adds.
func BenchmarkReaderScan(b *testing.B) {
	row, err := (&pgproto3.DataRow{Values: [][]byte{[]byte("12345"), []byte("somebody's name"), []byte("42")}}).Encode(nil)
	require.NoError(b, err)
	buffer := bytes.Repeat(row, 200)
	r := &reader{conn: wired(b)}
	b.SetBytes(int64(len(buffer)))
	for b.Loop() {
		r.scan(buffer)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*200), "ns/row")
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	c := wired(t)
	w := &writer{to: io.Discard, conn: c}
	answer := answers(t, &pgproto3.BindComplete{}, &pgproto3.NoData{},
		&pgproto3.CommandComplete{CommandTag: []byte("UPDATE 1")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	source := bytes.NewReader(nil)
	r := &reader{from: source, conn: c}
	flush := encode(t, &pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{})
	_, err := w.Write(encode(t, &pgproto3.Parse{Name: "s", Query: touching}, &pgproto3.Sync{}))
	require.NoError(t, err)
	c.pending.ready()
	buffer := make([]byte, 8192)
	allocations := testing.AllocsPerRun(100, func() {
		_, _ = w.Write(flush)
		source.Reset(answer)
		_, _ = r.Read(buffer)
	})
	require.Zero(t, allocations)
	require.Empty(t, c.pending.queue)
}
