package migrator

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Status is where a transition stands, and who is where.
type Status struct {
	Position
	Table string `json:"table"`
	// Kind is what the transition does: "rename", "change", "add_column" ..., as
	// its key in the transition file.
	Kind string `json:"kind"`
	// Does says it for people: "full_name -> name", "add_column nickname".
	Does string `json:"does"`
	// Sources and Targets are empty when no column moves.
	Sources []string `json:"sources"`
	Targets []string `json:"targets"`
	// KeepName tells that in the end the target takes the source's name.
	KeepName bool `json:"keep_name,omitempty"`
	// File is the text of the transition file.
	File string `json:"file,omitempty"`
	// Removed is true for a transition whose removal has not drained yet.
	Removed   bool      `json:"removed,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// Drain is the drain that has not ended; nil when there is none. Its
	// Elapsed is not known.
	Drain *Drain `json:"drain,omitempty"`
	// Jobs are the scans over the whole table that have begun.
	Jobs []JobProgress `json:"jobs,omitempty"`
	// Plans is the last comparison of plans that was recorded; nil when none was.
	Plans *PlanCheck `json:"plans,omitempty"`
	// Ramp is how many of 100 connections read the targets in phase live. SteppedBack
	// says why it went to 0 by itself, until somebody sets it again.
	Ramp        int    `json:"ramp"`
	SteppedBack string `json:"stepped_back,omitempty"`
	// Guarded tells that somebody takes reads back to the source when they pass a limit:
	// Follow or GuardReads. It is known in phase live.
	Guarded bool `json:"guarded,omitempty"`
	// Reads is what the hooks have counted of reads since the phase began; nil when
	// none has reported.
	Reads *Reads `json:"reads,omitempty"`
	// Mismatches is how many statements Mismatches lists, LastMismatch the last one.
	Mismatches   int       `json:"mismatches,omitempty"`
	LastMismatch *Mismatch `json:"last_mismatch,omitempty"`
	// Refused are the statements about it that hooks have refused within the last day,
	// the last one first: at most 100.
	Refused []RefusedStatement `json:"refused,omitempty"`
	// Dependents are the objects that hung on the sources when the transition
	// began, each with what becomes of it.
	Dependents []DependentStatus `json:"dependents,omitempty"`
	// Request is the phase that a feature flag, or whoever called Request, asks for;
	// nil when nobody has. Phase is the one in force.
	Request *RequestStatus `json:"request,omitempty"`
	// Tail is how writers without the hook are followed in the log; nil where they
	// are not.
	Tail *TailStatus `json:"tail,omitempty"`
	// Control is what was asked of its scans: to pause, or to go slower.
	Control Control `json:"control"`
	// Steps are all steps of its way, in their order.
	Steps []StepStatus `json:"steps"`
	// Gates are those of the next flip; empty when none is ahead, or on the way back.
	Gates []GateStatus `json:"gates,omitempty"`
	// AtWork tells that some migrator is at work in the database.
	AtWork bool `json:"at_work"`
	// Sessions counts the sessions of the database by the epoch they joined in,
	// Instances by the instance too.
	Sessions  []EpochSessions    `json:"sessions"`
	Instances []InstanceSessions `json:"instances"`
	// Laggards are the hooked sessions that know an older phase than the one in force.
	Laggards []Session `json:"laggards,omitempty"`
	// Writers wrote the sources without the hook, as Writers.Seen has them.
	Writers []Writer `json:"writers,omitempty"`
	// History are the last events, oldest first.
	History []HistoryEvent `json:"history"`
}

// RefusedStatement is a statement that hooks have refused, without its constants and
// parameters.
type RefusedStatement = ledger.RefusedStatement

// DependentStatus is an object that hangs on the sources.
type DependentStatus struct {
	// Object names it, Fate says what becomes of it.
	Object string `json:"object"`
	Fate   string `json:"fate"`
}

// JobProgress is how far a scan over the whole table has come.
type JobProgress struct {
	// Job is "backfill", "refill" or "verify".
	Job         string `json:"job"`
	RowsScanned int64  `json:"rows_scanned"`
	RowsChanged int64  `json:"rows_changed"`
	Mismatches  int64  `json:"mismatches"`
	// Key names the columns of the primary key, and Samples are the keys of the
	// first mismatches; of a Status.
	Key     []string   `json:"key,omitempty"`
	Samples [][]string `json:"samples,omitempty"`
	// Aside is how many batches, of one row as a rule, were locked by others and
	// are left for the end.
	Aside int `json:"aside,omitempty"`
	// Estimate is the number of rows as the planner thinks; it may be off.
	Estimate  int64     `json:"estimate"`
	StartedAt time.Time `json:"started_at"`
	Finished  bool      `json:"finished"`
	// Elapsed is the time from the start to the last batch.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Rate is in rows per second, over the whole job; 0 when not known yet.
	Rate float64 `json:"rate"`
	// Left is the time left by Estimate and Rate; 0 when not known.
	Left time.Duration `json:"left_ns"`
	// Waiting says why the job stands still; empty when it does not, or when
	// that is not known.
	Waiting string `json:"waiting,omitempty"`
	// RateLimit is the limit in rows per second that was asked for; 0 is none.
	// Of a Status it is in Control.
	RateLimit int `json:"rate_limit,omitempty"`
	// Forecast is what the job was expected to cost; nil of a verification.
	Forecast *Forecast `json:"forecast,omitempty"`
	// WALBytes is, at the end, the WAL that the whole server wrote since the
	// start; GrowthBytes by how much the table and its indexes grew.
	WALBytes    int64 `json:"wal_bytes,omitempty"`
	GrowthBytes int64 `json:"growth_bytes,omitempty"`
	// Workers are those who work at it, or have until they ended; of a Status.
	Workers []Worker `json:"workers,omitempty"`
	// Signals are the last readings of the throttle.
	Signals []Signal `json:"signals,omitempty"`
}

// Compares tells of a job that it looks for differences, and changes nothing.
func (j JobProgress) Compares() bool {
	return j.Job == string(ledger.Verify) || j.Job == string(ledger.Watch)
}

// StatusOptions narrows Status.
type StatusOptions struct {
	// Name is a transition; empty means all of them.
	Name string
	// Events is how many of the last events to return; 0 means 10.
	Events int
}

// Status reads the ledger and the sessions. It may be called while another
// migrator is at work. Without any transition it returns an empty slice; a name
// that no transition has is ErrNotFound.
func (m *Migrator) Status(ctx context.Context, o StatusOptions) ([]Status, error) {
	var list []Status
	err := m.look(ctx, func(s *session) (err error) {
		list, err = s.statuses(ctx, o)
		return err
	})
	return list, err
}

func (s *session) statuses(ctx context.Context, o StatusOptions) ([]Status, error) {
	list := []Status{}
	if err := ledger.Check(ctx, s.conn); err != nil {
		return list, err
	}
	sessions, err := fence.Older(ctx, s.conn, math.MaxInt32)
	if err != nil {
		return list, err
	}
	atWork, err := fence.Leading(ctx, s.conn)
	if err != nil {
		return list, err
	}
	// Nobody waits for somebody who only looks, nor he for them.
	if _, err := s.conn.Exec(ctx, `set lock_timeout = '100ms'`); err != nil {
		return list, fmt.Errorf("read the status: %w", err)
	}
	transitions, err := s.transitions(ctx, o.Name)
	for _, t := range transitions {
		status, err := s.status(ctx, t, sessions, o)
		if err != nil {
			return list, fmt.Errorf("status of %q: %w", t.Name, err)
		}
		status.AtWork = atWork
		list = append(list, status)
	}
	return list, err
}

// transitions lists the active transitions and those whose removal is not over
// yet.
func (s *session) transitions(ctx context.Context, name string) ([]ledger.Transition, error) {
	active, err := ledger.List(ctx, s.conn)
	if err != nil {
		return nil, err
	}
	removing, err := ledger.Removing(ctx, s.conn)
	if err != nil {
		return nil, err
	}
	list := append(active, removing...)
	if name == "" {
		return list, nil
	}
	list = slices.DeleteFunc(list, func(t ledger.Transition) bool { return t.Name != name })
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	return list, nil
}

func (s *session) status(ctx context.Context, t ledger.Transition, sessions []Session, o StatusOptions) (Status, error) {
	status := Status{
		Position: position(t), Table: tableName(t), Kind: string(t.Definition.Kind), Does: t.Definition.String(),
		Sources: t.Definition.SourceNames(), Targets: t.Definition.TargetNames(), KeepName: t.Definition.KeepName,
		File: t.Definition.File, Dependents: fates(t),
		Removed: t.Removed, CreatedAt: t.CreatedAt, Ramp: t.Ramp,
	}
	w := s.on(&t)
	status.Sessions, status.Instances, status.Laggards = byEpoch(sessions), w.byInstance(sessions), w.laggards(sessions)
	if t.Draining != "" || t.Step == "" && t.Definition.Moves() {
		drain, err := w.lookAround(ctx, false)
		if err != nil {
			return status, err
		}
		status.Drain = &drain
	}
	for _, job := range []ledger.Job{ledger.Backfill, ledger.Verify, ledger.Refill, ledger.Repair, ledger.Watch} {
		progress, exists, err := ledger.GetProgress(ctx, s.conn, t.ID, job)
		if err != nil {
			return status, err
		}
		if exists {
			j := jobProgress(progress)
			if j.Samples = progress.Samples; len(j.Samples) > 0 {
				j.Key = t.Definition.Key
			}
			if err := s.noted(ctx, t, &j); err != nil {
				return status, err
			}
			if j.Workers, err = ledger.Workers(ctx, s.conn, t.ID, job); err != nil {
				return status, err
			}
			status.Jobs = append(status.Jobs, j)
		}
	}
	var err error
	if status.Tail, err = s.tailStatus(ctx, t); err != nil {
		return status, err
	}
	if status.Control, err = ledger.GetControl(ctx, s.conn, t.ID); err != nil {
		return status, err
	}
	request, asked, err := ledger.GetRequest(ctx, s.conn, t.ID)
	if err != nil {
		return status, err
	}
	if asked {
		status.Request = &request
	}
	plans, found, err := ledger.LastPlans(ctx, s.conn, t.ID)
	if err != nil {
		return status, err
	}
	if found {
		status.Plans = &plans
	}
	if err := s.readsStatus(ctx, t, &status); err != nil {
		return status, err
	}
	if status.Refused, err = ledger.Refused(ctx, s.conn, t.ID); err != nil {
		return status, err
	}
	history, err := ledger.History(ctx, s.conn, t.ID)
	if err != nil {
		return status, err
	}
	if e := lastRamp(history); e.Event == stepBack {
		status.SteppedBack = e.Detail
	}
	if o.Events <= 0 {
		o.Events = 10
	}
	status.History = history[max(0, len(history)-o.Events):]
	status.Steps = w.steps(history)
	if status.Writers, err = ledger.Writers(ctx, s.conn, t.ID); err != nil {
		return status, err
	}
	status.Gates, err = w.gates(ctx, status.Steps)
	return status, err
}

// readsStatus adds what is known of reads.
func (s *session) readsStatus(ctx context.Context, t ledger.Transition, status *Status) error {
	reads, err := s.reads(ctx, t)
	if err != nil {
		return err
	}
	if reads.Instances > 0 {
		status.Reads = &reads
	}
	if t.Phase == Live {
		if status.Guarded, err = fence.Guarded(ctx, s.conn, t.ID); err != nil {
			return err
		}
	}
	mismatches, err := ledger.Mismatches(ctx, s.conn, t.ID)
	if status.Mismatches = len(mismatches); status.Mismatches > 0 {
		status.LastMismatch = &mismatches[0]
	}
	return err
}

// freshNote is how old a note may be: a scan that has said nothing for so long
// is not at work.
const freshNote = 10 * time.Second

// noted adds what a scan that is at work in some process says about itself.
func (s *session) noted(ctx context.Context, t ledger.Transition, j *JobProgress) error {
	if j.Finished {
		return nil
	}
	note, found, err := ledger.GetNote(ctx, s.conn, t.ID, ledger.Job(j.Job))
	if err != nil || !found || note.Age > freshNote {
		return err
	}
	j.Waiting = note.Waiting
	if err := json.Unmarshal(note.Signals, &j.Signals); err != nil {
		return fmt.Errorf("read the signals of %s: %w", j.Job, err)
	}
	return nil
}

func jobProgress(p ledger.Progress) JobProgress {
	j := JobProgress{
		Job: string(p.Job), RowsScanned: p.RowsScanned, RowsChanged: p.RowsChanged, Mismatches: p.Mismatches, Aside: len(p.Aside),
		Estimate: p.Estimate, StartedAt: p.StartedAt, Finished: p.Finished(), Elapsed: p.UpdatedAt.Sub(p.StartedAt),
		Forecast: forecastOf(p), WALBytes: p.WALBytes, GrowthBytes: p.GrowthBytes,
	}
	if j.Elapsed > 0 {
		j.Rate = float64(j.RowsScanned) / j.Elapsed.Seconds()
	}
	if left := j.Estimate - j.RowsScanned; !j.Finished && left > 0 && j.Rate > 0 {
		j.Left = time.Duration(float64(left) / j.Rate * float64(time.Second))
	}
	return j
}

func tableName(t ledger.Transition) string { return t.Schema + "." + t.Table }
