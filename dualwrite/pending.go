package dualwrite

// request is a message that the server will answer.
type request struct {
	// kind is the type of the message: P, B, D, E, C, S, Q or F. Or it is one of
	// those below, of which leading and asked are answered to the hook, not to the
	// application.
	kind byte
	// statement is the rewritten or refused text that an error of this request
	// would speak of; nil when the text went out as it came.
	statement *statement
	// named is the statement that a Parse or a describe is about, if it has a name.
	named *prepared
}

const (
	// describe is a Describe of a named statement.
	describe = 'd'
	// leading is a statement of the hook's own that stands before the
	// application's in a Query.
	leading = 'l'
	// asked is a question of the hook's own, whatever its messages are. It is the
	// last one in the queue.
	asked = '?'
)

// pending is what was sent and has not been answered yet, in order. It lets the
// reader know which text an error belongs to, and that a text was parsed which
// the writer has not seen.
//
// A queue, although counters would do for the second: an error's Position has
// to be mapped through the edits of the very statement that failed, also in
// the middle of a pipeline. It costs a push and a pop of 24 bytes a message,
// and a steady state reuses the same few slots.
//
// Writer and reader share it without a lock: pgconn sends and receives from
// one goroutine at a time, but for COPY data, which is no request.
type pending struct {
	queue []request
	head  int
	// skipping: the server discards what is sent until the next Sync.
	skipping bool
	// portal is the text of the portal bound last.
	portal *statement
}

// keepQueue bounds the memory that a large batch leaves behind.
const keepQueue = 1024

func (p *pending) push(kind byte, s *statement) { p.add(request{kind: kind, statement: s}) }

func (p *pending) add(r request) {
	if p.skipping {
		if r.kind != 'S' {
			return
		}
		p.skipping = false
	}
	if len(p.queue) == cap(p.queue) && 2*p.head > len(p.queue) {
		// A pipeline that always waits for something never empties the queue.
		n := copy(p.queue, p.queue[p.head:])
		clear(p.queue[n:])
		p.queue, p.head = p.queue[:n], 0
	}
	p.queue = append(p.queue, r)
}

func (p *pending) empty() bool { return p.head == len(p.queue) }

// first tells whether the oldest request is of that kind.
func (p *pending) first(kind byte) bool { return !p.empty() && p.queue[p.head].kind == kind }

// asks tells whether a question is under way.
func (p *pending) asks() bool { return !p.empty() && p.queue[len(p.queue)-1].kind == asked }

// yield puts a Query of the application's into the place of the question, which
// is the oldest request.
func (p *pending) yield() { p.queue[p.head].kind = 'Q' }

// answered takes the oldest request off the queue if it is of that kind.
func (p *pending) answered(kind byte) (r request, ok bool) {
	if ok = p.first(kind); ok {
		r = p.queue[p.head]
		p.pop()
	}
	return r, ok
}

// ready is the end of a Sync, a Query or a function call.
func (p *pending) ready() {
	p.skipping = false
	for !p.empty() {
		kind := p.queue[p.head].kind
		p.pop()
		if kind == 'S' || kind == 'Q' || kind == 'F' {
			return
		}
	}
}

// failed returns the text that an error speaks of, or nil, and forgets what
// the server will discard because of it.
func (p *pending) failed() *statement {
	if p.empty() {
		return nil // about the connection, not about a request
	}
	first := p.queue[p.head]
	switch first.kind {
	case 'Q', leading, 'F', 'S': // ready follows
		return first.statement
	case 'D', 'E':
		if first.statement == nil {
			first.statement = p.portal
		}
	}
	for !p.empty() {
		r := p.queue[p.head]
		if r.kind == 'S' {
			return first.statement
		}
		if r.kind == 'P' {
			r.named.answered(false)
		}
		p.pop()
	}
	p.skipping = true
	return first.statement
}

func (p *pending) pop() {
	p.queue[p.head] = request{}
	p.head++
	if p.head == len(p.queue) {
		p.head = 0
		if cap(p.queue) > keepQueue {
			p.queue = nil
		}
		p.queue = p.queue[:0]
	}
}
