package dualwrite

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// writer stands between a pgproto3.Frontend and the network. Of what the
// frontend sends it changes the SQL of Parse and Query, and nothing else.
//
// The frontend writes whole messages, possibly several at once. A wrapper of
// the application's may cut them differently: an incomplete message is held
// until the rest of it comes.
//
// When it has to know more before it can decide on a message, it asks the server
// (see question), and holds this message and what comes after it. The reader
// lets it go on when the answer is there.
type writer struct {
	to io.Writer
	*conn
	started bool
	held    []byte     // an incomplete message, or what waits for an answer
	out     []byte     // reused, for what is changed
	mu      sync.Mutex // guards what is above, while waiting
	// waiting: the hook has asked something. resumed is closed when it goes on,
	// broken says why it does not.
	waiting atomic.Bool
	resumed chan struct{}
	broken  error
	// writing tells the end of a write that resume has left behind.
	writing chan error
}

// keepBuffer bounds the memory that a long text leaves behind.
const keepBuffer = 64 << 10

const headerLen = 5 // type and length

func (w *writer) Write(p []byte) (int, error) {
	if !w.armed {
		return w.begin(p)
	}
	if isTerminate(p) {
		return w.end(p)
	}
	if w.waiting.Load() && w.hold(p) {
		return len(p), nil
	}
	if err := w.finish(); err != nil {
		return 0, err
	}
	if n, err := w.to.Write(w.process(p)); err != nil {
		// Only whether anything was sent matters to pgconn.
		return min(n, len(p)), err
	}
	return len(p), nil
}

// process returns what to send, now that p has come. It is valid until the next
// call.
func (w *writer) process(p []byte) []byte {
	if len(w.held) == 0 && cap(w.out)+cap(w.held) > keepBuffer {
		w.out, w.held = nil, nil
	}
	whole := p
	if len(w.held) > 0 {
		w.held = append(w.held, p...)
		whole = w.held
	}
	done, changed := w.scan(whole)
	switch {
	case !changed && len(w.held) == 0 && done == len(p):
		return p
	case !changed:
		w.out = append(w.out[:0], whole[:done]...)
	}
	w.held = append(w.held[:0], whole[done:]...)
	return w.out
}

// begin lets everything pass until the connection is armed, if what comes first
// is a startup packet: it has no type, its first byte is the length's. Otherwise
// the connection is one that joined nothing.
func (w *writer) begin(p []byte) (int, error) {
	if !w.started && (len(p) == 0 || p[0] != 0) {
		return 0, errors.New("dualwrite: this connection was not opened by way of the hook")
	}
	if !w.started {
		w.started = true
		w.user, w.database = startup(p)
	}
	return w.to.Write(p)
}

// startup reads which user and database a startup packet asks for.
func startup(p []byte) (user, database string) {
	const lengthAndVersion = 8
	for rest := p[min(len(p), lengthAndVersion):]; len(rest) > 1; {
		var key, value []byte
		key, rest = cString(rest)
		value, rest = cString(rest)
		switch string(key) {
		case "database":
			database = string(value)
		case "user":
			user = string(value)
		}
	}
	return user, cmp.Or(database, user) // the server's default
}

// scan goes over the whole messages in p. It returns how many bytes they are,
// and whether w.out holds them changed.
func (w *writer) scan(p []byte) (done int, changed bool) {
	for len(p)-done >= headerLen {
		size := 1 + int(binary.BigEndian.Uint32(p[done+1:]))
		if size > len(p)-done {
			break
		}
		if size < headerLen {
			size = headerLen // malformed: the server will say so
		}
		message := p[done : done+size]
		start, end, s := w.message(message)
		if w.asking != nil {
			if !changed {
				w.out = append(w.out[:0], p[:done]...)
			}
			w.out = w.asking.append(w.out)
			w.wait()
			return done, true
		}
		switch {
		case s.changed():
			if !changed {
				w.out, changed = append(w.out[:0], p[:done]...), true
			}
			w.out = splice(w.out, message, start, end, s.send)
		case changed:
			w.out = append(w.out, message...)
		}
		done += size
	}
	return done, changed
}

// message takes note of a message. For one of which a part must change, that
// at [start:end], it returns what to send there. It has done nothing yet when
// the hook has to ask first.
func (w *writer) message(m []byte) (start, end int, s *statement) {
	c := w.conn
	kind, body := m[0], m[headerLen:]
	if isCopy(kind) {
		return 0, 0, nil
	}
	if c.unsettled {
		c.settle(kind)
	}
	switch kind {
	case 'B': // Bind: portal, statement
		portal, rest := cString(body)
		name, parameters := cString(rest)
		s = c.prepared(name)
		if c.pathMoved {
			if s = c.rebind(name, s); c.asking != nil {
				return 0, 0, nil
			}
		}
		c.execute(s)
		if c.sampling {
			c.sampleBind(name, s, parameters)
		}
		c.pending.push('B', s)
		if s != nil && s.send == refusedName {
			start = headerLen + len(portal) + 1
			return start, start + len(name), s
		}
		return 0, 0, nil
	case 'E': // Execute: portal
		c.pending.push('E', ofPortal(body))
	case 'D': // Describe: S or P, name
		if len(body) > 0 && body[0] == 'S' {
			name, _ := cString(body[1:])
			c.pending.add(c.description(name))
		} else {
			c.pending.push('D', ofPortal(body[min(1, len(body)):]))
		}
	case 'S', 'F': // Sync, function call
		c.pending.push(kind, nil)
		c.unsettled = c.pathInTx
	case 'C': // Close: S or P, name
		if len(body) > 0 && body[0] == 'S' {
			name, _ := cString(body[1:])
			c.prepare(name, nil)
		}
		c.pending.push('C', nil)
	case 'P': // Parse: name, text, types
		name, rest := cString(body)
		text, types := cString(rest)
		if s = c.translate(text).parsable(); c.askPath(s, false) {
			return 0, 0, nil
		}
		if c.span.span != nil {
			c.annotate(s) // a refusal ends here
		}
		p := c.prepare(name, s)
		if c.sampling {
			c.rememberTypes(p, types)
		}
		c.pending.add(request{kind: 'P', statement: s, named: p})
		start = headerLen + len(name) + 1
		return start, start + len(text), s
	case 'Q': // Query: text
		text, _ := cString(body)
		if s = c.translate(text); c.askPath(s, true) {
			return 0, 0, nil
		}
		c.execute(s)
		if c.sampling {
			c.sampleQuery(s)
		}
		for range s.result.Leading {
			c.pending.push(leading, s)
		}
		c.pending.push('Q', s)
		c.unsettled = c.pathInTx
		return headerLen, headerLen + len(text), s
	}
	return 0, 0, nil
}

// unknown stands for the text of a named portal, which nobody keeps track of:
// positions in it stay as they are.
var unknown = &statement{}

func ofPortal(body []byte) *statement {
	if len(body) == 0 || body[0] == 0 {
		return nil // pending knows
	}
	return unknown
}

// splice appends message to out, with what is at [start:end] replaced.
func splice(out, message []byte, start, end int, replacement string) []byte {
	out = append(out, message[0])
	out = binary.BigEndian.AppendUint32(out, uint32(len(message)-1-(end-start)+len(replacement)))
	out = append(out, message[headerLen:start]...)
	out = append(out, replacement...)
	return append(out, message[end:]...)
}

// cString splits b after its first string; what lacks a terminator is all string.
func cString(b []byte) (s, rest []byte) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}
