package statuspage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// ErrRunning: Run is at work already.
var ErrRunning = errors.New("the status page is running already")

// Page is an http.Handler that shows what Run has seen. Mount it with a slash at
// the end:
//
//	mux.Handle("/crossfade/", http.StripPrefix("/crossfade", page))
type Page struct {
	config   Config
	migrator *migrator.Migrator
	mux      *http.ServeMux
	guard    guard
	// streams has a place for each browser that follows.
	streams chan struct{}
	running atomic.Bool
	current atomic.Pointer[state]
}

// New returns a Page of the database that m leads to. It looks at nothing before
// Run does.
func New(m *migrator.Migrator, c Config) (*Page, error) {
	if m == nil {
		return nil, errors.New("new status page: no migrator")
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("new status page: %w", err)
	}
	c = c.withDefaults()
	p := &Page{config: c, migrator: m, guard: newGuard(c), mux: http.NewServeMux(), streams: make(chan struct{}, c.MaxStreams)}
	first := &state{next: make(chan struct{})}
	if err := first.draw(c); err != nil {
		return nil, fmt.Errorf("new status page: %w", err)
	}
	p.current.Store(first)
	p.route()
	return p, nil
}

// route says who answers what. All but GET and HEAD of these, and the form of the
// token, is turned away.
func (p *Page) route() {
	p.mux.HandleFunc("GET /healthz", p.healthz)
	for name, file := range statics {
		p.mux.Handle("GET /"+name, file)
	}
	p.mux.HandleFunc("POST /login", p.guard.login)
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /{$}":         p.page,
		"GET /events":      p.events,
		"GET /status.json": p.document,
		"GET /metrics":     p.metrics,
	} {
		p.mux.Handle(pattern, p.guard.ask(handler))
	}
}

// ServeHTTP answers a request. It never waits for the database.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !p.guard.knows(r) {
		http.Error(w, "this page is not called "+r.Host+": use localhost, or name it with --host (Config.Hosts)", http.StatusMisdirectedRequest)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// shutdown is how long answers under way may take when the server ends.
const shutdown = 5 * time.Second

// Serve runs the page and a server for it on l until ctx is done, and returns
// ctx.Err(); or why the server has failed. It closes l. All its goroutines have
// ended when it returns.
func (p *Page) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	server := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second, // streams set their own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // streams end with it
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			cancel(fmt.Errorf("serve the status page: %w", err))
		}
	})
	if err := p.Run(ctx); ctx.Err() == nil {
		cancel(err)
	}
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer done()
	if server.Shutdown(closing) != nil {
		_ = server.Close()
	}
	wait.Wait()
	return context.Cause(ctx)
}
