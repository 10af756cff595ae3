package logical

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errBusy: another process reads the slot.
var errBusy = errors.New("another process reads the slot")

// session is one life of the connections: three goroutines, of which one reads
// the stream, one applies, and one watches. The first that fails ends all.
type session struct {
	tailer *Tailer
	config Config

	system   pglogrepl.IdentifySystemResult
	keys     map[uint32][]string
	interval time.Duration // between two statuses
	silence  time.Duration // of the server, that means it is gone
	queue    *queue
	streamed bool

	published []uint32 // as it was when the position was stored
}

func (s *session) run(ctx context.Context) error {
	conn, err := s.tailer.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if err := s.prepare(ctx, conn); err != nil {
		return err
	}
	repl, system, err := s.tailer.connectReplication(ctx, conn)
	if err != nil {
		return err
	}
	defer closeReplication(ctx, repl)
	s.system = system
	if s.interval, s.silence, err = statusInterval(ctx, repl, s.config.StatusInterval); err != nil {
		return err
	}
	if s.keys, err = primaryKeys(ctx, conn, s.config.Publication); err != nil {
		return err
	}
	s.queue = newQueue(s.config.BatchSize)
	if err := s.start(ctx, conn, repl); err != nil {
		return err
	}
	s.streamed = true
	stream, err := newStream(repl, s)
	if err != nil {
		return err
	}
	defer stream.close()
	watcher, err := s.tailer.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, watcher)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for _, task := range []func(context.Context) error{
		stream.receive,
		func(ctx context.Context) error { return s.apply(ctx, conn) },
		func(ctx context.Context) error { return s.watch(ctx, watcher) },
	} {
		group.Go(func() { cancel(task(ctx)) })
	}
	group.Wait()
	return s.explain(context.WithoutCancel(ctx), context.Cause(ctx))
}

// prepare finds what is lost.
func (s *session) prepare(ctx context.Context, conn *pgx.Conn) (err error) {
	t := s.tailer
	if s.config.Temporary {
		if err := t.check(ctx, conn); err != nil {
			return err
		}
		if err := t.setupPublication(ctx, conn); err != nil {
			return err
		}
		s.published, _, err = t.published(ctx, conn)
		return err
	}
	position, known, err := t.loadPosition(ctx, conn)
	if err != nil {
		return err
	}
	if !known { // to set it up here would hide that it has been, and is gone
		return t.lost(Missing, noPosition)
	}
	s.published = position.Published
	slot, err := t.readSlot(ctx, conn)
	if err != nil {
		return err
	}
	if err := s.inspect(ctx, conn, slot, s.published); err != nil {
		return err
	}
	if slot.Active {
		return s.standBy()
	}
	return nil
}

// noPosition says why nobody can tell what has been applied.
const noPosition = "it has no stored position: it was never set up, or that is gone"

func (s *session) standBy() error {
	s.tailer.note(func(status *Status) { status.State = StandingBy })
	return errBusy
}

// inspect looks whether the slot still serves, and whether the publication
// still has what is known of it.
func (s *session) inspect(ctx context.Context, conn *pgx.Conn, slot SlotStatus, known []uint32) error {
	if !slot.Exists {
		return s.tailer.lost(Missing, "it was set up before and does not exist")
	}
	if err := s.tailer.usable(slot); err != nil {
		return err
	}
	now, missing, err := s.tailer.published(ctx, conn)
	if err != nil {
		return err
	}
	if missing != "" {
		return s.tailer.lost(Unpublished, missing)
	}
	if !containsAll(now, known) {
		return s.tailer.lost(Unpublished, "the publication, or a table's entry in it, was removed and made anew")
	}
	return nil
}

func containsAll(list, wanted []uint32) bool {
	for _, v := range wanted {
		if !slices.Contains(list, v) {
			return false
		}
	}
	return true
}

// start begins the stream where the slot was acknowledged: position 0 says so.
func (s *session) start(ctx context.Context, conn *pgx.Conn, repl *pgconn.PgConn) error {
	if s.config.Temporary {
		if err := s.tailer.createTemporary(ctx, conn, repl); err != nil {
			return err
		}
	}
	version, err := serverVersion(ctx, conn)
	if err != nil {
		return err
	}
	args := []string{"proto_version '1'", "publication_names " + publicationNames(s.config.Publication)}
	if version >= 140000 {
		args = append(args, "messages 'true'")
	}
	err = pglogrepl.StartReplication(ctx, repl, s.config.Slot, 0, pglogrepl.StartReplicationOptions{PluginArgs: args})
	if err == nil {
		return nil
	}
	if sqlState(err) == codeInUse {
		return s.standBy()
	}
	slot, readErr := s.tailer.readSlot(ctx, conn)
	if readErr == nil {
		readErr = s.inspect(ctx, conn, slot, s.published)
	}
	return errors.Join(readErr, fmt.Errorf("start replication: %w", err))
}

// explain looks for the cause behind an error of the stream: it tells of an
// invalidated slot in words only.
func (s *session) explain(ctx context.Context, err error) error {
	switch sqlState(err) {
	case codeNotAllowed, codeUndefined, codeNoFile:
	default:
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	conn, connectErr := s.tailer.connect(ctx)
	if connectErr != nil {
		return err
	}
	defer closeConn(ctx, conn)
	slot, readErr := s.tailer.readSlot(ctx, conn)
	if readErr != nil {
		return err
	}
	if lost := s.inspect(ctx, conn, slot, s.published); lost != nil {
		return errors.Join(lost, err)
	}
	if sqlState(err) == codeUndefined {
		// The publication is there now, but not at the place in the log that is
		// being decoded, and never will be.
		return errors.Join(s.tailer.lost(Unpublished, "the publication was made after the slot"), err)
	}
	return err
}

// advanced tells whether the session has made something durable.
func (s *session) advanced() bool {
	return s.queue != nil && s.queue.progress().applied > 0
}

// statusInterval is short enough for the server's patience.
func statusInterval(ctx context.Context, repl *pgconn.PgConn, want time.Duration) (status, silence time.Duration, err error) {
	results, err := repl.Exec(ctx, "select setting from pg_catalog.pg_settings where name = 'wal_sender_timeout'").ReadAll()
	if err != nil {
		return 0, 0, fmt.Errorf("read wal_sender_timeout: %w", err)
	}
	ms, err := strconv.Atoi(string(results[0].Rows[0][0]))
	if err != nil {
		return 0, 0, fmt.Errorf("read wal_sender_timeout: %w", err)
	}
	timeout := time.Duration(ms) * time.Millisecond
	if timeout == 0 {
		return want, 10 * time.Minute, nil
	}
	return min(want, timeout/3), max(2*time.Minute, 2*timeout), nil
}
