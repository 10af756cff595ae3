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

// report writes into the ledger what was counted of reads and what was refused, at
// most every few seconds. What cannot be written is kept for the next time.
func (s *server) report(ctx context.Context, conn *pgx.Conn, last *time.Time) error {
	if time.Since(*last) < reportEvery*s.hook.config.PollInterval {
		return nil
	}
	*last = time.Now()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := s.reportReads(ctx, conn)
	if conn.IsClosed() {
		return err
	}
	return errors.Join(err, s.reportRefused(ctx, conn))
}

func (s *server) reportReads(ctx context.Context, conn *pgx.Conn) error {
	r := ledger.Report{Instance: s.hook.instance}
	var taken []*tally
	open := s.serving()
	for _, t := range s.tallies.all() {
		if one, news := t.take(open[t]); news {
			r.Transitions, taken = append(r.Transitions, one), append(taken, t)
		}
	}
	if len(taken) == 0 {
		return nil
	}
	err := ledger.ReportReads(ctx, conn, r)
	if err != nil {
		for i, t := range taken {
			t.giveBack(r.Transitions[i])
		}
	}
	return err
}
