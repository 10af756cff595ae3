package dualwrite

import (
	"sync"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/shadow"
)

// tally is what the process has counted of the reads of a transition, in one of
// its phases.
type tally struct {
	fence.Member
	// epoch is that in which the phase began.
	epoch int

	mu    sync.Mutex // guards what follows
	reads ledger.Reads
	// mismatches are those that have not been reported yet, by fingerprint.
	mismatches map[string]ledger.Mismatch
	// news: there is something to report. statements is how many were reported last.
	news       bool
	statements int64
}

// keepMismatches bounds what waits to be reported.
const keepMismatches = 100

type tallyKey struct {
	id    int64
	token string
}

// tally returns that of a transition in the phase that the member names.
func (s *server) tally(t fence.Member) *tally {
	s.tallies.Lock()
	defer s.tallies.Unlock()
	key := tallyKey{t.ID, t.Token}
	found := s.tallies.by[key]
	if found == nil {
		_, epoch, err := ledger.ParseToken(t.Token)
		if err != nil {
			epoch = 0 // a table that is missing has no token
		}
		found = &tally{Member: t, epoch: epoch, mismatches: map[string]ledger.Mismatch{}}
		if s.tallies.by == nil {
			s.tallies.by = map[tallyKey]*tally{}
		}
		s.tallies.by[key] = found
	}
	return found
}

// tallies are those of a server.
type tallies struct {
	sync.Mutex // guards by
	by         map[tallyKey]*tally
}

func (t *tallies) all() []*tally {
	t.Lock()
	defer t.Unlock()
	list := make([]*tally, 0, len(t.by))
	for _, one := range t.by {
		list = append(list, one)
	}
	return list
}

func (t *tally) count(change func(*ledger.Reads)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.reads)
	t.news = true
}

func (t *tally) drop() { t.count(func(r *ledger.Reads) { r.Dropped++ }) }

func (t *tally) skip(why shadow.Reason) {
	t.count(func(r *ledger.Reads) { r.Add(ledger.Reads{Skipped: map[string]int64{string(why): 1}}) })
}

// compared takes in what came of a comparison. What was given up on one side tells
// how long that took.
func (t *tally) compared(o shadow.Outcome) {
	t.count(func(r *ledger.Reads) {
		if o.Source > 0 && o.Target > 0 {
			r.Took(o.Source, o.Target)
		}
		if o.Reason != "" {
			r.Add(ledger.Reads{Skipped: map[string]int64{string(o.Reason): 1}})
			return
		}
		r.Compared++
		switch {
		case o.SourceFailed:
			r.SourceFailed++
		case o.TargetFailed:
			r.TargetFailed++
		}
		if o.Difference == nil {
			return
		}
		r.Mismatched++
		if o.Difference.Kind == shadow.KindTimeout {
			r.TargetTimeouts++
		}
	})
}

// differed keeps a mismatch for the next report.
func (t *tally) differed(m ledger.Mismatch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.news = true
	before, known := t.mismatches[m.Fingerprint]
	if !known && len(t.mismatches) >= keepMismatches {
		return // it is counted all the same
	}
	m.Count += before.Count
	t.mismatches[m.Fingerprint] = m
}

// snapshot returns the counters.
func (t *tally) snapshot() ledger.Reads {
	t.mu.Lock()
	defer t.mu.Unlock()
	var copied ledger.Reads
	copied.Add(t.reads)
	return copied
}

// take returns what is to be reported, with that of connections that are open, and
// forgets the mismatches. false: nothing has changed since the last time.
func (t *tally) take(open ledger.Reads) (r ledger.TransitionReport, news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r = ledger.TransitionReport{ID: t.ID, Epoch: t.epoch, Mismatches: []ledger.Mismatch{}}
	r.Reads.Add(t.reads)
	r.Reads.Add(open)
	for _, m := range t.mismatches {
		r.Mismatches = append(r.Mismatches, m)
	}
	statements := r.Reads.SourceStatements + r.Reads.TargetStatements
	news = t.news || statements != t.statements
	t.news, t.statements = false, statements
	clear(t.mismatches)
	return r, news
}

// giveBack takes in again what could not be reported.
func (t *tally) giveBack(r ledger.TransitionReport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.news = true
	for _, m := range r.Mismatches {
		later, known := t.mismatches[m.Fingerprint]
		if known {
			later.Count += m.Count
			m = later
		}
		t.mismatches[m.Fingerprint] = m
	}
}
