package dualwrite

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
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
	// shadow compares reads; nil when no sample is to be taken. instance is what this
	// process is called in the ledger.
	shadow   *comparer
	instance string

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
		config:   c,
		started:  time.Now(),
		woken:    make(chan struct{}, 1),
		instance: instance(),
		servers:  map[serverKey]*server{},
		conns:    map[*conn]struct{}{},
	}
	h.shadow = newComparer(h)
	if err := h.measure(c.MeterProvider); err != nil {
		return nil, fmt.Errorf("dualwrite: %w", err)
	}
	return h, nil
}

// instance names this process and this hook.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%08x", host, os.Getpid(), rand.Uint32())
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
