package migrator

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// way is what an operation does, step by step.
type way []step

// moveWay is the way of an operation that moves columns, one file for each step.
var moveWay = way{
	registerStep,
	expandStep,
	dualWriteStep,
	backfillStep,
	indexStep,
	constrainStep,
	verifyStep,
	enforceStep,
	shadowStep,
	liveStep,
	rampDownStep,
	releaseStep,
	completeStep,
	settleStep,
	contractedStep,
	dropStep,
	nameStep,
}

// triggerWay is the same with a trigger for writers without the hook.
var triggerWay = moveWay.after(dualWriteStep, syncStep).after(completeStep, unsyncStep)

// tailWay is the same where they are followed in the log.
var tailWay = moveWay.after(dualWriteStep, tailStep).after(backfillStep, tailBarrierStep).after(enforceStep, untailStep)

// after is the way with one step more, behind another one.
func (w way) after(s, more step) way {
	i := 1 + slices.IndexFunc(w, func(other step) bool { return other.name == s.name })
	return slices.Insert(slices.Clone(w), i, more)
}

// alterWays are the ways of the operations that move no column, behind noteStep.
// All of their steps stand in phase off, since there is no other, and all but
// the first are temporary: a rollback undoes them.
var alterWays = map[transform.Kind]func(ledger.Alteration) way{
	ledger.AddColumn:     addColumnWay,
	ledger.DropColumn:    dropColumnWay,
	ledger.SetNotNull:    setNotNullWay,
	ledger.AddIndex:      addIndexWay,
	ledger.AddUnique:     addUniqueWay,
	ledger.AddCheck:      addCheckWay,
	ledger.AddForeignKey: addForeignKeyWay,
}

// wayOf is the way of a transition; empty for a kind that a later version has
// written.
func wayOf(d ledger.Definition) way {
	switch {
	case d.Moves() && d.Sync == syncTrigger:
		return triggerWay
	case d.Moves() && d.Sync == syncLogical:
		return tailWay
	case d.Moves():
		return moveWay
	}
	rest, known := alterWays[d.Kind]
	if !known {
		return nil
	}
	return append(way{noteStep}, rest(*d.Alteration)...)
}

// noteStep is the beginning of what moves no column. Start has registered it, and
// no connection needs to know.
var noteStep = step{
	name: "register", phase: Off,
	summary: "register it, so that nobody else takes the same columns and names",
	do:      func(context.Context, *work) error { return nil },
	undo:    func(context.Context, *work) error { return nil },
	plan:    func(ledger.Transition) (do, undo []ddl.Statement) { return nil, nil },
}

// indexOf finds a step by its name; "", the beginning, is -1.
func (w way) indexOf(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	for i, s := range w {
		if s.name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the ledger names a step %q that this program does not know: %w", name, ErrNewerLedger)
}

// previous is the name of the step before s; empty for the first.
func (w way) previous(s step) string {
	name := ""
	for _, other := range w {
		if other.name == s.name {
			break
		}
		name = other.name
	}
	return name
}

// reached is the index of the step after which a transition has reached a
// phase on the way forward: complete with the last step before contract,
// contracted, and named, with the very last one.
func (w way) reached(p Phase) int {
	last := -1
	for i, s := range w {
		switch {
		case p.SourceGone(), p == Complete && !s.contract:
			last = i
		case s.phase == p && (s.flip || p == Off):
			return i
		}
	}
	return last
}

// kept is the index of the last step that a rollback to a phase leaves done:
// the last of that phase, but for those that prepare for leaving it.
func (w way) kept(p Phase) int {
	last := -1
	for i, s := range w {
		if s.phase == p && !s.temporary {
			last = i
		}
	}
	return last
}

// phases refuses a phase to go to where there are none.
func (w *work) phases(to Phase) error {
	if w.t.Definition.Moves() || to == Complete || to == Contracted {
		return nil
	}
	return fmt.Errorf("transition %q moves no column, so it has no phase %s: it has steps (see `crossfade plan`)", w.t.Name, to)
}

// where says where a transition stands, for messages.
func (w *work) where() string {
	switch {
	case w.t.Definition.Moves():
		return fmt.Sprintf("it is in phase %s", w.t.Phase)
	case w.t.Step == "":
		return "it has just been registered"
	}
	return fmt.Sprintf("it stands after step %q", w.t.Step)
}
