// Package phase is the vocabulary of a rollout: the phases a transition goes
// through, what each one reads and writes, and which may follow which.
//
// It holds values only: no I/O, no state. What a phase does is a row of one
// table, never a comparison of phases as numbers.
package phase

import "fmt"

// Phase is one stage of a transition, stored and printed as its text.
type Phase string

const (
	// Off: the source serves reads and takes writes; it alone is right. The
	// target may not exist yet.
	Off Phase = "off"
	// DualWrite: the source serves reads, writes go to both; the source is the
	// authority, the target is being filled.
	DualWrite Phase = "dualwrite"
	// Shadow: as DualWrite, and a sample of reads is compared with the target.
	Shadow Phase = "shadow"
	// Live: the target serves reads, writes go to both; the target is the
	// authority, the source is kept right for the way back.
	Live Phase = "live"
	// RampDown: as Live, without comparison.
	RampDown Phase = "rampdown"
	// Complete: the target serves reads and takes writes; the source still
	// exists, but goes stale.
	Complete Phase = "complete"
	// Contracted: as Complete, and the source does not exist any more. There
	// is no way back from here.
	Contracted Phase = "contracted"
	// Named: as Contracted, and the target bears the source's name. Only
	// transitions that keep the name come here, after Contracted.
	Named Phase = "named"
)

// Side is one of the two columns of a transition.
type Side string

const (
	Source Side = "source"
	Target Side = "target"
)

// Behaviour is what statements do in a phase.
type Behaviour struct {
	// Read is the column that serves reads.
	Read Side
	// WriteSource and WriteTarget say which columns take writes.
	WriteSource, WriteTarget bool
	// SourceGone: the source does not exist any more.
	SourceGone bool
	// Named: the target bears the source's name, and its own is one that only
	// applications use.
	Named bool
}

// WritesBoth tells whether a write must reach both columns.
func (b Behaviour) WritesBoth() bool { return b.WriteSource && b.WriteTarget }

type row struct {
	phase     Phase
	behaviour Behaviour
	// optional: not every transition comes to this phase.
	optional bool
}

var table = []row{
	{phase: Off, behaviour: Behaviour{Read: Source, WriteSource: true}},
	{phase: DualWrite, behaviour: Behaviour{Read: Source, WriteSource: true, WriteTarget: true}},
	{phase: Shadow, behaviour: Behaviour{Read: Source, WriteSource: true, WriteTarget: true}},
	{phase: Live, behaviour: Behaviour{Read: Target, WriteSource: true, WriteTarget: true}},
	{phase: RampDown, behaviour: Behaviour{Read: Target, WriteSource: true, WriteTarget: true}},
	{phase: Complete, behaviour: Behaviour{Read: Target, WriteTarget: true}},
	{phase: Contracted, behaviour: Behaviour{Read: Target, WriteTarget: true, SourceGone: true}},
	{phase: Named, behaviour: Behaviour{Read: Target, WriteTarget: true, SourceGone: true, Named: true}, optional: true},
}

// All lists the phases that every transition goes through, in the order of a
// rollout. The caller owns the slice.
func All() []Phase {
	var all []Phase
	for _, r := range table {
		if !r.optional {
			all = append(all, r.phase)
		}
	}
	return all
}

// Parse reads a phase from its text.
func Parse(s string) (Phase, error) {
	p := Phase(s)
	if p.index() < 0 {
		return "", fmt.Errorf("parse phase: %q is none of %v", s, append(All(), Named))
	}
	return p, nil
}

// Behaviour tells what statements do in p. It panics for a phase that Parse
// would reject: a guess here could lose a write.
func (p Phase) Behaviour() Behaviour {
	i := p.index()
	if i < 0 {
		panic(fmt.Sprintf("phase: unknown phase %q", string(p)))
	}
	return table[i].behaviour
}

// ComparesReads tells whether a sample of reads is run both ways in p.
func (p Phase) ComparesReads() bool { return p == Shadow || p == Live }

// CanMoveTo tells whether q may follow p: neighbours only, in both directions,
// but none back once the source is gone.
func (p Phase) CanMoveTo(q Phase) bool {
	i, j := p.index(), q.index()
	if i < 0 || j < 0 {
		return false
	}
	return j == i+1 || j == i-1 && !table[i].behaviour.SourceGone
}

// Next is the phase after p among All; false at the end.
func (p Phase) Next() (Phase, bool) {
	i := p.index()
	if i < 0 || i+1 >= len(table) || table[i+1].optional {
		return "", false
	}
	return table[i+1].phase, true
}

// SourceGone tells whether the source does not exist any more in p, so that there
// is no way back.
func (p Phase) SourceGone() bool {
	i := p.index()
	return i >= 0 && table[i].behaviour.SourceGone
}

// Before tells whether p comes earlier than q in a rollout. It orders phases
// for planning a path; behaviour never depends on it.
func (p Phase) Before(q Phase) bool { return p.index() < q.index() }

func (p Phase) index() int {
	for i, r := range table {
		if r.phase == p {
			return i
		}
	}
	return -1
}
