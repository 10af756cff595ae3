package migrator

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Control is what was asked of a transition's scans: Paused, so that no batch begins,
// or a Rate in rows per second, where 0 is no limit; by which Actor, and when
// (ChangedAt).
type Control = ledger.Control

// Pause makes the scans of a transition stand still: the one that is at work,
// in whatever process, between two batches and within a second, and later ones
// from their beginning. They hold no lock on the table and no transaction then.
// Steps that are no scan go on. Pausing outlives the migrator: Resume ends it.
func (m *Migrator) Pause(ctx context.Context, name string) (Control, error) {
	return m.control(ctx, name, "pause", "", func(c *Control) { c.Paused = true })
}

// Resume ends what Pause began.
func (m *Migrator) Resume(ctx context.Context, name string) (Control, error) {
	return m.control(ctx, name, "resume", "", func(c *Control) { c.Paused = false })
}

// SetRate limits the scans of a transition to a number of rows per second, at
// work or to come; 0 ends the limit. A scan follows within a second.
func (m *Migrator) SetRate(ctx context.Context, name string, rowsPerSecond int) (Control, error) {
	if rowsPerSecond < 0 {
		return Control{}, fmt.Errorf("rate of %q: %w", name, errNegativeRate)
	}
	detail := "no limit"
	if rowsPerSecond > 0 {
		detail = fmt.Sprintf("%d rows per second", rowsPerSecond)
	}
	return m.control(ctx, name, "rate", detail, func(c *Control) { c.Rate = rowsPerSecond })
}

// control changes what is asked while another migrator may be at work.
func (m *Migrator) control(ctx context.Context, name, event, detail string, change func(*Control)) (c Control, err error) {
	err = m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		t, err := ledger.Get(ctx, s.conn, name)
		if err != nil {
			return err
		}
		c, err = ledger.ChangeControl(ctx, s.conn, t, ledger.Event{Actor: s.Actor, Event: event, Detail: detail}, change)
		return err
	})
	return c, err
}
