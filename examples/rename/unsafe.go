package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"regexp"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// What the fence is for, shown by an accident: a process decides on its SQL in
// phase off, is paused for as long as several flips take, and sends it then.
// PostgreSQL has seen it idle all the while, so the flips went past it.
//
// With -pause, the server refuses what was paused, because its phase's token is
// gone; the hook makes that a retriable error, and the retry is right. With
// -unsafe-no-tokens the same write goes through, in the manner of a phase that
// has ended, and damages a row: the audit has to find it.
//
// Nothing in the library can be switched off for this. The example sits below
// it, between the hook and the network, and spoils what was made safe above.

// heldMark marks the statement that is held back. Comments survive rewriting.
const heldMark = `/* held back */`

// token is the name of a phase's token in a rewritten statement.
var token = regexp.MustCompile(`\bcrossfade\.t\d+_[a-z]+_\d+\b`)

// notAFence takes its place: a table that nobody ever drops.
const notAFence = `pg_catalog.pg_class`

// gate is where the held write waits.
type gate struct {
	held   func(sql string)
	opened chan struct{}
	once   sync.Once
}

func newGate(held func(sql string)) *gate { return &gate{held: held, opened: make(chan struct{})} }

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// pass waits for the gate to open. Afterwards nothing is held any more.
func (g *gate) pass(sql string) {
	select {
	case <-g.opened:
	default:
		g.held(sql)
		<-g.opened
	}
}

// tamper is an AfterNetConnect of pgx: it gives the connection that pgx, and
// the hook in it, will write to.
func (a *app) tamper(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
	return &tampered{Conn: conn, gate: a.gate, noTokens: a.settings.NoTokens}, nil
}

// tampered is a connection that holds one write back and can take the tokens
// out of all.
type tampered struct {
	net.Conn
	gate     *gate
	noTokens bool
	started  bool
	rest     []byte // the beginning of a message whose end has not come yet
}

func (t *tampered) Write(p []byte) (int, error) {
	if !t.started { // the startup packet is no message: it has no type
		t.started = true
		return t.Conn.Write(p)
	}
	t.rest = append(t.rest, p...)
	var out []byte
	for len(t.rest) >= 5 {
		size := 1 + int(binary.BigEndian.Uint32(t.rest[1:]))
		if size > len(t.rest) {
			break
		}
		out = append(out, t.message(t.rest[:size])...)
		t.rest = t.rest[size:]
	}
	if _, err := t.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// message spoils a message that carries SQL: Parse ('P') and Query ('Q').
func (t *tampered) message(m []byte) []byte {
	if m[0] != 'P' && m[0] != 'Q' {
		return m
	}
	if i := bytes.Index(m, []byte(heldMark)); i >= 0 {
		start := bytes.LastIndexByte(m[5:i], 0) + 1 // Parse has a name before the text
		text, _, _ := bytes.Cut(m[5+start:], []byte{0})
		t.gate.pass(string(text))
	}
	if !t.noTokens || !token.Match(m[5:]) {
		return m
	}
	body := token.ReplaceAll(m[5:], []byte(notAFence))
	spoilt := binary.BigEndian.AppendUint32([]byte{m[0]}, uint32(4+len(body)))
	return append(spoilt, body...)
}

// holdBack sends the write that is held, and goes on reading its row.
func (w *worker) holdBack(ctx context.Context) {
	r, name := w.journal.pick(w.random), w.newName()
	long := context.WithValue(ctx, untimedKey, true)
	w.operate(ctx, operation{name: "held write", run: func(w *worker, ctx context.Context) error {
		return w.write(func() error {
			return w.retry(func() error {
				_, err := w.pool.Exec(long, w.queries.held, name, r.ID)
				return err
			})
		}, change{r, named(name)})
	}})
	read := operation{name: "read of the held row", run: func(w *worker, ctx context.Context) error {
		return w.retry(func() error {
			got, err := readState(w.pool.QueryRow(ctx, w.queries.byKey, r.ID))
			if err == nil {
				w.expect("read by key", r, got)
			}
			return err
		})
	}}
	for w.pause(20 * time.Millisecond) {
		w.operate(ctx, read)
	}
}
