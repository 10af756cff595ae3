package dependents

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// The steps that have something to do about dependents, as the migrator calls
// them.
const (
	StepExpand    = "expand"
	StepIndex     = "index"
	StepConstrain = "constrain"
	StepRelease   = "release"
	StepSettle    = "settle"
)

// Refusal says why a dependent cannot go along, and what to do about it. Its
// message is about the object, which it does not name.
type Refusal struct {
	// Code is that of the finding.
	Code, Message, Hint string
}

func (r *Refusal) Error() string { return r.Message + " (hint: " + r.Hint + ")" }

// Planner plans how dependents of the sources come to hang on the targets.
type Planner struct {
	Table ddl.Name
	Move  transform.Move
	// Indexes are the sources' with their counterparts.
	Indexes []ledger.Index
	// Stored gives what rewrites for the targets of a move what PostgreSQL keeps
	// over its sources. It is asked only where there is something to rewrite.
	Stored func(ctx context.Context, m transform.Move) (*rewrite.Stored, error)
	// FreeName makes the name of a counterpart from that of an object, in a
	// schema.
	FreeName func(ctx context.Context, schema, name string) (string, error)

	stored, renamed *rewrite.Stored
}

// Planned is a dependent with its Changes, or with the reason why it has none.
type Planned struct {
	ledger.Dependent
	Refusal *Refusal
}

// Plan lists what hangs on the sources, each with what becomes of it.
func (p *Planner) Plan(ctx context.Context, db Querier) ([]Planned, error) {
	objects, err := list(ctx, db, p.sources())
	if err != nil {
		return nil, err
	}
	planned := make([]Planned, len(objects))
	for i, o := range objects {
		planned[i].Dependent = o.Dependent
		if err := o.plan(ctx, p, &planned[i].Dependent); err != nil && !errors.As(err, &planned[i].Refusal) {
			return nil, err
		}
	}
	return planned, nil
}

func (p *Planner) sources() Columns { return Columns{Table: p.Table, Names: p.Move.SourceNames()} }

// pair is the target that a source becomes, where that is one column of one.
func (p *Planner) pair() (transform.Column, bool) {
	if len(p.Move.Sources) != 1 || len(p.Move.Targets) != 1 {
		return transform.Column{}, false
	}
	return p.Move.Targets[0], true
}

// unrewritten is the refusal where an expression has no form over the targets.
func unrewritten(code string, cause error) *Refusal {
	return &Refusal{Code: code, Message: "it reads the source, and cannot be made to read the target: " + cause.Error(),
		Hint: "drop it for the time of the transition, and make it again over the target after contract"}
}

// rewritten is what fn makes with the rewriter. That it cannot is a *Refusal.
func (p *Planner) rewritten(ctx context.Context, code string, fn func(*rewrite.Stored) (string, error)) (string, error) {
	return p.rewrittenFor(ctx, p.Move, &p.stored, code, fn)
}

func (p *Planner) rewrittenFor(ctx context.Context, m transform.Move, stored **rewrite.Stored, code string, fn func(*rewrite.Stored) (string, error)) (string, error) {
	if *stored == nil {
		var err error
		if *stored, err = p.Stored(ctx, m); err != nil {
			return "", err
		}
	}
	text, err := fn(*stored)
	if err != nil {
		return "", unrewritten(code, err)
	}
	return text, nil
}

// condition is a condition over the sources as one over the targets. Where the
// target compares as the source does, it takes its place as it is: a condition that
// gives the source back from it would fail for the values that only the target
// can hold.
func (p *Planner) condition(ctx context.Context, code, from, condition string) (string, error) {
	m, stored := p.Move, &p.stored
	if m.Preserves == transform.PreserveComparison {
		source := m.Targets[0]
		source.Name, source.Position = m.Sources[0].Name, m.Sources[0].Position
		m, stored = transform.Renamed(source, m.Targets[0].Name), &p.renamed
	}
	return p.rewrittenFor(ctx, m, stored, code, func(s *rewrite.Stored) (string, error) { return s.Condition(from, condition) })
}
