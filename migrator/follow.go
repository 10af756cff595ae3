package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// FollowOptions says whom to follow.
type FollowOptions struct {
	// Source says what the feature flags say; one flag for each transition, FlagKey.
	// Nil: requests are those that Request has written down.
	Source Source
	// Settle is how long a flag must say the same before it counts. 0 means 30 s.
	Settle time.Duration
	// Poll is the time between two looks; a change that the source tells of is
	// looked at at once. 0 means 5 s.
	Poll time.Duration
}

// Bounds of Follow that need no setting.
const (
	// followDrain is how long a drain may hang while other transitions wait for
	// their turn, unless Config.DrainTimeout says.
	followDrain = 10 * time.Minute
	// followAgain and followPatience bound the wait before a step that failed is
	// tried again.
	followAgain    = 30 * time.Second
	followPatience = 10 * time.Minute
	// evaluationTimeout bounds the evaluation of one flag.
	evaluationTimeout = 10 * time.Second
	// followRest is the least time between two looks.
	followRest = 50 * time.Millisecond
)

// Follow leads each registered transition towards the phase that its flag asks for,
// one step at a time, each with its gates and its drain, until ctx ends. The flag
// requests, the ledger decides: what may not be granted yet is shown by Status and
// waits. It never contracts. A flag that is missing, unknown, stale or failing, or
// whose source fails, moves nothing.
//
// One follower works in a database, others wait until it ends. Its steps take turns
// with other migrators. A connection that is lost is opened again; what keeps Follow
// from beginning, such as no ledger, ends it.
func (m *Migrator) Follow(ctx context.Context, o FollowOptions) error {
	if o.Settle < 0 || o.Poll < 0 {
		return errors.New("follow: a duration is negative")
	}
	if o.Settle == 0 {
		o.Settle = 30 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = 5 * time.Second
	}
	// The steps and the follower tell the observer things at the same time.
	own := *m
	if own.config.Observer != nil {
		own.config.Observer = &oneAtATime{observer: own.config.Observer}
	}
	if own.config.DrainTimeout == 0 {
		own.config.DrainTimeout = followDrain
	}
	f := &follower{m: &own, o: o, wishes: map[int64]*wish{}}
	if o.Source != nil {
		f.changed = o.Source.Changed()
	}
	begun := false
	for {
		err := own.look(ctx, func(s *session) error {
			if err := ledger.Check(ctx, s.conn); err != nil {
				return err
			}
			begun = true
			if err := f.become(ctx, s); err != nil {
				return err
			}
			return f.run(ctx, s)
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !begun, errors.Is(err, ErrNewerLedger), errors.Is(err, ErrNoLedger):
			return fmt.Errorf("follow: %w", err)
		}
		f.m.config.Logger.Warn("the follower goes on with another connection", keyError, err)
		if err := sleep(ctx, o.Poll); err != nil {
			return err
		}
	}
}

// oneAtATime is an Observer that is called by several goroutines.
type oneAtATime struct {
	mu       sync.Mutex // held while observer is called
	observer Observer
}

func (o *oneAtATime) Observe(e Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.observer.Observe(e)
}

// follower is what one Follow knows. All but the step that is at work belongs to
// one goroutine.
type follower struct {
	m       *Migrator
	o       FollowOptions
	changed <-chan struct{}
	wishes  map[int64]*wish
	// at is the step at work; nil when there is none.
	at *attempt
}

// attempt is one step of one transition, in a goroutine of its own.
type attempt struct {
	transition int64
	direction  direction
	cancel     context.CancelFunc
	cancelled  bool
	done       chan error
}

// become waits until no other follower is left.
func (f *follower) become(ctx context.Context, s *session) error {
	for told := false; ; told = true {
		following, err := fence.Follow(ctx, s.conn)
		if err != nil || following {
			return err
		}
		if !told {
			s.Logger.LogAttrs(ctx, slog.LevelInfo, "another follower is at work, this one waits until it ends")
		}
		if err := sleep(ctx, min(f.o.Poll, time.Second)); err != nil {
			return err
		}
	}
}

// run looks at the flags and the ledger again and again, on the connection that
// holds the follower's lock. The steps have connections of their own.
func (f *follower) run(ctx context.Context, s *session) error {
	defer f.end()
	for {
		again, err := f.look(ctx, s)
		if err != nil {
			return err
		}
		if err := f.wait(ctx, again); err != nil {
			return err
		}
		if err := sleep(ctx, followRest); err != nil {
			return err
		}
	}
}

// wait returns when there may be something to do.
func (f *follower) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var done chan error
	if f.at != nil {
		done = f.at.done
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-done:
		f.settle(err)
	case _, open := <-f.changed:
		if !open {
			f.changed = nil // it has nothing more to tell
		}
	case <-timer.C:
	}
	return nil
}

// end stops the step at work, which a later one continues.
func (f *follower) end() {
	if f.at != nil {
		f.at.cancel()
		if err := <-f.at.done; err != nil {
			f.m.config.Logger.Debug("the step at work was stopped", keyError, err)
		}
		f.at = nil
	}
}

// look goes through all transitions once, and begins the next step if none is at
// work. It returns when to look again at the latest.
func (f *follower) look(ctx context.Context, s *session) (again time.Duration, err error) {
	list, err := ledger.List(ctx, s.conn)
	if err != nil {
		return 0, err
	}
	again = f.o.Poll
	var next *wish
	gone := f.wishes
	f.wishes = map[int64]*wish{}
	for i := range list {
		if !list[i].Definition.Moves() || len(wayOf(list[i].Definition)) == 0 {
			continue
		}
		w := gone[list[i].ID]
		if w == nil {
			w = &wish{}
		}
		f.wishes[list[i].ID] = w
		w.work = s.on(&list[i])
		var back *StepBackError
		if err := w.work.guard(ctx, &w.window); err != nil && !errors.As(err, &back) {
			return 0, err
		}
		soon, err := f.consider(ctx, w)
		if err != nil {
			return 0, err
		}
		again = min(again, soon)
		if w.before(next) {
			next = w
		}
	}
	f.turn(ctx, next)
	return max(again, 0), nil
}

// turn begins the step of next, or makes way for it: a way back goes first, and a
// step that leads the wrong way is stopped. It can be continued.
func (f *follower) turn(ctx context.Context, next *wish) {
	if f.at != nil {
		mine := f.wishes[f.at.transition]
		turned := mine == nil || mine.direction != stay && mine.direction != f.at.direction
		if turned || next != nil && next.direction == backward && f.at.direction == ahead {
			f.at.cancelled = true
			f.at.cancel()
		}
		return
	}
	if next == nil {
		return
	}
	next.tried = time.Now()
	stepCtx, cancel := context.WithCancel(ctx)
	f.at = &attempt{transition: next.work.t.ID, direction: next.direction, cancel: cancel, done: make(chan error, 1)}
	name, to, d, done := next.work.t.Name, next.request.Phase, next.direction, f.at.done
	go func() { done <- f.m.follow(stepCtx, name, to, d) }()
}

// settle takes the outcome of a step.
func (f *follower) settle(err error) {
	at := f.at
	f.at = nil
	at.cancel()
	w := f.wishes[at.transition]
	if w == nil || at.cancelled {
		return
	}
	w.outcome(err, f.o.Poll)
	if err != nil && w.failed.by == holdError {
		f.m.config.Logger.Warn("a step towards what is requested has failed", keyTransition, w.work.t.Name, keyError, err)
	}
}
