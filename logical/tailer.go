package logical

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Tailer follows a slot. Make one with New. Its methods are safe for concurrent
// use.
type Tailer struct {
	config Config

	mu      sync.Mutex // guards what follows
	running bool
	status  Status
}

// New checks the configuration. It connects to nothing and starts nothing.
func New(config Config) (*Tailer, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	return &Tailer{config: config.withDefaults()}, nil
}

// Run follows the slot until ctx is done, and then returns ctx.Err(). Setup comes
// first: without a stored position Run ends with a SlotLost, since nothing tells
// a slot that was never there from one that has gone with its position; a
// temporary slot it makes itself. While another process reads the slot it stands
// by, and takes over when that has gone.
//
// When a connection is lost it connects again, with growing pauses, and begins
// again after the last batch that is durable. So it does when Apply fails with
// an error of PostgreSQL that may pass (lost connections, deadlocks, lock
// timeouts, full resources, a shutdown). It ends with any other error of Apply,
// with a SlotLost, and with a Refusal.
func (t *Tailer) Run(ctx context.Context) error {
	if !t.begin() {
		return ErrRunning
	}
	defer t.end()
	const first = 100 * time.Millisecond
	pause := first
	streamed := false
	for {
		s := &session{tailer: t, config: t.config}
		err := s.run(ctx)
		streamed = streamed || s.streamed
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case permanent(err, streamed):
			return err
		case s.streamed && t.config.Temporary:
			return errors.Join(t.lost(Disconnected, "its connection has ended"), err)
		}
		if s.advanced() {
			pause = first
		}
		wait := pause
		if errors.Is(err, errBusy) {
			wait = t.config.StandbyInterval
		} else {
			t.note(func(status *Status) { status.State = Connecting })
			wait += rand.N(pause/2 + 1)
			pause = min(2*pause, t.config.MaxBackoff)
			t.config.Logger.WarnContext(ctx, "lost the stream, connecting again",
				logSlot, t.config.Slot, logError, err, logPause, wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (t *Tailer) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running {
		return false
	}
	t.running = true
	return true
}

func (t *Tailer) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = false
	t.status.State = Stopped
}
