package migrator_test

import (
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_ = audit(t, db)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	app, view := join(t, db)
	require.NoError(t, app.Ping(ctx))
	list, err := m.Status(ctx, migrator.StatusOptions{Events: 3})
	require.NoError(t, err)
	require.Len(t, list, 1)
	s := list[0]
	require.Equal(t, migrator.Shadow, s.Phase)
	require.Equal(t, "shadow", s.Step)
	require.Equal(t, "public.users", s.Table)
	require.Equal(t, "rename", s.Kind)
	require.Equal(t, []string{"full_name"}, s.Sources)
	require.Equal(t, []string{"name"}, s.Targets)
	require.Nil(t, s.Drain)
	require.Equal(t, []migrator.EpochSessions{{Epoch: -1, Count: 1}, {Epoch: view.Epoch, Count: 1}}, s.Sessions)
	require.Len(t, s.Jobs, 2)
	for _, job := range s.Jobs {
		require.True(t, job.Finished)
		require.EqualValues(t, 300, job.RowsScanned)
		require.EqualValues(t, 300, job.Estimate)
		require.Positive(t, job.Rate)
	}
	require.EqualValues(t, 300, s.Jobs[0].RowsChanged)
	require.Len(t, s.History, 3)
	require.Equal(t, []string{"move", "drained", "done"}, []string{s.History[0].Event, s.History[1].Event, s.History[2].Event})
	require.Equal(t, "tester", s.History[0].Actor)
	_, err = json.Marshal(list)
	require.NoError(t, err)
}

// TestCancel: a call that is cancelled lets go at once, and the next one continues.
func TestCancel(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	app, _ := join(t, db)
	cancellable, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if drain, ok := e.(migrator.DrainEvent); ok && len(drain.Waiting) > 0 {
			cancel()
		}
	})})
	_, err := m.Run(cancellable, rename.Name, migrator.RunOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, app.Close(ctx))
	_, err = newMigrator(t, db, migrator.Config{LeaderWait: time.Nanosecond}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

func TestNewValidates(t *testing.T) {
	t.Parallel()
	_, err := migrator.New(nil, migrator.Config{})
	require.ErrorContains(t, err, "no connection config")
	db := pgtest.New(t)
	_, err = migrator.New(db.Config(t), migrator.Config{Grace: -1})
	require.ErrorContains(t, err, "Grace is negative")
	_, err = migrator.New(db.Config(t), migrator.Config{Laggards: "shoot"})
	require.ErrorContains(t, err, `"shoot"`)
}

// TestPooler: a pooler shows itself by another pid than the server's.
func TestPooler(t *testing.T) {
	t.Parallel()
	config := pgtest.New(t).Config(t)
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &pooler{conn}, err
	}
	m, err := migrator.New(config, quick(migrator.Config{}))
	require.NoError(t, err)
	require.ErrorIs(t, m.Init(ctx, migrator.InitOptions{}), migrator.ErrPooler)
}

// pooler changes the pid in BackendKeyData.
type pooler struct{ net.Conn }

func (p *pooler) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	for i := 0; i+13 <= n; i++ {
		if b[i] == 'K' && b[i+1] == 0 && b[i+2] == 0 && b[i+3] == 0 && b[i+4] == 12 {
			b[i+8] ^= 1
		}
	}
	return n, err
}
