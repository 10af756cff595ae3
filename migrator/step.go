package migrator

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// step is one piece of the way. Both do and undo may be called again after
// they were interrupted anywhere, also in turns: each looks at what is there
// first.
type step struct {
	name string
	// phase is the phase in which the step works; for a flip the one it leads to.
	phase Phase
	// flip: the step moves the phase, on the way forward from the phase from.
	flip bool
	from Phase
	// contract: the step belongs to Contract, not to Run.
	contract bool
	// temporary: a rollback to the step's own phase undoes it. It prepares for
	// leaving the phase and would be in the way in it.
	temporary bool
	// final: there is no way back once the step is wholly done.
	final   bool
	summary string
	do      func(context.Context, *work) error
	// undo is nil where there is no way back.
	undo func(context.Context, *work) error
	// plan gives the statements of do and undo, as they are on a first run.
	plan func(ledger.Transition) (do, undo []ddl.Statement)
}

// work is one transition in the hands of the migrator.
type work struct {
	*session
	t    *ledger.Transition
	way  way
	step step
	// force names gates that need not hold in this call.
	force Force
	// snapshot is what the source can be restored from.
	snapshot string
	// tail follows the log while the steps are done; nil when nothing is followed.
	tail *background
	// compared is what is known of reads, before they go to the target.
	compared *Reads
	// evidence goes to the history with the end of the step.
	evidence map[string]any
}

// begin reads the transition of that name and continues where it stands.
func (s *session) begin(ctx context.Context, name string) (*work, error) {
	t, err := ledger.Get(ctx, s.conn, name)
	if err != nil {
		return nil, err
	}
	w := s.on(&t)
	if len(w.way) == 0 {
		return nil, fmt.Errorf("transition %q is of kind %q, which this program does not know: %w", t.Name, t.Definition.Kind, ErrNewerLedger)
	}
	return w, nil
}

// on is the work on a transition.
func (s *session) on(t *ledger.Transition) *work {
	return &work{session: s, t: t, way: wayOf(t.Definition)}
}

func (w *work) table() ddl.Name { return tableOf(*w.t) }

func tableOf(t ledger.Transition) ddl.Name { return ddl.Name{Schema: t.Schema, Table: t.Table} }

func (w *work) event(event, detail string) ledger.Event {
	return ledger.Event{Actor: w.Actor, Event: event, Detail: detail}
}

// standing is where the transition is between two steps: done is the index of
// the last step wholly done, underway tells that the one after it is half done.
func (w *work) standing() (done int, underway bool, err error) {
	done, err = w.way.indexOf(w.t.Step)
	if err != nil || w.t.Underway == "" {
		return done, false, err
	}
	next, err := w.way.indexOf(w.t.Underway)
	if err == nil && next != done+1 {
		err = fmt.Errorf("transition %q: step %q cannot be under way after step %q", w.t.Name, w.t.Underway, w.t.Step)
	}
	return done, true, err
}

// forward does all steps up to and with the one at index goal.
func (w *work) forward(ctx context.Context, goal int) error {
	defer w.stopTail()
	for {
		done, underway, err := w.standing()
		if err != nil || done >= goal {
			return err
		}
		if renewed, err := w.missesTail(ctx, done); renewed || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		w.step = w.way[done+1]
		err = w.withTail(ctx, func(ctx context.Context) error { return w.perform(ctx, underway, "begin", w.step.do) })
		if err != nil {
			return fmt.Errorf("%s of %q: %w", w.step.name, w.t.Name, err)
		}
		if err := w.record(ctx, w.step.name, "", "done"); err != nil {
			return err
		}
	}
}

// back undoes all steps after the one at index goal, the last one first.
func (w *work) back(ctx context.Context, goal int) error {
	for {
		done, underway, err := w.standing()
		if err != nil {
			return err
		}
		last := done
		if underway {
			last++ // its undo copes with a half
		}
		if last <= goal {
			return nil
		}
		w.step = w.way[last]
		if w.step.undo == nil || w.step.final && !underway {
			return ErrPointOfNoReturn
		}
		if err := w.perform(ctx, underway, "undo", w.step.undo); err != nil {
			return fmt.Errorf("undo %s of %q: %w", w.step.name, w.t.Name, err)
		}
		if err := w.record(ctx, w.t.Step, "", "undone"); err != nil {
			return err
		}
	}
}

// perform records that a step is under way, and runs a half of it. From that
// record on, whoever comes after a crash knows that the step may be half done.
func (w *work) perform(ctx context.Context, underway bool, event string, half func(context.Context, *work) error) (err error) {
	began := time.Now()
	undo := event == "undo"
	w.observe(StepEvent{Position: position(*w.t), Name: w.step.name, Undo: undo})
	defer func() {
		elapsed := time.Since(began)
		w.observe(StepEvent{Position: position(*w.t), Name: w.step.name, Undo: undo, Done: true, Err: err, Elapsed: elapsed})
		if err == nil {
			w.Logger.LogAttrs(ctx, slog.LevelInfo, "step "+map[bool]string{false: "done", true: "undone"}[undo],
				slog.String(keyTransition, w.t.Name), slog.String(keyStep, w.step.name),
				slog.String(keyPhase, string(w.t.Phase)), slog.Duration(keyElapsed, elapsed))
		}
	}()
	before := w.t.Step
	if undo && !underway {
		before = w.way.previous(w.step)
	}
	if underway {
		event = "resume " + event
	}
	if err := w.record(ctx, before, w.step.name, event); err != nil {
		return err
	}
	return half(ctx, w)
}

// act tells the observer of something that is a command of its own, and no step
// of the way.
func (w *work) act(name string, fn func() error) error {
	w.step = step{name: name}
	began := time.Now()
	event := StepEvent{Position: position(*w.t), Name: name}
	w.observe(event)
	event.Err = fn()
	event.Done, event.Elapsed = true, time.Since(began)
	w.observe(event)
	return event.Err
}

func (w *work) record(ctx context.Context, step, underway, event string) error {
	e := w.event(event, w.step.name)
	if underway == "" {
		e.Evidence = w.evidence
	}
	w.evidence = nil
	return w.transaction(event+" "+w.step.name, func() error {
		return ledger.SetStep(ctx, w.conn, w.t, step, underway, e)
	})
}
