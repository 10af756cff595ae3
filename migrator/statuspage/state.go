package statuspage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// state is what one look has seen, drawn. It does not change any more; next is
// closed when there is another one.
type state struct {
	list              []migrator.Status
	database, address string
	// at is when the database was read last; zero before the first time.
	at time.Time
	// err is why it could not be read since then; nil when it could.
	err error
	// past is what was seen before, for the charts.
	past map[string]series
	// html is the part of the page that changes.
	html  []byte
	ended bool
	next  chan struct{}
}

// lookTimeout bounds one look at the database.
const lookTimeout = 15 * time.Second

// Run looks at the database until ctx is done, and returns ctx.Err(); ErrRunning
// when it runs already. It survives the loss of the database. When it has
// returned, streams end.
func (p *Page) Run(ctx context.Context) error {
	if p.running.Swap(true) {
		return ErrRunning
	}
	defer p.running.Store(false)
	reader := p.migrator.StatusReader()
	defer reader.Close(ctx)
	defer func() {
		last := *p.current.Load()
		last.ended = true
		p.publish(&last)
	}()
	ticker := time.NewTicker(p.config.Interval)
	defer ticker.Stop()
	for {
		if err := p.look(ctx, reader); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// look publishes what there is to see now, or that nothing can be seen.
func (p *Page) look(ctx context.Context, reader *migrator.StatusReader) error {
	limited, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	before := p.current.Load()
	list, err := reader.Status(limited, migrator.StatusOptions{Events: p.config.Events})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := *before
	now.err, now.ended = err, false
	switch {
	case err == nil:
		now.list, now.at = list, time.Now()
		now.database, now.address = reader.Server()
		now.past = p.remember(before.past, now)
		if before.err != nil {
			p.config.Logger.LogAttrs(ctx, slog.LevelInfo, "the ledger can be read again")
		}
	case before.err == nil:
		p.config.Logger.LogAttrs(ctx, slog.LevelWarn, "the ledger cannot be read", slog.Any("error", err))
	}
	if err := now.draw(p.config); err != nil {
		return err
	}
	p.publish(&now)
	return nil
}

// publish makes s the current state, and wakes those who follow.
func (p *Page) publish(s *state) {
	s.next = make(chan struct{})
	close(p.current.Swap(s).next)
}

var errNoLook = errors.New("nobody has looked at the database yet")

// fresh tells whether what is known is what is so; otherwise why not.
func (p *Page) fresh(s *state) error {
	switch {
	case s.err != nil:
		return s.err
	case s.at.IsZero():
		return errNoLook
	case time.Since(s.at) > p.config.Interval+2*lookTimeout, s.ended:
		return errors.New("nobody looks at the database any more")
	}
	return nil
}
