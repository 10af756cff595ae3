package dualwrite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// writer stands between a pgproto3.Frontend and the network. Of what the
// frontend sends it changes the SQL of Parse and Query, and nothing else.
//
// The frontend writes whole messages, possibly several at once. A wrapper of
// the application's may cut them differently: an incomplete message is held
// until the rest of it comes.
type writer struct {
	to io.Writer
	*conn
	started bool
	held    []byte // an incomplete message
	out     []byte // reused, for what is changed
}

// keepBuffer bounds the memory that a long text leaves behind.
const keepBuffer = 64 << 10

const headerLen = 5 // type and length

func (w *writer) Write(p []byte) (int, error) {
	if !w.armed {
		return w.begin(p)
	}
	whole := p
	if len(w.held) > 0 {
		w.held = append(w.held, p...)
		whole = w.held
	}
	done, changed := w.scan(whole)
	switch {
	case !changed && len(w.held) == 0 && done == len(p):
		return w.to.Write(p)
	case !changed:
		w.out = append(w.out[:0], whole[:done]...)
	}
	w.held = append(w.held[:0], whole[done:]...)
	if len(w.out) > 0 {
		if n, err := w.to.Write(w.out); err != nil {
			// Only whether anything was sent matters to pgconn.
			return min(n, len(p)), err
		}
	}
	if cap(w.out)+cap(w.held) > keepBuffer {
		w.out, w.held = nil, append([]byte(nil), w.held...)
	}
	return len(p), nil
}

// begin lets everything pass until the connection is armed, if what comes first
// is a startup packet: it has no type, its first byte is the length's. Otherwise
// the connection is one that joined nothing.
func (w *writer) begin(p []byte) (int, error) {
	if !w.started && (len(p) == 0 || p[0] != 0) {
		return 0, errors.New("dualwrite: this connection was not opened by way of the hook")
	}
	if !w.started {
		w.started, w.database = true, databaseOf(p)
	}
	return w.to.Write(p)
}

// databaseOf reads which database a startup packet asks for.
func databaseOf(p []byte) string {
	const lengthAndVersion = 8
	var user string
	for rest := p[min(len(p), lengthAndVersion):]; len(rest) > 1; {
		var key, value []byte
		key, rest = cString(rest)
		value, rest = cString(rest)
		switch string(key) {
		case "database":
			return string(value)
		case "user":
			user = string(value)
		}
	}
	return user // the server's default
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
// at [start:end], it returns what to send there.
func (w *writer) message(m []byte) (start, end int, s *statement) {
	c := w.conn
	kind, body := m[0], m[headerLen:]
	switch kind {
	case 'B': // Bind: portal, statement
		portal, rest := cString(body)
		name, _ := cString(rest)
		s = c.prepared(name)
		if s == nil && c.pathMoved && len(name) > 0 {
			s = unseen
		}
		if c.pathMoved && s != nil && s.by != c.texts {
			if s = c.reconsider(s); s.result.Outcome != rewrite.Refused {
				c.prepare(name, s)
			}
		}
		c.execute(s)
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
			c.pending.push('D', c.prepared(name))
		} else {
			c.pending.push('D', ofPortal(body[min(1, len(body)):]))
		}
	case 'S', 'F': // Sync, function call
		c.pending.push(kind, nil)
	case 'C': // Close: S or P, name
		if len(body) > 0 && body[0] == 'S' {
			name, _ := cString(body[1:])
			c.prepare(name, nil)
		}
		c.pending.push('C', nil)
	case 'P': // Parse: name, text, types
		name, rest := cString(body)
		text, _ := cString(rest)
		s = c.translate(text)
		c.prepare(name, c.distinct(name, s))
		c.pending.push('P', s)
		start = headerLen + len(name) + 1
		return start, start + len(text), s
	case 'Q': // Query: text
		text, _ := cString(body)
		s = c.translate(text)
		c.execute(s)
		c.pending.push('Q', s)
		return headerLen, headerLen + len(text), s
	}
	return 0, 0, nil
}

// unseen stands for a prepared statement of which no Parse was seen: PREPARE
// made it, or its Close was discarded after an error.
var unseen = &statement{doubtful: true}

// unknown stands for the text of a named portal, which nobody keeps track of:
// positions in it stay as they are.
var unknown = &statement{}

func ofPortal(body []byte) *statement {
	if len(body) == 0 || body[0] == 0 {
		return nil // pending knows
	}
	return unknown
}

// prepared returns the text of a prepared statement; nil when it is of no
// interest.
func (c *conn) prepared(name []byte) *statement {
	if len(name) == 0 {
		return c.unnamed
	}
	return c.named[string(name)]
}

// prepare remembers the text of a prepared statement, nil to forget it.
func (c *conn) prepare(name []byte, s *statement) {
	if len(c.tokens) == 0 && !s.special() {
		s = nil // nothing is in transition
	}
	switch {
	case len(name) == 0:
		c.unnamed = s
	case s == nil:
		delete(c.named, string(name))
	case c.named == nil:
		c.named = map[string]*statement{string(name): s}
	default:
		c.named[string(name)] = s
	}
}

// distinct returns what to remember of a text that is prepared under a name in
// use: the server keeps the text before, unless DEALLOCATE has removed that.
func (c *conn) distinct(name []byte, s *statement) *statement {
	before := c.named[string(name)]
	if len(name) == 0 || before == nil || before.original == s.original {
		return s
	}
	either := *s
	either.by, either.doubtful = nil, true
	either.result.Resets = s.result.Resets || before.result.Resets
	either.result.MovesPath = s.result.MovesPath || before.result.MovesPath
	return &either
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
