package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds the start of a server, with its crash recovery.
const startTimeout = time.Minute

// stopTimeout is how long the server may take to stop before it is killed.
const stopTimeout = 10 * time.Second

var (
	errNotStarted = errors.New("this server was not started by this program")
	errStopped    = errors.New("the server is stopped")
)

// Server is a PostgreSQL that Start has found or started. Its methods are safe
// for concurrent use.
type Server struct {
	url     string // of the database postgres, or of the existing server
	version version
	own     *instance // nil for an existing server

	mu      sync.Mutex // guards own's process, and stopped
	stopped bool
}

// Start finds or starts a server and waits until it takes connections. The
// context bounds Start only, not the server's life; end that with Stop.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = c.withDefaults()
	if c.URL != "" {
		version, err := askVersion(ctx, c.URL)
		if err != nil {
			return nil, fmt.Errorf("use existing PostgreSQL (Config.URL or $%s): %w", EnvURL, err)
		}
		return &Server{url: c.URL, version: version}, nil
	}
	own, err := newInstance(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Server{url: own.url(), own: own}
	if s.version, err = s.launch(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// URL returns the connection string of a database on the server, for pgx and
// for psql. An empty name means the database of Config.URL, else postgres.
func (s *Server) URL(database string) string {
	return withDatabase(s.url, database)
}

// Version returns the server's version, such as "18.1".
func (s *Server) Version() string { return s.version.text }

// Major returns the first number of the server's version, such as 18.
func (s *Server) Major() int { return s.version.number / 10000 }

// Stop ends a started server at once, disconnecting its clients, and removes
// its directory; an existing server it leaves alone. It is safe to repeat.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == nil || s.stopped {
		return nil
	}
	s.stopped = true
	if err := errors.Join(s.own.quit(), s.own.remove()); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

// Kill crashes a started server: it kills the postmaster and all its children
// with no warning and waits until they are gone. Restart brings it back. Kill
// does nothing to a server that is down, and fails for one that Start only
// found.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == nil {
		return fmt.Errorf("kill PostgreSQL: %w", errNotStarted)
	}
	if err := s.own.crash(); err != nil {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	return nil
}

// Restart starts the server again after Kill, or ends it at once and starts it
// again, with the same data directory and URL. It waits until the server takes
// connections.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.own == nil:
		return fmt.Errorf("restart PostgreSQL: %w", errNotStarted)
	case s.stopped:
		return fmt.Errorf("restart PostgreSQL: %w", errStopped)
	}
	if err := s.own.quit(); err != nil {
		return fmt.Errorf("restart PostgreSQL: %w", err)
	}
	_, err := s.launch(ctx)
	return err
}

// launch runs the server and waits until it takes connections.
func (s *Server) launch(ctx context.Context) (version, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.own.run(); err != nil {
		return version{}, fmt.Errorf("start PostgreSQL: %w", err)
	}
	for {
		v, err := askVersion(ctx, s.url)
		if err == nil {
			return v, nil
		}
		if s.own.ended(10 * time.Millisecond) {
			return version{}, fmt.Errorf("start PostgreSQL: it stopped at once%s", s.own.logTail())
		}
		if ctx.Err() != nil {
			return version{}, fmt.Errorf("start PostgreSQL: %w: %w%s", ctx.Err(), err, s.own.logTail())
		}
	}
}

type version struct {
	text   string // as in "18.1"
	number int    // server_version_num
}

func askVersion(ctx context.Context, url string) (v version, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return v, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const query = `select split_part(current_setting('server_version'), ' ', 1),
		current_setting('server_version_num')::int`
	err = conn.QueryRow(ctx, query).Scan(&v.text, &v.number)
	return v, err
}
