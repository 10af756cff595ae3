package migrator

import (
	"context"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Plan is what a transition will do, as data: nothing has been changed.
type Plan struct {
	Transition Transition    `json:"transition"`
	Findings   []Finding     `json:"findings"`
	Steps      []PlannedStep `json:"steps"`
	// Forecast is what the backfill will cost; nil when the columns are not
	// found. How long it takes, its first batches tell.
	Forecast *Forecast `json:"forecast,omitempty"`
}

// Refused tells whether Start would refuse the transition.
func (p Plan) Refused() bool {
	for _, f := range p.Findings {
		if f.Refuses {
			return true
		}
	}
	return false
}

// PlannedStep is one step with its statements.
type PlannedStep struct {
	Name string `json:"name"`
	// Phase is the phase in which the step works; for a flip the one it leads to.
	// Empty when no column moves.
	Phase Phase `json:"phase,omitempty"`
	// Flip tells that the step moves the phase.
	Flip bool `json:"flip,omitempty"`
	// Act is "run" for the way to complete, "contract" for what follows it.
	Act        string             `json:"act"`
	Summary    string             `json:"summary"`
	Statements []PlannedStatement `json:"statements"`
	// Undo is what a rollback does; empty when there is no way back.
	Undo []PlannedStatement `json:"undo"`
}

// PlannedStatement is one statement with its price.
type PlannedStatement struct {
	SQL string `json:"sql"`
	// Lock is the strongest lock it takes, On the table it takes it on.
	Lock             string        `json:"lock"`
	On               string        `json:"on"`
	LockTimeout      time.Duration `json:"lock_timeout_ns"`
	StatementTimeout time.Duration `json:"statement_timeout_ns"`
	// Hazard is what it may do to the application; empty when nothing.
	Hazard string `json:"hazard,omitempty"`
	// Why says what it is for.
	Why string `json:"why,omitempty"`
}

// Finding is something that preflight noticed.
type Finding struct {
	// Severity is "refuse", "warn" or "info".
	Severity string `json:"severity"`
	// Code names the kind of finding, for Transition.Accept.
	Code    string `json:"code"`
	Object  string `json:"object,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Accepted: it would refuse, but the transition accepts it.
	Accepted bool `json:"accepted,omitempty"`
	// Refuses tells that Start refuses the transition because of it.
	Refuses bool `json:"refuses"`
}

func (f Finding) String() string {
	s := fmt.Sprintf("%s %s: %s: %s", f.Severity, f.Code, f.Object, f.Message)
	if f.Hint != "" {
		s += " (hint: " + f.Hint + ")"
	}
	return s
}

// Plan checks a transition and says what each of its steps would do. It needs
// no ledger and changes nothing. What stands in the way is in the findings, not
// an error.
func (m *Migrator) Plan(ctx context.Context, t Transition) (Plan, error) {
	p := Plan{Transition: t, Findings: []Finding{}, Steps: []PlannedStep{}}
	if err := t.Validate(); err != nil {
		return p, err
	}
	err := m.look(ctx, func(s *session) error {
		planned, size, findings, err := s.check(ctx, t)
		if err != nil {
			return err
		}
		p.Findings = findings
		d := planned.Definition
		if d.Moves() && len(d.Sources) == 0 {
			return nil // no such column, or no such expression: nothing to plan
		}
		if d.Moves() || d.Alteration.Fills() {
			p.Forecast = &Forecast{Rows: size.Rows, WALBytes: size.Backfill.WALBytes, GrowthBytes: size.Backfill.GrowthBytes}
		}
		for _, step := range wayOf(d) {
			p.Steps = append(p.Steps, s.planStep(step, planned))
		}
		return nil
	})
	return p, err
}

func (s *session) planStep(step step, t ledger.Transition) PlannedStep {
	p := PlannedStep{
		Name: step.name, Phase: step.phase, Flip: step.flip, Act: "run", Summary: step.summary,
		Statements: []PlannedStatement{}, Undo: []PlannedStatement{},
	}
	if !t.Definition.Moves() {
		p.Phase = ""
	}
	if step.contract {
		p.Act = "contract"
	}
	do, undo := step.plan(t)
	for _, statement := range do {
		p.Statements = append(p.Statements, s.planStatement(statement))
	}
	for _, statement := range undo {
		p.Undo = append(p.Undo, s.planStatement(statement))
	}
	return p
}

func (s *session) planStatement(statement ddl.Statement) PlannedStatement {
	if statement.Lock != rowExclusive && statement.Lock != accessShare {
		statement = s.ddl.Resolve(statement)
	}
	return PlannedStatement{
		SQL: statement.SQL, Lock: statement.Lock, On: statement.On, LockTimeout: statement.LockTimeout,
		StatementTimeout: statement.StatementTimeout, Hazard: statement.Hazard, Why: statement.Why,
	}
}
