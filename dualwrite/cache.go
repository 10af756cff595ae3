package dualwrite

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	// A generation of the cache ends at so many bytes, with all that hangs on
	// the texts. Two of them are kept.
	cacheBytes = 4 << 20
	// Longer texts are translated each time: one of them costs more memory than
	// its parsing costs time.
	cacheLongest = 64 << 10
	// Of so many texts that came once, the cache knows that they did.
	cacheSeen = 4096
)

// cache keeps what became of texts, for translators that share its room. It has
// two generations: what is asked for stays in the young one, and when that is
// full, the old one is dropped. So texts that are used come to stay, without a
// list to keep in order on each look-up.
//
// A text is kept when it comes for the second time. A flood of unique ones
// (values inlined by the simple protocol) leaves no trace but its hashes: it
// neither displaces what is used nor takes the lock that look-ups share.
type cache struct {
	seed maphash.Seed
	seen [cacheSeen]atomic.Uint64

	mu sync.RWMutex // guards what follows, and the translators' texts
	// users are the translators that have texts here.
	users map[*translator]struct{}
	bytes int // of the young generation
	last  int // of the old one
}

func newCache() *cache {
	return &cache{seed: maphash.MakeSeed(), users: map[*translator]struct{}{}}
}

// again tells whether the text has come before, not too long ago.
func (c *cache) again(text []byte) bool {
	hash := maphash.Bytes(c.seed, text)
	return c.seen[hash%cacheSeen].Swap(hash) == hash
}

// turn begins a generation. The lock is held.
func (c *cache) turn() {
	for t := range c.users {
		if t.young == nil {
			delete(c.users, t)
		}
		t.young, t.old = nil, t.young
	}
	c.bytes, c.last = 0, c.bytes
}

// filled is how much the cache holds: texts, and about how many bytes.
func (c *cache) filled() (texts, bytes int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for t := range c.users {
		texts += len(t.young) + len(t.old)
	}
	return texts, c.bytes + c.last
}

// cached looks a text up, and tells whether it is in the young generation.
func (t *translator) cached(text []byte) (s *statement, young bool) {
	t.cache.mu.RLock()
	if s, young = t.young[string(text)]; !young {
		s = t.old[string(text)]
	}
	t.cache.mu.RUnlock()
	return s, young
}

// keep puts a text into the young generation.
func (t *translator) keep(s *statement) {
	c := t.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes >= cacheBytes {
		c.turn()
	}
	if t.young == nil {
		// A translator that nobody else knows any more lives on by its texts.
		t.young = map[string]*statement{}
		c.users[t] = struct{}{}
		c.bytes += translatorSize
	}
	if _, ok := t.young[s.original]; !ok {
		t.young[s.original] = s
		c.bytes += s.size()
	}
}

// What the allocator takes, on the safe side.
const (
	translatorSize = 32 << 10 // its rewriter's tables
	statementSize  = 256      // itself and its place in a map
	editSize       = 48
	stringSize     = 16
)

// size is about how much memory the statement takes.
func (s *statement) size() int {
	size := statementSize + len(s.original)
	if s.changed() {
		size += stringSize + len(s.send)
	}
	for _, e := range s.result.Edits {
		size += editSize + len(e.Text)
	}
	if r := s.result.Refusal; r != nil {
		size += editSize + 2*stringSize + len(r.Message) + len(r.Hint)
	}
	return size + size/8 // size classes
}
