package migrator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Writer is somebody who wrote the sources of a transition without the hook, as
// its trigger noted it.
type Writer = ledger.Writer

// Writers is who writes, or may write, without the hook.
type Writers struct {
	Transition string `json:"transition"`
	// Seen wrote the sources alone, the last one first, as a trigger noted. Of a
	// transition that is followed in the log, which does not say who wrote, they
	// are those who held a lock on the table, without the hook, when the tail
	// looked, once a second: not all of them, and not for certain writers of the
	// sources.
	Seen []Writer `json:"seen"`
	// Tail has what the log says of them: rows, transactions and times.
	Tail *TailStatus `json:"tail,omitempty"`
	// Connected are the sessions without the hook that are not ignored.
	Connected []Session `json:"connected"`
}

// Writers tells who writes without the hook. It may be called while another
// migrator is at work.
func (m *Migrator) Writers(ctx context.Context, name string) (Writers, error) {
	var found Writers
	err := m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		found, err = w.writers(ctx)
		return err
	})
	return found, err
}

func (w *work) writers(ctx context.Context) (Writers, error) {
	found := Writers{Transition: w.t.Name, Connected: []Session{}}
	var err error
	if found.Seen, err = ledger.Writers(ctx, w.conn, w.t.ID); err != nil {
		return found, err
	}
	if found.Tail, err = w.tailStatus(ctx, *w.t); err != nil {
		return found, err
	}
	sessions, err := fence.Older(ctx, w.conn, 0) // epoch 0 is the least that a hook holds
	for _, s := range sessions {
		if !w.ignores(s) {
			found.Connected = append(found.Connected, s)
		}
	}
	return found, err
}

// ignores tells whether the operator vouches for a session without the hook.
func (w *work) ignores(s Session) bool {
	return slices.Contains(w.IgnoreApplications, s.Application) ||
		slices.Contains(w.t.Definition.IgnoreApplications, s.Application)
}

// nobodyWithoutHook: contract would break those who write, or read, the sources
// without the hook.
func nobodyWithoutHook(ctx context.Context, w *work) error {
	found, err := w.writers(ctx)
	if err != nil {
		return err
	}
	if len(found.Connected) > 0 {
		return w.closed("end them, embed the hook, or list their application_name under ignore_applications if they never touch the column",
			"sessions without the hook are connected: %s", lines(found.Connected))
	}
	for _, writer := range found.Seen {
		if writer.Ago < w.WritersQuiet {
			if tailed(*w.t) {
				return w.closed(fmt.Sprintf("find it (crossfade writers %s); contract when nobody has been seen for %s", w.t.Name, w.WritersQuiet),
					"role %s, application %q, client %s was seen with a lock on the table, without the hook, %s ago",
					writer.Role, writer.Application, writer.Client, writer.Ago.Round(time.Second))
			}
			return w.closed(fmt.Sprintf("find it (crossfade writers %s); contract when nobody has been seen for %s", w.t.Name, w.WritersQuiet),
				"role %s, application %q, client %s wrote %s without the hook %s ago",
				writer.Role, writer.Application, writer.Client, w.t.Definition.Move, writer.Ago.Round(time.Second))
		}
	}
	return nil
}
