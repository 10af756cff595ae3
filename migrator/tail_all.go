package migrator

import (
	"context"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// tailRest is how long TailAll leaves a transition alone that cannot be followed:
// somebody has to do something about it.
const tailRest = 10 * time.Second

// TailAll is Tail for all transitions with sync: logical, those that begin later
// too, until ctx is done. One that cannot go on does not end the others: the error
// is logged, and it is tried again ten seconds later.
func (m *Migrator) TailAll(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	a := &tails{m: m, ended: make(chan tailEnd), running: map[int64]bool{}, rests: map[int64]time.Time{}}
	defer func() {
		cancel()
		for range a.running {
			<-a.ended
		}
	}()
	return m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		for {
			err := a.start(ctx, s)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && s.conn.IsClosed(): // the server is away
				s.Logger.WarnContext(ctx, "connect again", keyError, err)
				_ = s.reopen(ctx) // the next turn says what is the matter
			case err != nil:
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case end := <-a.ended:
				a.end(ctx, s, end)
			case <-time.After(time.Second):
			}
		}
	})
}

// tails are the tails of a TailAll, by the ids of their transitions.
type tails struct {
	m       *Migrator
	ended   chan tailEnd
	running map[int64]bool
	rests   map[int64]time.Time // until when
}

type tailEnd struct {
	of  ledger.Transition
	err error
}

// start follows what is to be followed and is not yet.
func (a *tails) start(ctx context.Context, s *session) error {
	list, err := ledger.List(ctx, s.conn)
	if err != nil {
		return err
	}
	for _, t := range list {
		now, err := s.tailing(ctx, t)
		if err != nil {
			return err
		}
		if !now || a.running[t.ID] || time.Now().Before(a.rests[t.ID]) {
			continue
		}
		a.running[t.ID] = true
		go func() { a.ended <- tailEnd{t, a.m.Tail(ctx, t.Name)} }()
	}
	return nil
}

func (a *tails) end(ctx context.Context, s *session, end tailEnd) {
	delete(a.running, end.of.ID)
	if end.err != nil && ctx.Err() == nil {
		a.rests[end.of.ID] = time.Now().Add(tailRest)
		s.Logger.ErrorContext(ctx, "the log is not followed", keyTransition, end.of.Name, keyError, end.err)
	}
}
