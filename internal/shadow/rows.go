package shadow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/jackc/pgx/v5/pgproto3"
)

// seed is that of all hashes of this process.
var seed = maphash.MakeSeed()

// rows are what is kept of a result: how often each row occurs, by its hash, and
// the hash of all in their order.
type rows struct {
	numeric []bool
	seen    map[uint64]int
	count   int
	order   uint64
	buffer  []byte
}

func (r *rows) columns(fields []pgproto3.FieldDescription) {
	const numeric = 1700
	r.numeric, r.seen = make([]bool, len(fields)), map[uint64]int{}
	for i, f := range fields {
		r.numeric[i] = f.DataTypeOID == numeric
	}
}

// add takes a row in, and returns its size.
func (r *rows) add(values [][]byte) int {
	b := r.buffer[:0]
	for i, v := range values {
		if v == nil {
			b = append(b, 'n')
			continue
		}
		if i < len(r.numeric) && r.numeric[i] {
			v = sameNumber(v)
		}
		b = binary.AppendUvarint(append(b, 'v'), uint64(len(v)))
		b = append(b, v...)
	}
	r.buffer = b
	hash := maphash.Bytes(seed, b)
	r.seen[hash]++
	r.count++
	var both [16]byte
	binary.BigEndian.PutUint64(both[:], r.order)
	binary.BigEndian.PutUint64(both[8:], hash)
	r.order = maphash.Bytes(seed, both[:])
	return len(b)
}

// sameNumber is a number without the zeros that only its scale shows: of rows that
// are the same to GROUP BY, any one is shown.
func sameNumber(v []byte) []byte {
	if bytes.IndexByte(v, '.') < 0 {
		return v
	}
	return bytes.TrimRight(bytes.TrimRight(v, "0"), ".")
}

// differs compares two results; nil means that they are the same.
func (r *rows) differs(target answer, ordered bool) *Difference {
	onlySource, onlyTarget := 0, 0
	for hash, n := range r.seen {
		onlySource += max(0, n-target.seen[hash])
	}
	for hash, n := range target.seen {
		onlyTarget += max(0, n-r.seen[hash])
	}
	switch {
	case onlySource > 0 || onlyTarget > 0:
		return &Difference{Kind: KindRows, Detail: fmt.Sprintf("%d of %d rows from the source and %d of %d from the target have no counterpart",
			onlySource, r.count, onlyTarget, target.count)}
	case ordered && r.order != target.order:
		return &Difference{Kind: KindOrder, Detail: fmt.Sprintf("the same %d rows in another order", r.count)}
	}
	return nil
}
