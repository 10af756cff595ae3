package dualwrite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Run follows the ledger until ctx is done, and returns ctx.Err(). For each
// server that has hooked connections it opens a connection of its own
// (application_name "crossfade hook"), hears of a change of the epoch there or
// polls it, and recycles the connections that are older. It survives the loss
// of its connections, and leaves a server that no connection leads to any more.
// All its goroutines have ended when it returns.
//
// Without Run nothing wrong happens, but a flip is noticed only when a
// connection joins or fails, and idle connections hold it up.
func (h *Hook) Run(ctx context.Context) error {
	if h.running.Swap(true) {
		return ErrRunning
	}
	defer h.running.Store(false)
	var followers sync.WaitGroup
	defer followers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if h.shadow != nil {
		for range h.config.Shadow.Concurrency {
			followers.Go(func() { h.shadow.run(ctx) })
		}
	}

	following := map[*server]chan struct{}{}
	recycling := recycling{config: h.config}
	for wait := time.Duration(0); ; {
		var outdated laggards
		for _, c := range h.alive() {
			outdated.note(c)
			if done, ok := following[c.server]; ok && !ended(done) {
				continue
			}
			done := make(chan struct{})
			following[c.server] = done
			followers.Go(func() {
				defer close(done)
				c.server.follow(ctx, c.source)
			})
		}
		if recycling.due(outdated) {
			h.recycle(ctx)
		}
		// While connections are busy or in their grace, look again soon; those
		// that stay (a listener, a long transaction) are not worth hurrying.
		wait = min(max(2*wait, minRecycle), h.config.PollInterval)
		if outdated.conns == 0 {
			wait = h.config.PollInterval
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-h.woken:
			timer.Stop()
			wait = 0
		case <-timer.C:
		}
	}
}

const minRecycle = 10 * time.Millisecond

func ended(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// follow listens to one server, again and again, as long as it has hooked
// connections.
func (s *server) follow(ctx context.Context, src *source) {
	const first, last = 100 * time.Millisecond, 5 * time.Second
	for delay := first; ; delay = min(2*delay, last) {
		err := s.listen(ctx, src, func() { delay = first })
		if ctx.Err() != nil || err == nil {
			return
		}
		s.event(Event{Kind: FollowFailed, Epoch: s.known(), Err: err})
		// The pool of src may be gone, and with it what its callbacks need.
		if src = s.anySource(); src == nil || pause(ctx, delay+rand.N(delay)) != nil {
			return
		}
	}
}

// anySource is where some open connection to the server comes from; nil when
// there is none.
func (s *server) anySource() *source {
	for _, c := range s.hook.alive() {
		if c.server == s {
			return c.source
		}
	}
	return nil
}

// leaveWithin bounds the last report and the farewell of a connection.
const leaveWithin = 5 * time.Second

// unusedPolls is how many polls long a server is followed that no connection leads
// to any more. After that its database can be dropped.
const unusedPolls = 5

// listen follows the server on one connection, until that fails, or nobody needs it.
func (s *server) listen(ctx context.Context, src *source, connected func()) error {
	conn, err := s.connect(ctx, src)
	if err != nil {
		return err
	}
	reported := time.Now()
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
		defer cancel()
		if never := (time.Time{}); !conn.IsClosed() {
			_ = s.report(ctx, conn, &never)
		}
		_ = conn.Close(ctx)
	}()
	connected()
	s.event(Event{Kind: Following, Epoch: s.known(), PID: conn.PgConn().PID()})
	for used := time.Now(); ; {
		if s.anySource() != nil {
			used = time.Now()
		} else if time.Since(used) > unusedPolls*s.hook.config.PollInterval {
			return nil
		}
		absent, err := s.look(ctx, conn)
		if err != nil {
			return err
		}
		if err := s.report(ctx, conn, &reported); err != nil {
			s.event(Event{Kind: ReportFailed, Epoch: s.known(), Err: err})
			if conn.IsClosed() {
				return err
			}
		}
		interval := s.hook.config.PollInterval
		if absent {
			interval = s.hook.config.AbsentInterval
		}
		waiting, cancel := context.WithTimeout(ctx, interval)
		err = conn.PgConn().WaitForNotification(waiting)
		expired := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err != nil && !expired {
			return fmt.Errorf("wait for a notification: %w", err)
		}
	}
}

// connect opens a connection that hears of changes.
func (s *server) connect(ctx context.Context, src *source) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := s.open(ctx, src, "crossfade hook", "")
	if err != nil {
		return nil, fmt.Errorf("connect to follow: %w", err)
	}
	_, err = conn.Exec(ctx, `listen `+ledger.Channel)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == codeReadOnly {
		err = nil // a standby hears of nothing: it is polled
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, fmt.Errorf("connect to follow: %w", err)
	}
	return conn, nil
}

var errNotMeant = errors.New("not the server that is meant")

// open opens a connection without the hook to this server, and to no other that
// the configuration may name. Drains do not wait for it. user is whom the
// configuration must lead to; empty is anybody.
func (s *server) open(ctx context.Context, src *source, application, user string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	config, err := src.config(ctx)
	if err != nil {
		return nil, fmt.Errorf("configure a connection: %w", err)
	}
	config.Database = s.database
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err == nil && address(c) != s.address {
			_ = c.Close()
			return nil, errNotMeant
		}
		return c, err
	}
	config.RuntimeParams["application_name"] = application
	// What the application sends when it connects is for the hook to see.
	config.AfterConnect, config.Tracer = nil, nil
	config.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {} // it is enough to be woken
	conn, err := src.connect(ctx, config)
	if err != nil {
		return nil, err
	}
	switch leads := conn.Config().User; {
	case user != "" && leads != user:
		err = fmt.Errorf("the application's configuration leads to role %q now, not %q", leads, user)
	case address(conn.PgConn().Conn()) != s.address: // a callback has brought a dialer of its own
		err = errNotMeant
	default:
		err = fence.Own(ctx, conn)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// look reads the epoch, and now and then the catalog.
func (s *server) look(ctx context.Context, conn *pgx.Conn) (absent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var epoch int
	var exists, held bool
	var ramps map[int64]int
	err = conn.QueryRow(ctx, `select to_regclass('crossfade.join_v1') is not null`).Scan(&exists)
	if err == nil && exists {
		err = conn.QueryRow(ctx, `select epoch, held_ms is not null, ramps from crossfade.join_v1`).Scan(&epoch, &held, &ramps)
	}
	if err != nil {
		return false, fmt.Errorf("read the epoch: %w", err)
	}
	if held {
		s.hurry(epoch)
	}
	s.raise(epoch)
	s.ramp(ramps)
	if w := s.current.Load(); w != nil && w.epoch == epoch && !w.fresh(w.view) {
		if _, err := s.learn(ctx, conn.PgConn(), w.view); err != nil {
			return false, err
		}
	}
	return !exists, nil
}
