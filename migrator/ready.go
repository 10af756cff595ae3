package migrator

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Want is what a deployment needs of a transition before it may begin.
type Want struct {
	// Name is the transition; that of Transition when that is set.
	Name string
	// Phase is the least phase. Empty means registered and known to everybody, from
	// when on both names of the column work; of what moves no column, that all of
	// its steps are done, but for the drop of a column.
	Phase Phase
	// Transition, unless nil, is what the transition of that name must be.
	Transition *Transition
}

// Readiness is whether a deployment need not wait for a transition.
type Readiness string

const (
	// Ready: it need not wait.
	Ready Readiness = "ready"
	// Waiting: not yet, and time will tell: a drain, or a phase that is not reached.
	Waiting Readiness = "waiting"
	// Missing: nobody has started it.
	Missing Readiness = "missing"
	// Failing: somebody has to act: a step stopped half way and nobody is at work,
	// or rows differ.
	Failing Readiness = "failing"
)

// Checked is the answer to a Want.
type Checked struct {
	Name      string    `json:"name"`
	Wanted    Phase     `json:"wanted,omitempty"`
	Readiness Readiness `json:"readiness"`
	// Why says what it is waited for; empty when Ready.
	Why string `json:"why,omitempty"`
	// Position is where it stands; nil when it was never registered. Removed tells
	// that it is over.
	Position *Position `json:"position,omitempty"`
	Removed  bool      `json:"removed,omitempty"`
}

// Ready tells whether a deployment must wait. Without wants it looks at all active
// transitions, and asks only that none is draining and none is stuck. It changes
// nothing, and may be called while a migrator is at work.
func (m *Migrator) Ready(ctx context.Context, wants []Want) ([]Checked, error) {
	list := []Checked{}
	err := m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		led, err := fence.Leading(ctx, s.conn)
		if err != nil {
			return err
		}
		if len(wants) == 0 {
			active, err := ledger.List(ctx, s.conn)
			if err != nil {
				return err
			}
			for _, t := range active {
				wants = append(wants, Want{Name: t.Name, Phase: Off})
			}
		}
		for _, want := range wants {
			checked, err := s.ready(ctx, want, led)
			if err != nil {
				return err
			}
			list = append(list, checked)
		}
		return nil
	})
	return list, err
}

func (s *session) ready(ctx context.Context, want Want, led bool) (Checked, error) {
	if want.Transition != nil {
		want.Name = want.Transition.Name
	}
	c := Checked{Name: want.Name, Wanted: want.Phase, Readiness: Ready}
	t, found, err := ledger.Latest(ctx, s.conn, want.Name)
	if err != nil {
		return c, err
	}
	if !found {
		c.Readiness, c.Why = Missing, "nobody has started it"
		return c, nil
	}
	at := position(t)
	c.Position, c.Removed = &at, t.Removed
	if want.Transition != nil {
		same, err := s.sameAs(ctx, t, *want.Transition)
		if err != nil {
			return c, err
		}
		if !same {
			c.Readiness, c.Why = Failing, "the transition of that name in the ledger is another one than the file's"
			return c, nil
		}
	}
	c.Readiness, c.Why, err = s.on(&t).readiness(ctx, want.Phase, led)
	return c, err
}

// sameAs tells whether a transition of the ledger is that of a file.
func (s *session) sameAs(ctx context.Context, t ledger.Transition, file Transition) (bool, error) {
	if t.Removed { // the table may be another one by now
		return asked(t, file), nil
	}
	schema, table, err := s.resolve(ctx, file.Table)
	return schema == t.Schema && table == t.Table && asked(t, file), err
}

func (w *work) readiness(ctx context.Context, wanted Phase, led bool) (Readiness, string, error) {
	at := position(*w.t)
	if w.t.Removed {
		switch {
		case w.t.Definition.Moves() && !w.t.Phase.SourceGone(), !w.t.Definition.Moves() && !at.Ended:
			return Missing, "it was rolled back and removed", nil
		}
		return Ready, "", nil // what it has changed stays; its last drain concerns nobody who comes
	}
	if w.t.Draining != "" || w.t.Step == "" && w.t.Definition.Moves() {
		d, err := w.lookAround(ctx, false)
		why := fmt.Sprintf("%s has not drained yet, %d sessions are waited for", d.Name(), len(d.Waiting))
		if err == nil && !led {
			why += "; no migrator is at work"
		}
		return Waiting, why, err
	}
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
	switch {
	case err != nil:
		return "", "", err
	case w.t.Underway != "" && !led:
		return Failing, fmt.Sprintf("step %s stopped half way, and no migrator is at work", w.t.Underway), nil
	case p.Finished() && p.Mismatches > 0 && p.Epoch == w.t.Epoch:
		return Failing, fmt.Sprintf("the last look at the rows found %d that stand in the way", p.Mismatches), nil
	case !w.t.Definition.Moves():
		if wanted == "" && !at.Ended && !w.dropsOnly() {
			return Waiting, "its steps are not all done: " + w.where(), nil
		}
	case wanted != "" && w.t.Phase.Before(wanted):
		return Waiting, fmt.Sprintf("it is in phase %s, before %s", w.t.Phase, wanted), nil
	}
	return Ready, "", nil
}

// dropsOnly: new code does without what it drops, so it need not be waited for.
func (w *work) dropsOnly() bool { return w.t.Definition.Kind == ledger.DropColumn }
