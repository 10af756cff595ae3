package dualwrite

import (
	"bytes"
	"io"
	"math"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// A read that is not of the sample allocates nothing more while others are sampled,
// however it is sent.
func TestNotSampledAllocatesNothing(t *testing.T) {
	const read = `select full_name from users where id = $1`
	hook, err := New(Config{Shadow: Shadow{Rate: math.SmallestNonzeroFloat64}})
	require.NoError(t, err)
	execute := []pgproto3.FrontendMessage{
		&pgproto3.Bind{Parameters: [][]byte{[]byte("7")}}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{},
	}
	executed := answers(t, &pgproto3.BindComplete{}, &pgproto3.RowDescription{}, &pgproto3.DataRow{}, &pgproto3.CommandComplete{}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	for name, c := range map[string]struct{ sent, answer []byte }{
		"prepared": {encode(t, execute...), executed},
		"parsed": {
			encode(t, append([]pgproto3.FrontendMessage{&pgproto3.Parse{Query: read, ParameterOIDs: []uint32{20}}}, execute...)...),
			append(answers(t, &pgproto3.ParseComplete{}), executed...),
		},
		"simple": {
			encode(t, &pgproto3.Query{String: `select full_name from users where id = 7`}),
			answers(t, &pgproto3.RowDescription{}, &pgproto3.DataRow{}, &pgproto3.CommandComplete{}, &pgproto3.ReadyForQuery{TxStatus: 'I'}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			allocations := func(sampling bool) float64 {
				conn := wired(t)
				conn.hook, conn.sampling = hook, sampling
				require.True(t, conn.translate([]byte(read)).result.Reads)
				w := &writer{to: io.Discard, conn: conn}
				source := bytes.NewReader(nil)
				r := &reader{from: source, conn: conn}
				_, err := w.Write(encode(t, &pgproto3.Parse{Query: read}, &pgproto3.Sync{}))
				require.NoError(t, err)
				conn.pending.ready()
				buffer := make([]byte, 8192)
				n := testing.AllocsPerRun(100, func() {
					_, _ = w.Write(c.sent)
					source.Reset(c.answer)
					_, _ = r.Read(buffer)
				})
				require.Empty(t, conn.pending.queue)
				return n
			}
			require.Zero(t, allocations(true)-allocations(false))
		})
	}
}
