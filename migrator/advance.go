package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Start checks a transition, registers it in phase off, and waits until every
// session that embeds the hook knows it and no other session is left. A
// *RefusedError lists what stands in the way. When it returned a *DrainError,
// or was interrupted, the transition is registered: Start with the same
// transition, Advance and Run all continue.
func (m *Migrator) Start(ctx context.Context, t Transition) (p Position, err error) {
	if err := t.Validate(); err != nil {
		return Position{Name: t.Name}, err
	}
	p = Position{Name: t.Name}
	err = m.leadLedger(ctx, func(s *session) error {
		w, err := s.register(ctx, t)
		if err != nil {
			return err
		}
		defer func() { p = position(*w.t) }()
		return w.forward(ctx, 0)
	})
	return p, err
}

// register returns the transition that the ledger has, if it is the same and
// its first drain is not over; otherwise it registers t.
func (s *session) register(ctx context.Context, t Transition) (*work, error) {
	w, err := s.begin(ctx, t.Name)
	if errors.Is(err, ErrNotFound) {
		return s.registerNew(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	schema, table, err := s.resolve(ctx, t.Table)
	if err != nil {
		return nil, err
	}
	switch same := w.t.Schema == schema && w.t.Table == table && asked(*w.t, t); {
	case !same:
		return nil, fmt.Errorf("start %q: it was started as %s of %s, and the file says something else now: %w",
			t.Name, w.t.Definition, tableName(*w.t), ErrActive)
	case w.t.Step != "":
		return nil, fmt.Errorf("start %q: %s: %w", t.Name, w.where(), ErrActive)
	}
	return w, nil
}

// asked tells whether a transition of the ledger is what t asks for. A later
// version may have written a file that this one cannot read; then the names must
// do.
func asked(registered ledger.Transition, t Transition) bool {
	if was, err := ParseTransition([]byte(registered.Definition.File)); err == nil {
		return was.SameOperation(t) && was.sync() == t.sync() && was.syncMode() == t.syncMode()
	}
	return registered.Definition.Moves() && slices.Equal(registered.Definition.SourceNames(), t.Sources()) &&
		slices.Equal(registered.Definition.TargetNames(), t.Targets())
}

func (s *session) registerNew(ctx context.Context, t Transition) (*work, error) {
	row, _, findings, err := s.check(ctx, t)
	if err != nil {
		return nil, err
	}
	refused := &RefusedError{Transition: t.Name}
	for _, f := range findings {
		if f.Refuses {
			refused.Findings = append(refused.Findings, f)
		}
	}
	if len(refused.Findings) > 0 {
		return nil, refused
	}
	// One name, or one column, at a time: also for what is on its way out.
	_, err = s.finishRemovals(ctx, func(t ledger.Transition) bool {
		return t.Name == row.Name || ledger.Overlap(row, t) != nil
	})
	if err != nil {
		return nil, err
	}
	w := s.on(&row)
	w.step = w.way[0]
	err = w.transaction("register", func() error {
		event := w.event("register", fmt.Sprintf("%s.%s: %s", row.Schema, row.Table, row.Definition))
		return ledger.Register(ctx, s.conn, &row, event)
	})
	return w, err
}

// AdvanceOptions says how far to go.
type AdvanceOptions struct {
	// To is the phase to reach; empty means one step.
	To Phase
	// Force lets the transition pass gates that do not hold.
	Force Force
}

// Advance does the next step of a transition, or all steps up to a phase. One
// step never goes beyond complete: Contract does.
func (m *Migrator) Advance(ctx context.Context, name string, o AdvanceOptions) (Position, error) {
	if err := o.Force.validate(); err != nil {
		return Position{Name: name}, fmt.Errorf("advance %q: %w", name, err)
	}
	return m.work(ctx, name, func(w *work) error {
		w.force = o.Force
		if o.To != "" {
			return w.forwardTo(ctx, o.To)
		}
		done, _, err := w.standing()
		if err != nil {
			return err
		}
		if done+1 < len(w.way) && !w.way[done+1].contract {
			return w.forward(ctx, done+1)
		}
		if done+1 == len(w.way) && !w.t.Definition.Moves() {
			return &GateError{Transition: name, Step: w.t.Step, Why: "all of its steps are done", Hint: "end it: remove"}
		}
		return &GateError{Transition: name, Step: "contract", Why: "all steps up to complete are done",
			Hint: "to drop the source is an act of its own: contract"}
	})
}

// RunOptions says how far to go.
type RunOptions struct {
	// Until is the phase to reach; empty means complete.
	Until Phase
	// Force lets the transition pass gates that do not hold.
	Force Force
	// Snapshot is that of ContractOptions; needed with Until Contracted.
	Snapshot string
}

// Run does all steps up to a phase. Until Contracted it contracts too.
func (m *Migrator) Run(ctx context.Context, name string, o RunOptions) (Position, error) {
	if o.Until == "" {
		o.Until = Complete
	}
	if err := o.Force.validate(); err != nil {
		return Position{Name: name}, fmt.Errorf("run %q: %w", name, err)
	}
	return m.work(ctx, name, func(w *work) error {
		w.force, w.snapshot = o.Force, o.Snapshot
		return w.forwardTo(ctx, o.Until)
	})
}

// ContractOptions says what can be restored.
type ContractOptions struct {
	// Snapshot names a snapshot or backup from which the source can be restored: an
	// identifier, a place, a note. It goes to the history. NoSnapshot says that there
	// is none; empty is ErrNoSnapshot, unless the point of no return is past.
	Snapshot string
}

// Contract drops the source: from phase complete to the end. Once the phase
// contracted is entered there is no way back. Where the target keeps the source's
// name, it ends in the phase named; a *DrainError says who kept it from that.
func (m *Migrator) Contract(ctx context.Context, name string, o ContractOptions) (Position, error) {
	return m.work(ctx, name, func(w *work) error {
		w.snapshot = o.Snapshot
		done, _, err := w.standing()
		if err != nil {
			return err
		}
		if done < w.way.reached(Complete) {
			return &GateError{Transition: name, Step: "contract", Why: w.where(), Hint: "run it to complete first"}
		}
		if !slices.ContainsFunc(w.way, func(s step) bool { return s.contract }) {
			return &GateError{Transition: name, Step: "contract", Why: "it drops nothing", Hint: "end it: remove"}
		}
		return w.forwardTo(ctx, Contracted)
	})
}

// work runs fn, as the only migrator, on the transition of that name.
func (m *Migrator) work(ctx context.Context, name string, fn func(*work) error) (Position, error) {
	p := Position{Name: name}
	err := m.leadLedger(ctx, func(s *session) error {
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		defer func() { p = position(*w.t) }()
		return fn(w)
	})
	return p, err
}

func (w *work) forwardTo(ctx context.Context, to Phase) error {
	if _, err := ParsePhase(string(to)); err != nil {
		return err
	}
	if err := w.phases(to); err != nil {
		return err
	}
	if to.Before(w.t.Phase) && to != Contracted {
		return fmt.Errorf("transition %q is in phase %s, which comes after %s: to return is a rollback", w.t.Name, w.t.Phase, to)
	}
	goal := w.way.reached(to)
	if err := w.snapshotTaken(ctx, goal); err != nil {
		return err
	}
	return w.forward(ctx, goal)
}
