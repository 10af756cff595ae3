package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// RampLimits say when reads go back to the source by themselves: Follow and GuardReads
// look at what the hooks report of phase live, and set the ramp to 0 when a
// limit is passed. The zero value has a sane limit for each; a negative value is none.
type RampLimits struct {
	// Mismatches is the share of comparisons, within Window, that may differ. 0 means
	// that none may. Without dualwrite.Config.Shadow nothing is compared.
	Mismatches float64
	// Errors is by how much the share of the application's statements that fail may be
	// greater on connections that read the target than on those that read the source.
	// 0 means 0.01.
	Errors float64
	// Latency is how many times as long as the read of the source that of the target may
	// take, on the average of the comparisons. 0 means 2. Less than a millisecond is no
	// difference.
	Latency float64
	// Least is how many statements, or comparisons, Errors and Latency are judged by at
	// least. 0 means 50.
	Least int
	// Window is how far back the counters are looked at. 0 means one minute.
	Window time.Duration
}

func (l RampLimits) withDefaults() RampLimits {
	for value, unset := range map[*float64]float64{&l.Errors: 0.01, &l.Latency: 2} {
		if *value == 0 {
			*value = unset
		}
	}
	if l.Least == 0 {
		l.Least = 50
	}
	if l.Window == 0 {
		l.Window = time.Minute
	}
	return l
}

func (l RampLimits) validate() error {
	if l.Mismatches > 1 || l.Errors > 1 || l.Least < 0 || l.Window < 0 {
		return errors.New("a limit of the ramp is out of range: shares are at most 1, counts and durations not negative")
	}
	return nil
}

// noticeable is the least difference between two averages that is one.
const noticeable = time.Millisecond

// passed tells which limit some counters have passed; "" for none.
func (l RampLimits) passed(r ledger.Reads) string {
	if r.Mismatched > 0 && l.Mismatches >= 0 && float64(r.Mismatched) > l.Mismatches*float64(r.Compared) {
		return fmt.Sprintf("mismatches: %d of %d reads compared differed", r.Mismatched, r.Compared)
	}
	if least := int64(l.Least); l.Errors >= 0 && r.TargetStatements >= least {
		target, source := share(r.TargetErrors, r.TargetStatements), 0.0
		if r.SourceStatements >= least {
			source = share(r.SourceErrors, r.SourceStatements)
		}
		if target > source+l.Errors {
			return fmt.Sprintf("errors: %d of %d statements failed that read the target, %d of %d that read the source",
				r.TargetErrors, r.TargetStatements, r.SourceErrors, r.SourceStatements)
		}
	}
	if l.Latency >= 0 && r.Timed >= int64(l.Least) && r.TargetSeconds > l.Latency*r.SourceSeconds {
		source, target := r.Averages()
		source, target = source.Round(time.Microsecond), target.Round(time.Microsecond)
		if target-source > noticeable {
			return fmt.Sprintf("latency: reads of the target take %s, those of the source %s, on the average of %d", target, source, r.Timed)
		}
	}
	return ""
}

func share(part, whole int64) float64 { return float64(part) / float64(whole) }

// readsWindow is what the hooks had reported of one phase at some moments.
type readsWindow struct {
	epoch int
	looks []readsLook
}

type readsLook struct {
	at   time.Time
	each map[string]ledger.Reads
}

// add takes a look, and returns what was counted since the oldest one within the
// window. The first look of a phase shows nothing: what was counted before may be
// what somebody has dealt with.
func (w *readsWindow) add(epoch int, each map[string]ledger.Reads, window time.Duration, now time.Time) ledger.Reads {
	if epoch != w.epoch {
		*w = readsWindow{epoch: epoch}
	}
	for len(w.looks) > 1 && now.Sub(w.looks[1].at) >= window {
		w.looks = w.looks[1:] // the oldest one stays before the window
	}
	w.looks = append(w.looks, readsLook{now, each})
	var sum ledger.Reads
	for instance, r := range each {
		before := w.looks[0].each[instance]
		sum.Add(r.Since(before))
	}
	return sum
}

// stepBack is the event of the history.
const stepBack = "step back"

// guard sets the ramp to 0 if the reads of phase live have passed a limit: then it
// returns a *StepBackError. Until somebody sets it again it stays there.
func (w *work) guard(ctx context.Context, window *readsWindow) error {
	if w.t.Phase != Live || w.t.Removed || !w.t.Definition.Moves() {
		*window = readsWindow{}
		return nil
	}
	each, err := ledger.ReadsOf(ctx, w.conn, *w.t)
	if err != nil {
		return err
	}
	if w.t.Ramp == 0 {
		*window = readsWindow{} // what comes after it begins anew
		return nil
	}
	reads := window.add(w.t.Epoch, each, w.RampLimits.Window, time.Now())
	why := w.RampLimits.passed(reads)
	if why == "" {
		return nil
	}
	before := w.t.Ramp
	event := w.event(stepBack, fmt.Sprintf("%d -> 0 of 100 connections read the target; %s", before, why))
	event.Evidence = map[string]any{"reads": reads, "ramp": before}
	if err := ledger.SetRamp(ctx, w.conn, w.t, 0, event); err != nil {
		if errors.Is(err, ledger.ErrMoved) {
			return nil // it is in another phase by now
		}
		return err
	}
	w.Logger.LogAttrs(ctx, slog.LevelWarn, "reads have gone back to the source", slog.String(keyTransition, w.t.Name), slog.String(keyReason, why))
	back := StepBackEvent{Transition: w.t.Name, Ramp: before, Why: why}
	w.observe(back)
	*window = readsWindow{}
	return &StepBackError{back}
}

// GuardReads looks at the reads of a transition in phase live until ctx ends, and lets
// them go back to the source when they pass a limit of Config.RampLimits: that is a
// *StepBackError. Before live it waits. It returns nil when there is nothing to go back
// from: the ramp is 0, or the phase one after live. every is the time between two looks;
// 0 means 2 s.
func (m *Migrator) GuardReads(ctx context.Context, name string, every time.Duration) error {
	if every <= 0 {
		every = 2 * time.Second
	}
	return m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		var window readsWindow
		for {
			w, err := s.begin(ctx, name)
			if err != nil {
				return err
			}
			if Live.Before(w.t.Phase) || w.t.Phase == Live && w.t.Ramp == 0 {
				return nil
			}
			if err := w.guard(ctx, &window); err != nil {
				return err
			}
			if err := sleep(ctx, every); err != nil {
				return err
			}
		}
	})
}
