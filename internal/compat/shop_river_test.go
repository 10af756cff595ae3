package compat

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"
)

// visit is a job: count a visit of the user.
type visit struct {
	UserID int64 `json:"user_id"`
}

func (visit) Kind() string { return "visit" }

// visitWorker updates the table that is moving.
type visitWorker struct {
	river.WorkerDefaults[visit]
	pool *pgxpool.Pool
}

func (w *visitWorker) Work(ctx context.Context, job *river.Job[visit]) error {
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		// The job and its work are done in one transaction, or neither is.
		if _, err := tx.Exec(ctx, `update users set visits = visits + 1, full_name = full_name || '' where id = $1`, job.Args.UserID); err != nil {
			return err
		}
		if _, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job); err != nil {
			return err
		}
		return nil
	})
}

// riverShop leaves it to a job to count a visit.
type riverShop struct {
	pgxShop
	pool  *pgxpool.Pool
	river *river.Client[pgx.Tx]
}

// Buy adds the order and the job in one transaction, and waits for the job.
func (s riverShop) Buy(ctx context.Context, userID int64, cents int32) error {
	before, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `insert into orders (user_id, cents) values ($1, $2)`, userID, cents); err != nil {
			return err
		}
		_, err := s.river.InsertTx(ctx, tx, visit{userID}, nil)
		return err
	}); err != nil {
		return err
	}
	for {
		now, err := s.User(ctx, userID)
		if err != nil || now.Visits > before.Visits {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// riverSubject is river on the hooked pool, or on one of its own without hook.
func riverSubject(name string, own bool, note string) subject {
	return subject{sectionLibraries, name, "github.com/riverqueue/river", func(t *testing.T) outcome {
		j := newJourney(t, "")
		pool := j.pool(func(c *pgxpool.Config) { c.MaxConns = 10 })
		rivers := pool
		if own {
			rivers = j.plainPool()
		}
		ctx := t.Context()
		tables, err := rivermigrate.New(riverpgxv5.New(j.plainPool()), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		_, err = tables.Migrate(ctx, rivermigrate.DirectionUp, nil)
		require.NoError(t, err)
		workers := river.NewWorkers()
		river.AddWorker(workers, &visitWorker{pool: pool})
		client, err := river.NewClient(riverpgxv5.New(rivers), &river.Config{
			Logger:            slog.New(slog.DiscardHandler),
			Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
			Workers:           workers,
			PollOnly:          !own,
			FetchCooldown:     10 * time.Millisecond,
			FetchPollInterval: 20 * time.Millisecond,
		})
		require.NoError(t, err)
		require.NoError(t, client.Start(context.Background()))
		stop := func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			require.NoError(t, client.Stop(ctx))
		}
		defer stop()
		j.run(riverShop{pgxShop{pool}, pool, client})
		var failed int
		require.NoError(t, j.audit.QueryRow(ctx, `select count(*) from river_job where errors is not null`).Scan(&failed))
		require.Zero(t, failed, "jobs that failed at least once")
		return verdictOf(note)
	}}
}

// plainPool is a pool without the hook, which no drain waits for.
func (j *journey) plainPool() *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(j.URL)
	require.NoError(j.t, err)
	config.ConnConfig.RuntimeParams["application_name"] = auditor
	pool, err := pgxpool.NewWithConfig(j.t.Context(), config)
	require.NoError(j.t, err)
	j.t.Cleanup(pool.Close)
	return pool
}
