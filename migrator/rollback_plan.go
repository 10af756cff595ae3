package migrator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// RollbackPlan is what the way back of a transition does, as data: nothing has
// been changed.
type RollbackPlan struct {
	Transition string `json:"transition"`
	// Position is where the transition stands; nil for one that was planned from a
	// file.
	Position *Position `json:"position,omitempty"`
	// Steps are the steps that a rollback undoes, in its order: the last one first.
	Steps []RollbackStep `json:"steps"`
	// NoReturn is the step from which on there is no way back; empty when nothing
	// is given up before the transition is removed.
	NoReturn string `json:"no_return,omitempty"`
	// Past tells that the transition is beyond it.
	Past bool `json:"past,omitempty"`
}

// RollbackStep is one step to undo.
type RollbackStep struct {
	Name string `json:"name"`
	// Phase is the phase in which it is undone; a flip leads from it to the one
	// before. Empty when no column moves.
	Phase Phase `json:"phase,omitempty"`
	Flip  bool  `json:"flip,omitempty"`
	// Reached tells that the transition has come so far, so that a rollback now
	// undoes the step.
	Reached    bool               `json:"reached,omitempty"`
	Statements []PlannedStatement `json:"statements"`
	// Scan is what it costs to go through the rows; nil when that is not needed.
	Scan *Forecast `json:"scan,omitempty"`
	// Duration is how long it may take, as far as the ledger lets one tell; 0 when
	// it is not known. Time says the same for people, and what it rests on.
	Duration time.Duration `json:"duration_ns,omitempty"`
	Time     string        `json:"time"`
	// Lost is what is gone afterwards, or has to be done again.
	Lost []string `json:"lost,omitempty"`
	// Stops is what would stop the rollback at this step, with nothing lost.
	Stops []string `json:"stops,omitempty"`
}

// RollbackPlan says what a rollback of a registered transition would do. It may
// be called while another migrator is at work.
func (m *Migrator) RollbackPlan(ctx context.Context, name string) (RollbackPlan, error) {
	p := RollbackPlan{Transition: name, Steps: []RollbackStep{}}
	err := m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		known, err := w.experience(ctx)
		if err != nil {
			return err
		}
		last, underway, err := w.standing()
		if err != nil {
			return err
		}
		if underway {
			last++ // its undo copes with a half
		}
		at := position(*w.t)
		p.Position = &at
		p.plan(w, known, last)
		return nil
	})
	return p, err
}

// PlanRollback says what a rollback would do of a transition that has not begun.
// It needs no ledger. What stands in the way of the transition, Plan tells; then
// there are no steps.
func (m *Migrator) PlanRollback(ctx context.Context, t Transition) (RollbackPlan, error) {
	p := RollbackPlan{Transition: t.Name, Steps: []RollbackStep{}}
	if err := t.Validate(); err != nil {
		return p, err
	}
	err := m.look(ctx, func(s *session) error {
		planned, size, _, err := s.check(ctx, t)
		if err != nil || planned.Definition.Moves() && len(planned.Definition.Sources) == 0 {
			return err
		}
		known := experience{rows: size.Rows, walBytes: size.Backfill.WALBytes, growthBytes: size.Backfill.GrowthBytes}
		p.plan(s.on(&planned), known, -1)
		return nil
	})
	return p, err
}

// plan lists the steps; those up to the one at index last have been reached.
func (p *RollbackPlan) plan(w *work, known experience, last int) {
	for i, step := range w.way {
		if step.givesUp() && p.NoReturn == "" {
			p.NoReturn = step.name
			p.Past = w.t.Phase.SourceGone() || step.final && i <= last && w.t.Underway == ""
		}
		if step.undo == nil || p.NoReturn != "" || i == 0 {
			continue // what was registered stays so: Remove ends it
		}
		p.Steps = append(p.Steps, w.planUndo(step, known, i <= last))
	}
	slices.Reverse(p.Steps)
	for i := range p.Steps {
		p.Steps[i].Reached = p.Steps[i].Reached && !p.Past
	}
}

// givesUp tells whether there is no way back once the step is done.
func (s step) givesUp() bool { return s.final || s.name == contractedStep.name }

func (w *work) planUndo(step step, known experience, reached bool) RollbackStep {
	planned := w.planStep(step, *w.t)
	r := RollbackStep{Name: step.name, Phase: planned.Phase, Flip: step.flip, Reached: reached, Statements: planned.Undo}
	r.Lost, r.Stops = lostBy(step, *w.t)
	switch {
	case step.flip:
		r.Duration, r.Time = known.drain, "until the transactions of that phase have ended"
		if known.drain > 0 {
			r.Time = fmt.Sprintf("up to %s, as the longest drain so far", roughly(known.drain))
		}
	case step.name == releaseName:
		w.planRefill(&r, known)
	case step.name == relaxStep.name && len(w.t.Definition.Key) > 0:
		r.Time = "unknown: PostgreSQL looks at every row to prove that it has a value; nobody waits for that"
	case len(r.Statements) == 0:
		r.Duration, r.Time = brief, "no statement on the table"
	default:
		r.Duration, r.Time = brief*time.Duration(len(r.Statements)), "milliseconds, once it has its locks"
	}
	return r
}

// brief is what a statement that changes the catalog only takes, generously.
const brief = 10 * time.Millisecond

// planRefill is the one part of the way back that takes long.
func (w *work) planRefill(r *RollbackStep, known experience) {
	if synced(*w.t) {
		if !w.untriggered() {
			r.Duration, r.Time = brief*time.Duration(len(r.Statements)), "milliseconds: the trigger keeps the source right, so nothing is copied"
			return
		}
		for _, statement := range bindStatements(*w.t) {
			r.Statements = append(r.Statements, w.planStatement(statement))
		}
	}
	r.Scan = &Forecast{Rows: known.rows, WALBytes: known.walBytes, GrowthBytes: known.growthBytes}
	if known.backfillRate == 0 || known.verifyRate == 0 {
		r.Time = "unknown: every row is looked at twice, and no backfill has told how fast that is"
		return
	}
	copying := seconds(float64(known.rows) / known.backfillRate)
	r.Scan.Duration = copying + seconds(float64(known.rows)/known.verifyRate)
	r.Duration = r.Scan.Duration + known.took[enforceStep.name]
	r.Time = fmt.Sprintf("up to %s: the backfill did %.0f rows/s, the verification %.0f", roughly(r.Scan.Duration), known.backfillRate, known.verifyRate)
	if rebuilds := len(uniques(*w.t)) > 0 || w.t.Definition.PrimaryKey != nil; rebuilds {
		r.Duration += known.took[indexStep.name]
		r.Time += fmt.Sprintf("; and unique indexes are built again, where step index took %s", roughly(known.took[indexStep.name]))
	}
}

// untriggered: contract has taken the trigger away, or has begun to.
func (w *work) untriggered() bool {
	done, underway, err := w.standing()
	at, atErr := w.way.indexOf(unsyncStep.name)
	return err == nil && atErr == nil && (done >= at || underway && done+1 == at)
}

// lostBy is what undoing a step loses, and what would stop it.
func lostBy(step step, t ledger.Transition) (lost, stops []string) {
	d := t.Definition
	sources, targets := strings.Join(d.SourceNames(), ", "), strings.Join(d.TargetNames(), ", ")
	switch step.name {
	case releaseName:
		if d.Loses(transform.Forward) || d.Loses(transform.Backward) {
			lost = append(lost, fmt.Sprintf("rows written in phase complete get in %s what backward makes of %s, and no more: the file declares it lossy", sources, targets))
		}
		if !synced(t) && (!d.Identity() || !sameTypes(d.Move)) { // the trigger lets no such row in
			stops = append(stops, fmt.Sprintf("a row written in phase complete whose %s has no counterpart that %s can hold: it is named, and the transition stays in phase rampdown", targets, sources))
		}
		for _, s := range d.Sequences {
			if isRetyped(s) {
				stops = append(stops, fmt.Sprintf("sequence %s counts as %s again: it must not have gone beyond", sequenceName(s), s.Type))
			}
		}
	case backfillStep.name:
		lost = append(lost, "the backfill and the verification: going forward again does both anew")
	case expandStep.name:
		lost = append(lost, targetsLost(d.Move, sources, targets))
	case addColumnStep.name:
		if d.Alteration != nil {
			lost = append(lost, "column "+d.Alteration.Column.Name+" with all that was written to it")
		}
	case relaxStep.name:
		if d.Alteration != nil {
			stops = append(stops, "rows that were inserted while column "+d.Alteration.Column.Name+" was hidden have no value in it: fill them first")
		}
	}
	return lost, stops
}

func targetsLost(m transform.Move, sources, targets string) string {
	if m.Loses(transform.Forward) || m.Loses(transform.Backward) {
		return fmt.Sprintf("columns %s, with what %s cannot say: the file declares a loss", targets, sources)
	}
	return fmt.Sprintf("columns %s; every value of theirs stands in %s too", targets, sources)
}

func sameTypes(m transform.Move) bool {
	return slices.EqualFunc(m.Sources, m.Targets, func(a, b transform.Column) bool { return a.Type == b.Type })
}

// experience is what the ledger knows of how long things take.
type experience struct {
	rows                     int64
	walBytes, growthBytes    int64
	backfillRate, verifyRate float64
	drain                    time.Duration            // the longest one
	took                     map[string]time.Duration // by step
}

func (w *work) experience(ctx context.Context) (experience, error) {
	known := experience{took: map[string]time.Duration{}}
	for job, rate := range map[ledger.Job]*float64{ledger.Backfill: &known.backfillRate, ledger.Verify: &known.verifyRate} {
		p, found, err := ledger.GetProgress(ctx, w.conn, w.t.ID, job)
		if err != nil {
			return known, err
		}
		if !found {
			continue
		}
		j := jobProgress(p)
		*rate = j.Rate
		known.rows = max(known.rows, j.Estimate, j.RowsScanned)
		if j.Forecast != nil {
			known.walBytes, known.growthBytes = j.Forecast.WALBytes, j.Forecast.GrowthBytes
		}
		if j.WALBytes > 0 {
			known.walBytes, known.growthBytes = j.WALBytes, max(j.GrowthBytes, 0)
		}
	}
	history, err := ledger.History(ctx, w.conn, w.t.ID)
	began := map[string]time.Time{}
	for _, e := range history {
		switch e.Event {
		case "begin":
			began[e.Detail] = e.At
		case "done":
			if at, found := began[e.Detail]; found {
				known.took[e.Detail] = e.At.Sub(at)
			}
		case "drained":
			if ms, ok := e.Evidence["waited_ms"].(float64); ok {
				known.drain = max(known.drain, time.Duration(ms)*time.Millisecond)
			}
		}
	}
	return known, err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// roughly is a duration for people.
func roughly(d time.Duration) time.Duration {
	if d > time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}
