package migrator

import (
	"context"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Reads are what the hooks have counted of the reads of a transition, all instances
// together, since its phase began.
type Reads struct {
	// Instances is how many have reported.
	Instances int `json:"instances"`
	ledger.Reads
}

// Mismatch is a statement of an application of which the two readings, of the source
// and of the target, differed.
type Mismatch = ledger.Mismatch

// Mismatches lists the statements whose two readings differed, the last one first:
// at most 100 of a transition. It may be called while another migrator is at work.
func (m *Migrator) Mismatches(ctx context.Context, name string) ([]Mismatch, error) {
	list := []Mismatch{}
	err := m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		t, err := ledger.Get(ctx, s.conn, name)
		if err != nil {
			return err
		}
		found, err := ledger.Mismatches(ctx, s.conn, t.ID)
		list = append(list, found...)
		return err
	})
	return list, err
}

// ForgetMismatches ends what Mismatches lists, for reason, which the history keeps:
// what has been put right holds gate reads-agree no longer. It returns how many
// statements there were.
func (m *Migrator) ForgetMismatches(ctx context.Context, name, reason string) (n int, err error) {
	err = m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		t, err := ledger.Get(ctx, s.conn, name)
		if err != nil {
			return err
		}
		n, err = ledger.ForgetMismatches(ctx, s.conn, t, ledger.Event{Actor: s.Actor, Event: "mismatches forgotten", Detail: reason})
		return err
	})
	return n, err
}

// reads sums up what the instances have reported.
func (s *session) reads(ctx context.Context, t ledger.Transition) (Reads, error) {
	byInstance, err := ledger.ReadsOf(ctx, s.conn, t)
	sum := Reads{Instances: len(byInstance)}
	for _, r := range byInstance {
		sum.Add(r)
	}
	return sum, err
}

// readsAgree: no read has lately given something else from the target than from the
// source. Where nobody compares, nothing is known: status and the evidence in the
// history say so.
func readsAgree(ctx context.Context, w *work) error {
	reads, err := w.reads(ctx, *w.t)
	if err != nil {
		return err
	}
	w.compared = &reads
	mismatches, err := ledger.Mismatches(ctx, w.conn, w.t.ID)
	if err != nil {
		return err
	}
	recent := 0
	for _, m := range mismatches {
		if m.Ago < w.ReadsQuiet {
			recent++
		}
	}
	switch {
	case recent > 0:
		return w.closed("look at them: crossfade mismatches "+w.t.Name+"; then put them right and have them forgotten: crossfade mismatches "+
			w.t.Name+" --forget REASON",
			"%d statements have read something else from the target than from the source within %s, the last one %s ago (%s)",
			recent, w.ReadsQuiet, mismatches[0].Ago.Round(time.Second), mismatches[0].Detail)
	case reads.Compared < int64(w.MinComparisons):
		return w.closed("let the applications compare a sample of their reads: dualwrite.Config.Shadow; status shows how many have been",
			"%d reads have been compared, %d are wanted", reads.Compared, w.MinComparisons)
	}
	return nil
}

// agreed says in the history how much is known of reads that are about to move.
func (r *Reads) agreed(e *ledger.Event) {
	if r == nil {
		return
	}
	if e.Evidence == nil {
		e.Evidence = map[string]any{}
	}
	e.Evidence["reads"] = r
	if r.Compared > 0 {
		e.Detail += fmt.Sprintf(", %d reads compared", r.Compared)
	}
}
