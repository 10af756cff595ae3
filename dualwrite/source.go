package dualwrite

import (
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"sync"
	"time"
	"weak"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// source is a configuration that connections come from.
type source struct {
	hook *Hook
	// config returns a configuration of the application for a new connection,
	// without the hook. The caller owns it.
	config func(context.Context) (*pgx.ConnConfig, error)
	// connect opens a connection without the hook, with what config has returned.
	connect func(context.Context, *pgx.ConnConfig) (*pgx.Conn, error)
}

// check refuses configurations that the hook cannot see through.
func check(c *pgx.ConnConfig) error {
	switch {
	case c.DefaultQueryExecMode == pgx.QueryExecModeExec:
		return ErrExecMode
	case c.RuntimeParams["replication"] != "":
		return ErrReplication
	}
	return nil
}

// wire puts the hook into a configuration, of which it changes only immediate
// members. The application's callbacks are called by the hook's.
func (s *source) wire(c *pgx.ConnConfig) error {
	if err := check(c); err != nil {
		return err
	}
	d := &dial{source: s, build: c.BuildFrontend, after: c.AfterConnect, within: joinWithin}
	if c.ConnectTimeout > 0 {
		d.within = min(d.within, c.ConnectTimeout)
	}
	c.BuildFrontend = d.buildFrontend
	c.AfterConnect = d.afterConnect
	c.Tracer = traced(c.Tracer)
	return nil
}

// dial is the hook in one configuration. A pool has one for each connection;
// but a configuration can be copied from a connection and used again, so there
// may be several connections under way.
type dial struct {
	source *source
	build  pgconn.BuildFrontendFunc
	after  pgconn.AfterConnectFunc
	// within bounds joining: pgconn's own connect_timeout has ended by then, and a
	// pool's connections are opened under a context that never does.
	within time.Duration

	mu    sync.Mutex // guards what follows
	built []built
}

// built is a frontend that pgconn asked for. There is one for each host that
// was tried, and for each connection that was made with the configuration or a
// copy of it; it is kept as long as the frontend is in use.
type built struct {
	frontend weak.Pointer[pgproto3.Frontend]
	conn     *conn
	writer   *writer
}

func (d *dial) buildFrontend(r io.Reader, w io.Writer) *pgproto3.Frontend {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.built = slices.DeleteFunc(d.built, func(b built) bool { return b.frontend.Value() == nil })
	c := &conn{hook: d.source.hook, source: d.source, raw: w}
	for _, b := range d.built {
		if b.conn.armed && same(b.conn.raw, w) {
			c = b.conn // pgconn.Construct goes on with a hijacked connection
		}
	}
	writer := &writer{to: w, conn: c}
	c.writer = writer
	frontend := d.build(&reader{from: r, conn: c}, writer)
	d.built = append(d.built, built{weak.Make(frontend), c, writer})
	return frontend
}

func (d *dial) find(frontend *pgproto3.Frontend) *conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.built {
		// The application's own BuildFrontend may have left the writer out.
		if b.frontend.Value() == frontend && b.writer.started {
			return b.conn
		}
	}
	return nil
}

func (d *dial) afterConnect(ctx context.Context, pc *pgconn.PgConn) error {
	if connOf(pc) != nil {
		return ErrHookedTwice
	}
	c := d.find(pc.Frontend())
	if c == nil {
		return ErrNotHooked
	}
	if err := d.join(ctx, c, pc); err != nil {
		return err
	}
	if d.after != nil {
		if err := d.after(ctx, pc); err != nil {
			return err
		}
	}
	// Not earlier: if this fails, pgconn closes the connection in a way that
	// cannot be seen from outside.
	c.hook.register(c)
	return nil
}

// joinWithin is how long joining may take when connect_timeout does not say less.
const joinWithin = 30 * time.Second

// join lets the connection join in time.
func (d *dial) join(ctx context.Context, c *conn, pc *pgconn.PgConn) error {
	ctx, cancel := context.WithTimeout(ctx, d.within)
	defer cancel()
	return c.join(ctx, pc)
}

// join makes the connection a member of the epoch in force, and arms it.
func (c *conn) join(ctx context.Context, pc *pgconn.PgConn) error {
	if encoding := pc.ParameterStatus("client_encoding"); !readable(encoding) {
		return fmt.Errorf("%w (it is %s)", ErrEncoding, encoding)
	}
	s := c.hook.server(address(pc.Conn()), c.database)
	view, err := s.join(ctx, pc)
	if err != nil {
		return err
	}
	w, err := s.learn(ctx, pc, view)
	if err != nil {
		return err
	}
	c.lot, c.ramps = s.lots.draw(), s.ramps.Load()
	if c.reading, err = w.read(c.ramps, c.lot); err != nil {
		return err
	}
	texts, err := c.reading.under(view.SearchPath)
	if err != nil {
		return err
	}
	c.standby = view.Standby
	c.arm(pc, s, w, texts)
	c.event(Event{Kind: Joined})
	return nil
}

// address is where a connection leads.
func address(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil {
		return a.String()
	}
	return "?" // a dialer of the application's own
}

// same compares two writers, which need not be comparable.
func same(a, b io.Writer) bool {
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}
