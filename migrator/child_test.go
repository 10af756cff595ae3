package migrator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// envChild makes the test binary a migrator that kills itself. Its value is a
// task.
const envChild = "CROSSFADE_CRASH_CHILD"

// task is what a child does until it dies.
type task struct {
	URL string
	// Split: the transition is splitting, not rename.
	Split bool
	// Sync: rename has a trigger.
	Sync bool
	// Operation: the transition is altering this.
	Operation string
	// Key: the transition is widen, not rename.
	Key bool
	// Keep: it is keeping, in phase complete.
	Keep bool
	// Back: roll back to off; otherwise start and run until contracted.
	Back bool
	// Tail: follow the log for rename.
	Tail bool
	// Help: help with the scan that is under way.
	Help bool
	// Death is the number of the change whose text the child sends as its last
	// act; the server gets it, the child no answer. 0 lets it live.
	Death int
}

// child does its task and exits; it prints how many changes it has made.
func child() {
	var work task
	if err := json.Unmarshal([]byte(os.Getenv(envChild)), &work); err != nil {
		panic(err)
	}
	config, err := pgx.ParseConfig(work.URL)
	if err != nil {
		panic(err)
	}
	reaper := &reaper{death: int64(work.Death)}
	config.Tracer = reaper
	config.DialFunc = reaper.dial
	m, err := migrator.New(config, quick(migrator.Config{}))
	transition := rename
	switch {
	case work.Split:
		transition = splitting()
	case work.Key:
		transition = widen
	}
	if work.Sync {
		transition = withSync(rename, "")
	}
	if work.Operation != "" && err == nil {
		transition, err = alteration(work.Operation)
	}
	if err == nil {
		if work.Tail {
			err = m.Tail(ctx, transition.Name)
		} else if work.Help {
			_, err = m.Help(ctx, transition.Name)
		} else if work.Keep {
			_, err = m.Contract(ctx, keeping.Name, withoutSnapshot)
		} else if work.Back {
			_, err = m.Rollback(ctx, transition.Name, migrator.RollbackOptions{})
		} else if _, err = m.Start(ctx, transition); err == nil {
			_, err = m.Run(ctx, transition.Name, untilContracted)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(reaper.changes.Load())
	os.Exit(0)
}

// reaper counts what changes the database for good: commits, and statements
// outside a transaction that are no queries. What happens inside a transaction
// leaves no trace when the process dies.
type reaper struct {
	death   int64
	changes atomic.Int64
	inTx    bool // of the connection that works
	armed   atomic.Bool
}

func (r *reaper) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(data.SQL)), " ")
	switch {
	case verb == "begin":
		r.inTx = true
	case verb == "rollback":
		r.inTx = false
	case verb == "commit", !r.inTx && verb != "select" && verb != "with":
		r.inTx = false
		if r.changes.Add(1) == r.death {
			r.armed.Store(true)
		}
	}
	return ctx
}

func (r *reaper) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (r *reaper) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return &mortal{Conn: conn, reaper: r}, err
}

// mortal is the end of the process once it has sent the armed change.
type mortal struct {
	net.Conn
	reaper *reaper
}

func (m *mortal) Write(b []byte) (int, error) {
	n, err := m.Conn.Write(b)
	if m.reaper.armed.Load() && executes(b) {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {}
	}
	return n, err
}

// executes tells whether a message makes the server do something: Execute of
// the extended protocol, or Query.
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
