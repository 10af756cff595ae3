package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// trafficPause is between two statements of a connection.
const trafficPause = 2 * time.Millisecond

// traffic sends the statements of files through the hook, as an application does.
func (a *app) traffic(ctx context.Context, copied *pgx.ConnConfig, f rehearseFlags) (func(context.Context, func(string, error)) error, error) {
	statements, err := a.statements(ctx, nil, f.statements)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(copied.ConnString())
	if err != nil {
		return nil, &usageError{cause: withoutPassword(copied.ConnString(), err)}
	}
	config.MaxConns = int32(f.connections) //nolint:gosec // a handful
	config.ConnConfig.RuntimeParams["application_name"] = "crossfade rehearsal"
	texts := make([]string, len(statements))
	for i, s := range statements {
		texts[i] = s.SQL
	}
	return func(ctx context.Context, report func(string, error)) error {
		hook, err := dualwrite.New(dualwrite.Config{})
		if err != nil {
			return err
		}
		pool, err := hook.NewPool(ctx, config)
		if err != nil {
			return fmt.Errorf("connect for the statements: %w", err)
		}
		defer pool.Close()
		var workers sync.WaitGroup
		workers.Go(func() { _ = hook.Run(ctx) }) // it ends with ctx
		for i := range f.connections {
			workers.Go(func() { replay(ctx, pool, texts, i, report) })
		}
		workers.Wait()
		return nil
	}, nil
}

// replay sends one statement after the other, each in a transaction that is rolled
// back, from another one on in each worker.
func replay(ctx context.Context, pool *pgxpool.Pool, texts []string, from int, report func(string, error)) {
	for i := from; ctx.Err() == nil; i++ {
		sql := texts[i%len(texts)]
		err := rolledBack(ctx, pool, sql)
		var pgErr *pgconn.PgError
		switch {
		case ctx.Err() != nil:
			return
		case errors.As(err, &pgErr) && pgErr.Code == undefinedParameter: // nobody knows its values
		case dualwrite.IsStalePhase(err): // an application tries again
		default:
			report(sql, err)
		}
		timer := time.NewTimer(trafficPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

const undefinedParameter = "42P02"

func rolledBack(ctx context.Context, pool *pgxpool.Pool, sql string) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
}
