package logical

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSnapshotAddsTheEpoch(t *testing.T) {
	t.Parallel()
	const epoch = 5 << 32
	for _, c := range []struct {
		text string
		xid  uint32
		full uint64
		sees bool
	}{
		{"100:200:150", 99, 99, true},
		{"100:200:150", 150, 150, false},
		{"100:200:150", 151, 151, true},
		{"100:200:150,160", 160, 160, false},
		{"100:200:150", 200, 200, false},
		{"100:200:150", 300, 300, false},
		{fmt.Sprintf("%d:%d:", uint64(epoch+10), uint64(epoch+20)), 15, epoch + 15, true},
		// Around the end of the 32 bits.
		{fmt.Sprintf("%d:%d:", uint64(epoch-10), uint64(epoch+5)), 4294967290, epoch - 6, true},
		{fmt.Sprintf("%d:%d:", uint64(epoch-10), uint64(epoch-5)), 3, epoch + 3, false},
	} {
		s, err := parseSnapshot(c.text)
		require.NoError(t, err)
		require.Equal(t, c.full, s.full(c.xid), c)
		require.Equal(t, c.sees, s.sees(c.xid), c)
	}
	for _, bad := range []string{"", "1:2", "a:2:", "1:b:", "1:2:c"} {
		_, err := parseSnapshot(bad)
		require.Error(t, err, bad)
	}
}

func TestKeysOfABatch(t *testing.T) {
	t.Parallel()
	r := &Relation{Schema: "public", Name: "t"}
	other := &Relation{Schema: "public", Name: "other"}
	b := Batch{Changes: []Change{
		{Relation: r, Key: []string{"a", "bc"}}, {Relation: r, Key: []string{"ab", "c"}}, {Relation: r, Key: []string{"a", "bc"}},
		{Relation: r, Key: []string{"", ""}, Old: []string{"a", "bc"}}, {Relation: other, Key: []string{"x"}}, {Kind: Message}, {Kind: Truncate, Relation: r},
	}}
	require.Equal(t, [][]string{{"a", "ab", ""}, {"bc", "c", ""}}, b.Keys(Table{Name: "t"}))
	require.Nil(t, b.Keys(Table{Name: "none"}))
}

// Any order of adding and taking hands over everything once and in order, whole
// transactions or parts that say so, and never fills up for good.
func TestQueueKeepsOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		q := newQueue(1 + random.IntN(5))
		q.resume(0)
		var sizes []int
		for range 1 + random.IntN(20) {
			sizes = append(sizes, 1+random.IntN(12))
		}
		var got []string
		var inside bool
		take := func() bool {
			b, ok := q.next()
			if !ok {
				return false
			}
			require.Equal(t, inside, b.Continues)
			require.Equal(t, b.Partial, b.End == 0)
			require.LessOrEqual(t, len(b.Changes), q.batch)
			require.NotEmpty(t, b.Changes)
			inside = b.Partial
			for _, c := range b.Changes {
				got = append(got, fmt.Sprint(c.Transaction.XID, c.Key))
			}
			if !b.Partial {
				require.EqualValues(t, b.Changes[len(b.Changes)-1].Transaction.Commit+1, b.End)
			}
			q.done(b)
			return true
		}
		var want []string
		for i, size := range sizes {
			tx := &Transaction{XID: uint32(i), Commit: LSN(10*i + 10)}
			for n := range size {
				for q.isFull() || random.IntN(3) == 0 {
					if !take() {
						require.False(t, q.isFull(), "full, and nothing to take")
						break
					}
				}
				q.add(Change{Transaction: tx, Key: []string{fmt.Sprint(n)}})
				want = append(want, fmt.Sprint(i, []string{fmt.Sprint(n)}))
			}
			q.commit(tx.Commit+1, time.Time{})
		}
		for take() {
		}
		require.Equal(t, want, got, seed)
		p := q.progress()
		require.True(t, p.idle)
		require.Zero(t, p.waiting)
		require.Zero(t, q.bytes)
		require.EqualValues(t, len(want), p.applied)
	}
}

func TestQueueSkipsWhatIsApplied(t *testing.T) {
	t.Parallel()
	q := newQueue(10)
	for i := range 3 {
		tx := &Transaction{Commit: LSN(10 * (i + 1))}
		q.add(Change{Transaction: tx, Key: []string{fmt.Sprint(i)}})
		q.commit(tx.Commit+5, time.Time{})
	}
	q.resume(25)
	b, ok := q.next()
	require.True(t, ok)
	require.Len(t, b.Changes, 1)
	require.Equal(t, "2", b.Changes[0].Key[0])
	require.EqualValues(t, 35, b.End)
	require.Zero(t, q.bytes)
}

func TestOneHugeChangeDoesNotFillTheQueue(t *testing.T) {
	t.Parallel()
	q := newQueue(10)
	q.resume(0)
	tx := &Transaction{Commit: 1}
	huge := make([]byte, queuedBytes)
	q.add(Change{Transaction: tx, Content: huge})
	require.False(t, q.isFull())
	q.add(Change{Transaction: tx, Content: huge})
	require.True(t, q.isFull())
	b, ok := q.next()
	require.True(t, ok)
	require.Len(t, b.Changes, 1)
	require.True(t, b.Partial)
	require.False(t, q.isFull())
}
