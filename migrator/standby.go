package migrator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

// standby is a server of Config.Standbys. Sessions there hold their epoch locks
// there, where only a connection to it sees them. What they read is right by
// itself: a statement that names a token fails once the drop of it is replayed. So
// drains look at standbys out of courtesy, and for those who name no token: who
// joined before the transition was known, or has no hook.
type standby struct {
	name   string
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil or closed: not open
	// seen is what a look has found that serves the whole of a status; nil otherwise.
	seen *sighting
}

// standbyPatience bounds each look at a standby, which may be out of reach.
const standbyPatience = 10 * time.Second

func newStandbys(configs []*pgx.ConnConfig) []*standby {
	var list []*standby
	for _, c := range configs {
		list = append(list, &standby{name: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), config: c})
	}
	return list
}

func (s *standby) close(ctx context.Context) {
	if s.conn != nil {
		_ = s.conn.Close(ctx)
	}
}

// connect opens the connection, unless it is open, and looks where it leads. system
// is the cluster that it has to belong to.
func (to *standby) connect(ctx context.Context, system string) error {
	if to.conn != nil && !to.conn.IsClosed() {
		return nil
	}
	config := to.config.Copy()
	config.RuntimeParams["application_name"] = applicationName
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	var pid uint32
	var recovering bool
	var systemThere string
	err = conn.QueryRow(ctx, `select pg_backend_pid(), pg_is_in_recovery(), system_identifier::text from pg_control_system()`).
		Scan(&pid, &recovering, &systemThere)
	switch {
	case err != nil:
		err = fmt.Errorf("identify it: %w", err)
	case pid != conn.PgConn().PID():
		err = ErrPooler
	case system != systemThere:
		err = errors.New("it belongs to another cluster")
	case !recovering:
		err = errors.New("it is not a standby")
	default:
		err = fence.Own(ctx, conn)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return err
	}
	to.conn = conn
	return nil
}

// cluster is the one that this server belongs to.
func (s *session) cluster(ctx context.Context) (system string, err error) {
	if err := s.conn.QueryRow(ctx, `select system_identifier::text from pg_control_system()`).Scan(&system); err != nil {
		return "", fmt.Errorf("identify this server: %w", err)
	}
	return system, nil
}

// sighting is what a look at a standby has found.
type sighting struct {
	// sessions are those that hold no epoch lock at or above the one of the look.
	sessions []Session
	// replayed is the epoch of the ledger there; -1 without one.
	replayed int
	// trouble says why nothing is known.
	trouble string
}

// look lists the sessions of a standby that hold no epoch lock at or above epoch.
func (to *standby) look(ctx context.Context, system string, epoch int) sighting {
	seen, err := func() (seen sighting, err error) {
		if err = to.connect(ctx, system); err != nil {
			return seen, err
		}
		// First the epoch: who joins after it has been replayed joins under it.
		if seen.replayed, err = to.replayed(ctx); err != nil {
			return seen, err
		}
		seen.sessions, err = fence.Older(ctx, to.conn, epoch)
		return seen, err
	}()
	if err != nil {
		return sighting{replayed: -1, trouble: strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	for i := range seen.sessions {
		seen.sessions[i].Standby = to.name
	}
	return seen
}

// older are the sessions that hold no epoch lock at or above epoch. As long as that
// has not been replayed there, or it is not known, one entry says so.
func (to *standby) older(seen sighting, epoch int) []Session {
	sessions := slices.DeleteFunc(slices.Clone(seen.sessions), func(s Session) bool { return s.Epoch >= epoch })
	behind := seen.trouble
	if behind == "" && seen.replayed < epoch {
		behind = fmt.Sprintf("it has not replayed epoch %d yet", epoch)
	}
	if behind != "" {
		sessions = append(sessions, Session{Standby: to.name, Behind: behind, Epoch: fence.NoEpoch})
	}
	return sessions
}

// olderOn lists the sessions of a standby that hold no epoch lock at or above
// epoch, as of now, or as the status has just seen them.
func (s *session) olderOn(ctx context.Context, on *standby, epoch int) ([]Session, error) {
	if on.seen != nil {
		return on.older(*on.seen, epoch), nil
	}
	system, err := s.cluster(ctx)
	if err != nil {
		return nil, err
	}
	looking, cancel := context.WithTimeout(ctx, standbyPatience)
	defer cancel()
	seen := on.look(looking, system, epoch)
	return on.older(seen, epoch), ctx.Err()
}

// replayed is the epoch of the ledger as it has been replayed; -1 without one.
func (s *standby) replayed(ctx context.Context) (int, error) {
	epoch, exists := -1, false
	err := s.conn.QueryRow(ctx, `select to_regclass('crossfade.join_v1') is not null`).Scan(&exists)
	if err == nil && exists {
		err = s.conn.QueryRow(ctx, `select epoch from crossfade.join_v1`).Scan(&epoch)
	}
	if err != nil {
		return 0, fmt.Errorf("read its epoch: %w", err)
	}
	return epoch, nil
}

// lookEverywhere looks around here and on the standbys.
func (w *work) lookEverywhere(ctx context.Context, fencing bool) (Drain, error) {
	d, err := w.lookAround(ctx, fencing)
	if err != nil {
		return d, err
	}
	previous, err := w.previousEpoch()
	if err != nil {
		return d, err
	}
	for _, standby := range w.standbys {
		sessions, err := w.olderOn(ctx, standby, w.t.Epoch)
		if err != nil {
			return d, err
		}
		w.sift(&d, sessions, previous, fencing)
	}
	return d, nil
}

// waitsFor tells whether a drain waits for a standby that has not replayed it: the
// first one does; a flip forward does until the grace is over; and whoever goes
// back should not be in more trouble.
func (d Drain) waitsFor(fencing bool) bool {
	switch {
	case d.To == "":
		return false
	case d.From == "":
		return true
	}
	return !fencing && d.From.Before(d.To)
}
