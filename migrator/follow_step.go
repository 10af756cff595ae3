package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// direction is where a request leads from where a transition stands.
type direction int

const (
	stay direction = iota
	ahead
	backward
)

// toward tells where a request leads, or what forbids it. A request is granted
// once: what somebody moves by hand after that stays, until the flag asks for
// something else. And what no request has brought, none takes back, so that a new
// flag, which says off, does not undo what was done without it.
func (w *work) toward(r ledger.Request) (direction, hold, error) {
	done, underway, err := w.standing()
	if err != nil {
		return stay, hold{}, err
	}
	last := done
	if underway {
		last++
	}
	to, now := r.Phase, w.t.Phase
	var d direction
	switch {
	case now.SourceGone() && to == Complete:
		return stay, hold{}, nil // and more
	case now.SourceGone():
		return stay, hold{holdContracted, "the source is given up: there is no way back to " + string(to)}, nil
	case now.Before(to), now == to && done < w.way.reached(to):
		d = ahead
	case to.Before(now), last > w.way.kept(to) && to.Before(r.Furthest):
		d = backward
	}
	switch {
	case d != stay && r.GrantedAt != nil && now == to:
		return stay, hold{}, nil // a step within the phase
	case d != stay && r.GrantedAt != nil:
		return stay, hold{holdByHand, "it was granted, and moved by hand since: let the flag ask for another phase, or move it by hand"}, nil
	case d == backward && r.Furthest.Before(now):
		return stay, hold{holdByHand, "no request has brought it to " + string(now) + ", so none takes it back: crossfade rollback does"}, nil
	}
	return d, hold{}, nil
}

// follow does the one step that leads towards a request, as the only migrator.
// The request is read again: it may have changed while the lock was waited for.
func (m *Migrator) follow(ctx context.Context, name string, to Phase, d direction) error {
	_, err := m.work(ctx, name, func(w *work) error {
		r, _, err := ledger.GetRequest(ctx, w.conn, w.t.ID)
		if err != nil {
			return err
		}
		if now, _, err := w.toward(r); err != nil || now != d || r.Phase != to || w.rampDue(r) {
			return err
		}
		done, underway, err := w.standing()
		if err != nil {
			return err
		}
		if d == ahead {
			if err := w.foresee(ctx, w.way[done+1], d); err != nil {
				return err
			}
			return w.forward(ctx, done+1)
		}
		last := done
		if underway {
			last++
		}
		if err := w.foresee(ctx, w.way[last], d); err != nil {
			return err
		}
		return w.back(ctx, last-1)
	})
	return err
}

// rampDue tells whether a request wants the ramp set now: before live, so that live
// begins with it, or in live. What comes back to live has all reads on the target.
func (w *work) rampDue(r ledger.Request) bool {
	return r.RampDue() && !Live.Before(w.t.Phase)
}

// grantRamp sets the ramp that a request asks for, once. wait: the request goes no
// further before that is done. What was set and has been changed since is shown, and
// stays.
func (w *work) grantRamp(ctx context.Context, r *ledger.Request) (wait bool, held hold, err error) {
	if r.RampSet && w.t.Phase == Live && w.t.Ramp != *r.Ramp {
		return false, hold{holdRamp, fmt.Sprintf("the ramp was set to %d as asked, and is %d since, by the guard or by hand: let the flag ask for another one, or crossfade ramp %s %d",
			*r.Ramp, w.t.Ramp, w.t.Name, *r.Ramp)}, nil
	}
	if !w.rampDue(*r) {
		return false, hold{}, nil
	}
	w.step = step{name: "ramp"}
	var gate *GateError
	switch err := w.rampable(ctx, *r.Ramp); {
	case errors.As(err, &gate):
		return true, hold{holdRamp, fmt.Sprintf("%s (hint: %s)", gate.Why, gate.Hint)}, nil
	case err != nil:
		return true, hold{}, err
	}
	event := w.event("ramp", rampMove(w.t.Ramp, *r.Ramp))
	if r.Flag != "" {
		event.Detail += ", by flag " + r.Flag
	}
	switch err := ledger.GrantRamp(ctx, w.conn, w.t, *r, event); {
	case errors.Is(err, ledger.ErrMoved):
		return true, hold{}, nil // a step has just flipped it: look again
	case err != nil:
		return true, hold{}, err
	}
	r.RampSet, r.RampBrought = true, true
	w.Logger.LogAttrs(ctx, slog.LevelInfo, "ramp set", slog.String(keyTransition, w.t.Name), slog.Int(keyPercent, *r.Ramp))
	return false, hold{}, nil
}

// foresee looks at the gates of a flip before it is begun, since a follower tries
// again and again, and each beginning is a line of the history.
func (w *work) foresee(ctx context.Context, s step, d direction) error {
	if !s.flip || w.t.Draining != "" {
		return nil
	}
	from, to := s.from, s.phase
	if d == backward {
		from, to = to, from
	}
	if w.t.Phase != from {
		return nil
	}
	w.step = s
	_, err := w.gate(ctx, from, to)
	return err
}
