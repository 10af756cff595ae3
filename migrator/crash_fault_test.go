package migrator_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

// kind is a manner in which a migrator ends. Its tail, if it has one, is a part of
// it.
type kind string

const (
	// The connections end, as those of a dead process do, before the server gets
	// the statement, or when it has got it and nobody hears the answer.
	unsent     kind = "unsent"
	unanswered kind = "unanswered"
	// The process is killed when it has sent the statement.
	killed kind = "killed"
	// Somebody ends the session at that moment, the migrator's or its tail's.
	terminated kind = "terminated"
	// The server ends and comes back.
	restarted kind = "restarted"
	// The server answers the statement with an error, as when its disk is full, or
	// the migrator's role has lost a right.
	full   kind = "53100"
	denied kind = "42501"
)

// lost: the migrator lives and its connection does not.
func (k kind) lost() bool { return k == terminated || k == restarted }

// refused: its connection lives too.
func (k kind) refused() bool { return k == full || k == denied }

// fault lets a migrator end at the statement with this number, from 1.
type fault struct {
	kind kind
	at   int64
}

func (f fault) String() string { return fmt.Sprintf("%d %s", f.at, f.kind) }

// wire is what is between a migrator and the server. It counts the statements that
// pass.
type wire struct {
	fault
	// strike does what befalls the server, or the sessions of that application.
	strike func(application string) error
	// from is the text of the first statement that counts; empty is any.
	from string

	sent atomic.Int64
	text string // of the statement, as it was sent

	mu    sync.Mutex // guards the following
	dead  bool
	conns []net.Conn
	err   error
}

var errDead = errors.New("the process is dead")

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		_ = conn.Close()
		return nil, errDead
	}
	w.conns = append(w.conns, conn)
	return &tapped{Conn: conn, wire: w}, nil
}

// die ends all connections, and lets no other be opened.
func (w *wire) die() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for _, conn := range w.conns {
		_ = conn.Close()
	}
}

func (w *wire) isDead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}

func (w *wire) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

type tapped struct {
	net.Conn
	wire        *wire
	application string
}

func (c *tapped) Write(b []byte) (int, error) {
	w := c.wire
	if _, rest, found := bytes.Cut(b, []byte("application_name\x00")); found && c.application == "" {
		name, _, _ := bytes.Cut(rest, []byte{0})
		c.application = string(name)
	}
	if !executes(b) || w.from != "" && w.sent.Load() == 0 && !bytes.Contains(b, []byte(w.from+"\x00")) || w.sent.Add(1) != w.at {
		return c.Conn.Write(b)
	}
	w.text = c.application + ": " + printable(b)
	if w.kind == unsent {
		w.die()
		return 0, errDead
	}
	if w.kind.refused() {
		_, err := c.Conn.Write(refusal(w.kind, b))
		return len(b), err
	}
	n, err := c.Conn.Write(b)
	switch w.kind {
	case unanswered:
		w.die()
	case killed:
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {}
	default:
		struck := w.strike(c.application)
		w.mu.Lock()
		w.err = struck
		w.mu.Unlock()
	}
	return n, err
}

// executes tells whether messages make the server do something: Execute of the
// extended protocol, or Query.
func executes(b []byte) bool {
	for len(b) >= 5 {
		if b[0] == 'E' || b[0] == 'Q' {
			return true
		}
		length := 1 + int(b[1])<<24 + int(b[2])<<16 + int(b[3])<<8 + int(b[4])
		b = b[min(length, len(b)):]
	}
	return false
}

// refusal is a message in the place of messages, which the server answers with an
// error. A COMMIT that fails ends its transaction.
func refusal(k kind, messages []byte) []byte {
	sql := fmt.Sprintf("do $$ begin raise exception using errcode = '%s', message = 'made for a test'; end $$", k)
	if string(messages[5:]) == "commit\x00" {
		sql = "rollback; " + sql
	}
	b := append([]byte{'Q', 0, 0, 0, 0}, sql...)
	b = append(b, 0)
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-1))
	return b
}

// printable is what a person can read of messages.
func printable(b []byte) string {
	text := make([]byte, 0, len(b))
	for _, c := range b {
		if c >= ' ' && c < 127 {
			text = append(text, c)
		}
	}
	return string(text[:min(len(text), 300)])
}
