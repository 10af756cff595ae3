package dualwrite

import (
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/metric"
)

// Hook is in every connection that it was installed for. One Hook serves a
// whole process, however many pools and databases it has. Its methods are safe
// for concurrent use. Make it with New.
type Hook struct {
	config  Config
	started time.Time
	running atomic.Bool
	// woken tells Run that there may be something to do.
	woken chan struct{}

	// rewrites measures what the translators do.
	rewrites metric.Float64Histogram

	mu      sync.Mutex // guards what follows
	servers map[serverKey]*server
	conns   map[*conn]struct{}
	pools   []weak.Pointer[pgxpool.Pool]
	dbs     []weak.Pointer[sql.DB]
}

// New makes a Hook. It starts nothing.
func New(c Config) (*Hook, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Hook{
		config:  c,
		started: time.Now(),
		woken:   make(chan struct{}, 1),
		servers: map[serverKey]*server{},
		conns:   map[*conn]struct{}{},
	}
	if err := h.measure(c.MeterProvider); err != nil {
		return nil, fmt.Errorf("dualwrite: %w", err)
	}
	return h, nil
}

func (h *Hook) uptime() time.Duration { return time.Since(h.started) }

// wake makes Run look at once. It never blocks.
func (h *Hook) wake() {
	select {
	case h.woken <- struct{}{}:
	default:
	}
}

type serverKey struct{ address, database string }

func (h *Hook) server(address, database string) *server {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := serverKey{address, database}
	s := h.servers[key]
	if s == nil {
		s = newServer(h, address, database)
		h.servers[key] = s
	}
	return s
}
