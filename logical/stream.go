package logical

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// tick is how soon a new position is acknowledged, and idle WAL noticed.
	tick = time.Second
	// idleStep is how much WAL without changes of ours passes before the
	// position is stored: storing it makes WAL too.
	idleStep = 1 << 20
	// writeTimeout bounds the sending of one status.
	writeTimeout = 30 * time.Second
)

// stream is the replication connection. Only the goroutine of receive uses it.
type stream struct {
	conn     net.Conn
	frontend *pgproto3.Frontend
	queue    *queue
	decoder  decoder
	oneOff   bool // the slot is temporary: nothing is stored

	interval time.Duration // between two statuses
	silence  time.Duration // of the server, that means it is gone

	heard    time.Time // when the server last said something
	reported time.Time // when the last status was sent
	flushed  LSN       // what it acknowledged
	received LSN
	advanced time.Time // when an idle position was last stored
}

// newStream takes over a connection on which replication has started.
func newStream(repl *pgconn.PgConn, s *session) (*stream, error) {
	hijacked, err := repl.Hijack()
	if err != nil {
		return nil, fmt.Errorf("take over the stream: %w", err)
	}
	now := time.Now()
	return &stream{
		conn: hijacked.Conn, frontend: hijacked.Frontend, queue: s.queue, oneOff: s.config.Temporary,
		decoder:  decoder{queue: s.queue, relations: map[uint32]*Relation{}, keys: s.keys},
		interval: s.interval, silence: s.silence, heard: now, advanced: now,
	}, nil
}

// close tells the server how far we are, and leaves.
func (s *stream) close() {
	_ = s.send(false, closeTimeout)
	s.frontend.Send(&pgproto3.CopyDone{})
	s.frontend.Send(&pgproto3.Terminate{})
	_ = s.frontend.Flush()
	_ = s.conn.Close()
}

// receive reads until ctx is done or something fails. It also answers the
// server: a second goroutine that writes would share the deadlines of this one.
func (s *stream) receive(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.tick(ctx); err != nil {
		return err
	}
	for {
		if err := s.waitSpace(ctx); err != nil {
			return err
		}
		// While what is already in the buffer is handled slowly, no deadline
		// passes.
		if time.Since(s.reported) >= s.interval {
			if err := s.report(true); err != nil {
				return err
			}
		}
		message, err := s.frontend.Receive()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := s.tick(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("read the stream: %w", err)
		}
		if err := s.handle(message); err != nil {
			return err
		}
	}
}

// waitSpace stops reading while the queue is full; the server then stops
// sending. It goes on hearing from us.
func (s *stream) waitSpace(ctx context.Context) error {
	for s.queue.isFull() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.queue.space:
		case <-time.After(min(tick, s.interval)):
			if err := s.reportDue(); err != nil {
				return err
			}
		}
		s.heard = time.Now()
	}
	return nil
}

// tick does what is due, and sets the time of the next one.
func (s *stream) tick(ctx context.Context) error {
	if time.Since(s.heard) > s.silence {
		return errSilence
	}
	if err := s.reportDue(); err != nil {
		return err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(min(tick, s.interval))); err != nil {
		return err
	}
	return ctx.Err() // cancelled before the deadline was set, it would be missed
}

func (s *stream) handle(message pgproto3.BackendMessage) error {
	switch message := message.(type) {
	case *pgproto3.CopyData:
		return s.copyData(message.Data)
	case *pgproto3.ErrorResponse:
		return fmt.Errorf("read the stream: %w", pgconn.ErrorResponseToPgError(message))
	case *pgproto3.CopyDone, *pgproto3.CommandComplete:
		return errEnded
	}
	return nil // notices and parameters
}

func (s *stream) copyData(data []byte) error {
	s.heard = time.Now()
	if len(data) == 0 {
		return errors.New("read the stream: empty message")
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		keepalive, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		s.idle(keepalive.ServerWALEnd, keepalive.ReplyRequested)
		if keepalive.ReplyRequested {
			return s.report(false)
		}
	case pglogrepl.XLogDataByteID:
		data, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		s.received = max(s.received, data.WALStart)
		empty, err := s.decoder.message(data.WALData, data.ServerTime)
		if err != nil {
			return err
		}
		if empty != 0 {
			s.idle(empty, false)
		}
	}
	return nil
}

// idle: the server has sent everything that committed before end. When all of
// it is applied, end becomes the position, or an idle table would keep WAL for
// ever. Where positions are stored that comes first, so that what the slot was
// acknowledged is never ahead of what is stored: that shows a slot made anew.
//
// A server that asks for a reply, which it need not do as we report often
// enough, is shutting down and waits for the position.
func (s *stream) idle(end LSN, urgent bool) {
	s.received = max(s.received, end)
	progress := s.queue.progress()
	if s.decoder.open() || !progress.idle || end <= progress.stored {
		return
	}
	if s.oneOff {
		s.queue.done(Batch{End: end})
		return
	}
	enough := end-progress.stored >= idleStep && time.Since(s.advanced) >= tick
	if urgent || enough {
		s.advanced = time.Now()
		s.queue.advance(end)
	}
}

// reportDue sends a status when it is time, or when there is something new.
func (s *stream) reportDue() error {
	if time.Since(s.reported) >= s.interval {
		return s.report(true)
	}
	if s.queue.progress().stored > s.flushed {
		return s.report(false)
	}
	return nil
}

// report acknowledges what is durable, and nothing else. It asks for a reply to
// learn where the server is, and that it still is.
func (s *stream) report(reply bool) error {
	if err := s.send(reply, writeTimeout); err != nil {
		return fmt.Errorf("report to the server: %w", err)
	}
	return nil
}

func (s *stream) send(reply bool, timeout time.Duration) error {
	flushed := s.queue.progress().stored
	var data [34]byte
	data[0] = pglogrepl.StandbyStatusUpdateByteID
	binary.BigEndian.PutUint64(data[1:], uint64(max(s.received, flushed)))
	binary.BigEndian.PutUint64(data[9:], uint64(flushed))
	binary.BigEndian.PutUint64(data[17:], uint64(flushed))
	binary.BigEndian.PutUint64(data[25:], uint64(time.Since(epoch).Microseconds()))
	if reply {
		data[33] = 1
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	s.frontend.Send(&pgproto3.CopyData{Data: data[:]})
	if err := s.frontend.Flush(); err != nil {
		return err
	}
	s.reported, s.flushed = time.Now(), flushed
	return nil
}

// epoch is the beginning of PostgreSQL's time.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
