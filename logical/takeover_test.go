package logical

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// Of any number of processes one applies; when it goes, another one follows.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailers := []*Tailer{setUp(t, config), newTailer(t, config), newTailer(t, config)}
	runs := make([]*running, len(tailers))
	for i, tailer := range tailers {
		runs[i] = start(t, tailer)
	}
	conn := db.Conn(t)
	for round := range tailers {
		_, err := conn.Exec(t.Context(), `insert into item values ($1)`, round+1)
		require.NoError(t, err)
		barrier(t, tailers[0])
		active := -1
		pgtest.WaitFor(t, "one to be active and the others to stand by", func() bool {
			streaming, standing := 0, 0
			for i, tailer := range tailers {
				switch tailer.Status().State {
				case Streaming:
					active = i
					streaming++
				case StandingBy:
					standing++
				}
			}
			return streaming == 1 && standing == len(tailers)-1-round
		})
		runs[active].stop(t)
	}
	require.Equal(t, numbered("insert", 1, 3), seen(t, db))
}

// A process that has lost its stream and does not know it yet cannot commit
// behind the one that has taken over.
func TestZombieDoesNotApply(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailer := setUp(t, config)
	conn := db.Conn(t)
	zombie := &session{tailer: tailer, config: tailer.config, queue: newQueue(10)}
	position, known, err := tailer.loadPosition(t.Context(), conn)
	require.NoError(t, err)
	require.True(t, known)
	zombie.system.SystemID, zombie.system.Timeline = position.System, position.Timeline
	old, err := zombie.claim(t.Context(), conn)
	require.NoError(t, err)

	start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	err = zombie.applyBatch(t.Context(), conn, old, Batch{End: old.LSN + 1})
	require.ErrorIs(t, err, ErrTakenOver)
	require.False(t, permanent(err, true), "it stands by")
	require.Len(t, seen(t, db), 1)
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	_, config := newDB(t, schema)
	tailer := setUp(t, config)
	r := start(t, tailer)
	pgtest.WaitFor(t, "the stream", func() bool { return tailer.Status().State == Streaming })
	require.ErrorIs(t, tailer.Run(t.Context()), ErrRunning)
	require.Error(t, tailer.Drop(t.Context()), "its slot is being read")
	r.stop(t)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	var reports atomic.Int32
	var open atomic.Bool
	config.OnStatus = func(Status) { reports.Add(1) }
	gate := make(chan struct{})
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		open.Store(true)
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return record(ctx, tx, b)
	}
	config.BatchSize = 10
	tailer := setUp(t, config)
	start(t, tailer)
	db.Exec(t, `insert into item select generate_series(1, 100)`)
	pgtest.WaitFor(t, "lag", func() bool {
		s := tailer.Status()
		return open.Load() && s.Lag > 0 && s.LagBytes > 0 && s.Waiting > 0
	})
	close(gate)
	barrier(t, tailer)
	pgtest.WaitFor(t, "no lag", func() bool {
		s := tailer.Status()
		return s.Lag == 0 && s.Waiting == 0 && s.Changes >= 100 && s.Slot.Active && s.Slot.WALStatus == "reserved" && s.Slot.Confirmed > 0
	})
	require.Positive(t, reports.Load())
	slot, err := tailer.ReadSlot(t.Context())
	require.NoError(t, err)
	require.True(t, slot.Exists)
	require.Positive(t, slot.Held)
}

func TestBarrierWaits(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailer := newTailer(t, config)
	_, err := tailer.Barrier(t.Context())
	require.Error(t, err, "nothing was set up")
	require.NoError(t, tailer.Setup(t.Context()))
	db.Exec(t, `insert into item values (1)`)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = tailer.Barrier(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "nobody applies")
	// In another process, as it were.
	r := start(t, newTailer(t, config))
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 1), seen(t, db))
	r.stop(t)
}

// The position may be kept anywhere in the database.
func TestPositionTableOfAnotherName(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema+`create schema "My ledger"`)
	config.Positions = PositionTable{Schema: "My ledger", Name: "tail"}
	tailer := setUp(t, config)
	start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	require.Equal(t, config.Slot, one[string](t, db.Conn(t), `select slot from "My ledger".tail`))
	conn := db.Conn(t)
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		_, err := config.Positions.Load(t.Context(), tx, "none")
		return err
	})
	require.True(t, errors.Is(err, pgx.ErrNoRows))
}
