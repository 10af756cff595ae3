package dualwrite

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// reportEvery is how many polls lie between two reports to the ledger.
const reportEvery = 5

// errNoPrimary is said once of each standby.
var errNoPrimary = errors.New("what is counted of reads, and refused, on a standby stays in this process and its metrics: " +
	"it has no connection to the primary, in whose ledger it would be written down")

// report writes into the ledger what was counted of reads and what was refused, here,
// on the standbys of this server, and where else it is reached, at most every few
// seconds. What cannot be written is kept for the next time.
func (s *server) report(ctx context.Context, conn *pgx.Conn, last *time.Time) error {
	if time.Since(*last) < reportEvery*s.hook.config.PollInterval {
		return nil
	}
	*last = time.Now()
	if !s.hook.counts() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	now, err := ledger.ReportsTo(ctx, conn)
	if err != nil {
		return err
	}
	s.reports.Store(&now)
	if !now.Takes {
		return s.isolated()
	}
	reports := reports{by: map[reportKey]*gathered{}}
	for _, each := range s.siblings() {
		reports.gather(each)
	}
	reports.gather(s)
	err = reports.send(ctx, conn, s.hook.instance)
	if conn.IsClosed() {
		return err
	}
	return errors.Join(err, s.reportRefused(ctx, conn))
}

// counts tells whether there is anything to report.
func (h *Hook) counts() bool {
	for _, s := range h.all() {
		if len(s.serving()) > 0 || len(s.tallies.all()) > 0 || s.refusals.any() {
			return true
		}
	}
	return false
}

func (h *Hook) all() []*server {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*server, 0, len(h.servers))
	for _, s := range h.servers {
		list = append(list, s)
	}
	return list
}

// isolated is errNoPrimary for a standby, once, when nobody has taken its reports for
// a while.
func (s *server) isolated() error {
	const patience = 3
	if !s.reports.Load().Standby || s.unheard > patience {
		return nil
	}
	for _, other := range s.siblings() {
		if other.reports.Load().Takes {
			return nil
		}
	}
	if s.unheard++; s.unheard > patience {
		return errNoPrimary
	}
	return nil
}

// siblings are the servers with the same database: standbys, or the same server by
// another address.
func (s *server) siblings() (list []*server) {
	mine := s.reports.Load()
	for _, other := range s.hook.all() {
		its := other.reports.Load()
		if s != other && s.database == other.database && its != nil && mine.Cluster != "" && mine.Cluster == its.Cluster {
			list = append(list, other)
		}
	}
	return list
}

type reportKey struct {
	transition int64
	epoch      int
}

// reports are what is on its way to the ledger, which keeps one row of an instance for
// a phase, wherever its connections lead.
type reports struct {
	by map[reportKey]*gathered
}

// gathered is what is reported of one phase, and the tallies that it comes from.
type gathered struct {
	sum   ledger.TransitionReport
	parts map[*tally]ledger.TransitionReport
	news  bool
}

func (r *reports) gather(s *server) {
	open := s.serving()
	for _, t := range s.tallies.all() {
		one, news := t.take(open[t])
		key := reportKey{t.ID, t.epoch}
		g := r.by[key]
		if g == nil {
			g = &gathered{sum: ledger.TransitionReport{ID: t.ID, Epoch: t.epoch}, parts: map[*tally]ledger.TransitionReport{}}
			r.by[key] = g
		}
		g.parts[t], g.news = one, g.news || news
		g.sum.Reads.Add(one.Reads)
		g.sum.Mismatches = ledger.MergeMismatches(g.sum.Mismatches, one.Mismatches)
	}
}

func (r *reports) send(ctx context.Context, conn *pgx.Conn, instance string) error {
	report := ledger.Report{Instance: instance}
	for _, g := range r.by {
		if g.news {
			report.Transitions = append(report.Transitions, g.sum)
		}
	}
	if len(report.Transitions) == 0 {
		return nil
	}
	err := ledger.ReportReads(ctx, conn, report)
	if err == nil {
		return nil
	}
	for _, g := range r.by {
		for t, part := range g.parts {
			t.giveBack(part)
		}
	}
	return err
}
