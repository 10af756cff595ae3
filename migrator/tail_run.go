package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/logical"
)

// errTailOver: the transition has moved on to where nothing is followed.
var errTailOver = errors.New("the transition is not followed any more")

// Tail follows the log for a transition with sync: logical, beside the migrator
// and beside others that do the same: one is active, the others stand by. It waits
// until the transition has come to the step sync, and returns nil when it has come
// to where nothing needs to be followed, or has ended. A *TailError says why it
// cannot go on.
func (m *Migrator) Tail(ctx context.Context, name string) error {
	return m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		followed := false
		for {
			again, err := s.followOnce(ctx, name, &followed)
			var tail *TailError
			switch {
			case followed && errors.Is(err, ErrNotFound):
				return nil
			case err != nil && s.conn.IsClosed() && !errors.As(err, &tail): // the server is away
				s.Logger.WarnContext(ctx, "connect again", keyTransition, name, keyError, err)
			case err != nil || !again:
				return err
			}
			if err := sleep(ctx, time.Second); err != nil {
				return err
			}
			if s.conn.IsClosed() {
				_ = s.reopen(ctx) // the next turn says what is the matter
			}
		}
	})
}

// followOnce follows the log if it is to be followed now, and tells whether it may
// be later.
func (s *session) followOnce(ctx context.Context, name string, followed *bool) (again bool, err error) {
	w, err := s.begin(ctx, name)
	if err != nil {
		return false, err
	}
	if !tailed(*w.t) {
		w.step = step{name: "tail"}
		return false, w.closed("it is for transitions with sync: logical", "nothing of it is followed in the log")
	}
	now, err := s.tailing(ctx, *w.t)
	if err == nil && now {
		*followed = true
		err = s.follow(ctx, *w.t)
	}
	if err != nil {
		return false, err
	}
	if *w.t, err = ledger.Get(ctx, s.conn, name); err != nil {
		return false, err
	}
	done, _, err := w.standing()
	last, _ := w.way.indexOf(untailStep.name)
	return done < last, err
}

// RenewTail makes a new slot in place of one that was lost, or that nobody shall
// catch up with. What was written in between is unknown, so the steps from sync on
// are undone, and that one is done again: every row counts as not looked at, and
// no constraint of the targets refuses what is found in it.
func (m *Migrator) RenewTail(ctx context.Context, name string) (Position, error) {
	return m.work(ctx, name, func(w *work) error {
		w.step = tailStep
		done, underway, err := w.standing()
		if err != nil {
			return err
		}
		if begun := underway && w.t.Underway == tailStep.name; tailed(*w.t) && (w.inTail(done) || begun) {
			return w.renewTail(ctx)
		}
		return w.closed("it is for transitions with sync: logical, between the steps sync and unsync", "%s, and nothing is followed", w.where())
	})
}

func (w *work) renewTail(ctx context.Context) error {
	first, err := w.way.indexOf(tailStep.name)
	if err != nil {
		return err
	}
	w.stopTail()
	if err := w.back(ctx, first-1); err != nil {
		return err
	}
	return w.forward(ctx, first)
}

// follow runs a tailer, and looks every second whether it is still wanted and
// says how it comes along. The session is its own.
func (s *session) follow(ctx context.Context, t ledger.Transition) error {
	tailer, err := s.tailer(ctx, t)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- tailer.Run(running) }()
	watching := s.attend(ctx, t, tailer, ended)
	cancel()
	err = <-ended
	if watching != nil { // else it has ended by itself
		err = watching
	}
	if errors.Is(err, errTailOver) || ctx.Err() != nil {
		return ctx.Err()
	}
	if over, lookErr := s.tailOver(ctx, t); lookErr == nil && over {
		return nil // who ended it has dropped the slot
	}
	return &TailError{Transition: t.Name, Err: s.blame(ctx, t, err)}
}

// tailOver tells whether nothing is to be followed any more.
func (s *session) tailOver(ctx context.Context, t ledger.Transition) (bool, error) {
	now, err := ledger.Get(ctx, s.conn, t.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		return true, nil
	}
	if err != nil || now.ID != t.ID {
		return err == nil, err
	}
	wanted, err := s.tailing(ctx, now)
	return err == nil && !wanted, err
}

// attend returns nil when the tailer has ended, and otherwise why it is to end.
func (s *session) attend(ctx context.Context, t ledger.Transition, tailer *logical.Tailer, ended chan error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			ended <- err
			return nil
		case <-time.After(time.Second):
		}
		over, err := s.tailOver(ctx, t)
		switch {
		case over:
			return errTailOver
		case s.conn.IsClosed() && ctx.Err() == nil:
			if err := s.reopen(ctx); err != nil && ctx.Err() == nil {
				s.Logger.WarnContext(ctx, "connect again", keyTransition, t.Name, keyError, err)
			}
			continue
		case err != nil:
			continue // the tailer says what is the matter, if it lasts
		}
		status := tailer.Status()
		if status.State != logical.Streaming {
			continue // somebody else is active
		}
		s.measured.tail(ctx, t, status)
		err = errors.Join(ledger.NoteTail(ctx, s.conn, t.ID, s.Actor, status.LagBytes, status.Lag),
			ledger.SampleWriters(ctx, s.conn, t, fence.EpochClass, fence.OwnClass))
		if err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "note the lag", keyTransition, t.Name, keyError, err)
		}
	}
}

// reopen takes another connection in place of one that was lost.
func (s *session) reopen(ctx context.Context) error {
	fresh, err := s.another(ctx)
	if err == nil {
		s.conn = fresh.conn
	}
	return err
}

// missesTail makes the slot anew where a rollback from beyond it was broken off:
// what was written meanwhile is unknown.
func (w *work) missesTail(ctx context.Context, done int) (renewed bool, err error) {
	if !w.inTail(done) || w.t.Underway == untailStep.name {
		return false, nil
	}
	if there, err := w.tailing(ctx, *w.t); there || err != nil {
		return false, err
	}
	return true, w.renewTail(ctx)
}

// background is the tail of a migrator that works through the steps.
type background struct {
	stop func()
	done chan struct{}
	err  error // after done
}

// withTail runs a piece of work while the log is followed, where it is: a tail
// that ends is the end of the work.
func (w *work) withTail(ctx context.Context, piece func(context.Context) error) error {
	done, _, err := w.standing()
	if err != nil {
		return err
	}
	if !w.inTail(done) || w.step.name == untailStep.name {
		w.stopTail()
		return piece(ctx)
	}
	if w.tail == nil {
		if err := w.startTail(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tail := w.tail
	finished, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-tail.done:
			cancel(errTailOver)
		case <-finished:
		}
	}()
	err = piece(ctx)
	close(finished)
	<-stopped
	select {
	case <-tail.done:
		if tail.err == nil {
			tail.err = &TailError{Transition: w.t.Name, Err: errTailOver}
		}
		return tail.err
	default:
		return err
	}
}

func (w *work) startTail(ctx context.Context) error {
	s, err := w.another(ctx)
	if err != nil {
		return fmt.Errorf("tail of %q: %w", w.t.Name, err)
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.tail = &background{stop: stop, done: make(chan struct{})}
	go func(b *background, t ledger.Transition) {
		defer close(b.done)
		defer s.close(ctx)
		b.err = s.follow(following, t)
	}(w.tail, *w.t)
	return nil
}

func (w *work) stopTail() {
	if w.tail != nil {
		w.tail.stop()
		<-w.tail.done
		w.tail = nil
	}
}
