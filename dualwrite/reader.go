package dualwrite

import (
	"cmp"
	"encoding/binary"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// reader stands between the network and a pgproto3.Frontend. It lets what is
// read stay in the frontend's own buffer, and goes over it from header to
// header; only what matters is taken out (an ErrorResponse, a ParameterStatus),
// and what comes after it in the same read.
type reader struct {
	from io.Reader
	*conn

	// body is what is still to come of the message at hand.
	body int
	// header is what has come so far of a header that was cut.
	header    [headerLen]byte
	headerLen int

	// in is what was taken out, from the start of a message; out is what of it
	// is ready for the frontend, and err what the network said after that.
	in, out []byte
	err     error
	// failed ends the connection.
	failed *pgproto3.ErrorResponse
	// broken is why the connection is of no use any more.
	broken error
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if len(r.out) > 0 {
			n := copy(p, r.out)
			if r.out = r.out[n:]; len(r.out) == 0 {
				r.out = nil
			}
			return n, nil
		}
		if err := r.err; err != nil {
			r.err = nil
			return 0, err
		}
		if r.broken != nil {
			return 0, r.broken
		}
		n, err := r.from.Read(p)
		keep := 0
		if len(r.in) == 0 {
			keep = r.scan(p[:n])
		}
		if keep < n || r.failed != nil {
			r.in = append(r.in, p[keep:n]...)
			r.release()
		}
		if r.failed != nil {
			r.broken = pgconn.ErrorResponseToPgError(r.failed)
		}
		if r.asking != nil && (err != nil || r.broken != nil) {
			r.writer.stop(cmp.Or(err, r.broken)) // there will be no answer
		}
		if len(r.out) > 0 {
			r.err, err = err, nil
		}
		if keep > 0 || err != nil || len(p) == 0 {
			return keep, err
		}
	}
}

// scan goes over p and returns how much of it can stay: up to the first message
// that must be taken out.
func (r *reader) scan(p []byte) int {
	i := 0
	if r.headerLen > 0 {
		i = copy(r.header[r.headerLen:], p)
		if r.headerLen += i; r.headerLen < headerLen {
			return len(p)
		}
		r.headerLen = 0
		r.body = bodyLen(r.header[:])
		if r.answer(r.header[0]); r.failed != nil {
			return i // the frontend has the start of it already
		}
	}
	i += r.body
	if i <= len(p) && r.answering() {
		r.body = 0
		return i
	}
	for i < len(p) {
		kind := p[i]
		if kind != 'D' && r.takesOut(kind) {
			break
		}
		if len(p)-i < headerLen {
			r.headerLen = copy(r.header[:], p[i:])
			r.body = 0
			return len(p)
		}
		if kind == 'D' { // most are rows
			i += headerLen + bodyLen(p[i:])
			continue
		}
		if r.answer(kind); r.failed != nil {
			break
		}
		i += headerLen + bodyLen(p[i:])
	}
	if i > len(p) {
		r.body = i - len(p)
		return len(p)
	}
	r.body = 0
	return i
}

// takesOut tells whether a message of that kind must be read: ErrorResponse and
// ParameterStatus always, others when something depends on them.
func (r *reader) takesOut(kind byte) bool {
	switch kind {
	case 'E', 'S':
		return true
	case 't', 'T', 'n':
		return r.pending.first(describe) || r.answering()
	case 'Z':
		return r.unsettled || r.answering()
	case 'C':
		return r.pending.first(leading) || r.answering()
	}
	return r.answering()
}

// answering tells whether the server is answering the hook's own question: what
// was asked before it has been answered.
func (r *reader) answering() bool { return r.asking != nil && r.pending.first(asked) }

// answer takes note of a message of that kind.
func (r *reader) answer(kind byte) {
	if !r.armed {
		return
	}
	p := &r.pending
	switch kind {
	case '1': // ParseComplete
		request, ok := p.answered('P')
		if !ok && len(r.tokens) > 0 {
			r.bypassed()
		}
		request.named.answered(true)
	case '2': // BindComplete
		if request, ok := p.answered('B'); ok {
			p.portal = request.statement
		}
	case '3': // CloseComplete
		p.answered('C')
	case 'T', 'n': // RowDescription, NoData
		p.answered('D')
	case 'C', 'I', 's': // CommandComplete, EmptyQueryResponse, PortalSuspended
		p.answered('E')
	case 'Z': // ReadyForQuery
		p.ready()
	}
}

// release moves what is complete of in to out: errors restored, what is for the
// hook left out, the rest as it is. It leaves in empty, or an incomplete message
// in it.
func (r *reader) release() {
	for len(r.in) > 0 && r.failed == nil {
		if !r.takesOut(r.in[0]) {
			keep := r.scan(r.in)
			r.out, r.in = append(r.out, r.in[:keep]...), r.in[keep:]
			continue
		}
		if len(r.in) < headerLen || len(r.in) < headerLen+bodyLen(r.in) {
			return
		}
		size := headerLen + bodyLen(r.in)
		r.out, r.in = append(r.out, r.taken(r.in[:size])...), r.in[size:]
	}
	r.in = nil
	if r.failed != nil {
		r.out = appendMessage(r.out, r.failed)
	}
}

// taken returns what the frontend gets of a message that was taken out.
func (r *reader) taken(message []byte) []byte {
	kind, body := message[0], message[headerLen:]
	switch {
	case !r.armed:
	case kind == 'E':
		return r.restored(message)
	case kind == 'S':
		r.reported(body)
	case kind == 'N', kind == 'A': // not about a question
	case r.answering():
		if r.asking.answered(kind, body) {
			r.pending.pop()
			r.conclude()
		}
		return nil
	case kind == 'C': // of a statement that stands before the application's
		r.pending.pop()
		return nil
	case kind == 'Z':
		r.pending.ready()
		if len(body) > 0 {
			r.settled(body[0])
		}
	default: // the description of a statement
		r.described(kind, body)
	}
	return message
}

// conclude ends the question.
func (r *reader) conclude() {
	if err := r.conn.conclude(); err != nil {
		r.broken = err
	}
}

// described takes note of what the application is told of a statement.
func (r *reader) described(kind byte, body []byte) {
	p := r.pending.queue[r.pending.head].named
	if kind == 't' {
		p.params = string(body)
		return
	}
	p.described, p.columns = true, columnsOf(body)
	r.pending.pop()
}

// restored returns what the frontend gets instead of an ErrorResponse.
func (r *reader) restored(message []byte) []byte {
	if r.answering() && r.asking.simple {
		// It fails in the place of the Query that waits, whose ReadyForQuery will
		// follow. COPY data must not wait for that: pgconn does not read on before
		// the data's end.
		r.pending.yield()
	}
	s := r.pending.failed()
	if r.asking != nil && !r.pending.asks() {
		// The server discards it, and what waits for it up to the Sync.
		r.asking.failed = true
		r.conclude()
	}
	var e pgproto3.ErrorResponse
	if err := e.Decode(message[headerLen:]); err != nil {
		return message // the frontend will say so
	}
	if better := r.restore(&e, s); better != nil {
		return appendMessage(nil, better)
	}
	return message
}

// bypassed ends the connection: its server has parsed a text that the writer
// has not seen.
func (r *reader) bypassed() {
	r.failed = bypassed()
	r.mark("statements were sent past the hook")
	r.event(Event{Kind: Bypassed, Err: pgconn.ErrorResponseToPgError(r.failed)})
}

func appendMessage(b []byte, e *pgproto3.ErrorResponse) []byte {
	encoded, err := e.Encode(b)
	if err != nil {
		// Only a message of more than 1 GB cannot be encoded.
		return b
	}
	return encoded
}

// bodyLen reads the length of a message's body from its header. A malformed
// length is the frontend's business.
func bodyLen(header []byte) int {
	return max(0, int(int32(binary.BigEndian.Uint32(header[1:])))-4)
}
