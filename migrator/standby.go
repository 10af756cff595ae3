package migrator

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// connect opens the connection, unless it is open, and looks where it leads.
func (s *session) connect(ctx context.Context, to *standby) error {
	if to.conn != nil && !to.conn.IsClosed() {
		return nil
	}
	const identify = `select pg_backend_pid(), pg_is_in_recovery(), system_identifier::text from pg_control_system()`
	var pid, here uint32
	var recovering, recoveringHere bool
	var system, systemHere string
	if err := s.conn.QueryRow(ctx, identify).Scan(&here, &recoveringHere, &systemHere); err != nil {
		return fmt.Errorf("identify this server: %w", err)
	}
	config := to.config.Copy()
	config.RuntimeParams["application_name"] = applicationName
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	err = conn.QueryRow(ctx, identify).Scan(&pid, &recovering, &system)
	switch {
	case err != nil:
		err = fmt.Errorf("identify it: %w", err)
	case pid != conn.PgConn().PID():
		err = ErrPooler
	case system != systemHere:
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

// olderOn lists the sessions of a standby that hold no epoch lock at or above
// epoch. As long as that has not been replayed there, or it is not known, one
// entry says so.
func (s *session) olderOn(ctx context.Context, on *standby, epoch int) ([]Session, error) {
	looking, cancel := context.WithTimeout(ctx, standbyPatience)
	defer cancel()
	behind := ""
	sessions, err := func() ([]Session, error) {
		if err := s.connect(looking, on); err != nil {
			return nil, err
		}
		// First the epoch: who joins after it has been replayed joins under it.
		replayed, err := on.replayed(looking)
		if err != nil {
			return nil, err
		}
		if replayed < epoch {
			behind = fmt.Sprintf("it has not replayed epoch %d yet", epoch)
		}
		return fence.Older(looking, on.conn, epoch)
	}()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		behind = strings.ReplaceAll(err.Error(), "\n", " ")
	}
	for i := range sessions {
		sessions[i].Standby = on.name
	}
	if behind != "" {
		sessions = append(sessions, Session{Standby: on.name, Behind: behind, Epoch: fence.NoEpoch})
	}
	return sessions, nil
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
