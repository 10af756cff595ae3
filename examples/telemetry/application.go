package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// application has a pool and a *sql.DB, both traced and both hooked.
type application struct {
	tracer trace.Tracer
	hook   *dualwrite.Hook
	pool   *pgxpool.Pool
	db     *sql.DB
}

func newApplication(ctx context.Context, url string, p *providers) (*application, error) {
	hook, err := dualwrite.New(dualwrite.Config{MeterProvider: p.meter, RecycleWithin: -1})
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(p.tracer), otelpgx.WithMeterProvider(p.meter))
	pool, err := hook.NewPool(ctx, config)
	if err != nil {
		return nil, err
	}
	connConfig, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	connector, err := hook.Connector(*connConfig)
	if err != nil {
		return nil, err
	}
	db := otelsql.OpenDB(connector, otelsql.WithTracerProvider(p.tracer), otelsql.WithMeterProvider(p.meter),
		otelsql.WithAttributes(attribute.String("db.system.name", "postgresql")))
	hook.AttachDB(db)
	return &application{tracer: p.tracer.Tracer("shop"), hook: hook, pool: pool, db: db}, nil
}

func (a *application) close() {
	a.pool.Close()
	_ = a.db.Close()
}

// work answers requests until ctx ends.
func (a *application) work(ctx context.Context) error {
	for i := 1; ctx.Err() == nil; i++ {
		if err := a.request(context.WithoutCancel(ctx), i%100+1); err != nil && !dualwrite.IsStalePhase(err) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// request is what a handler does: it writes by one way, reads by the other, and
// asks for something that the hook has to refuse while the column moves.
func (a *application) request(ctx context.Context, id int) error {
	ctx, span := a.tracer.Start(ctx, "PUT /users", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	if _, err := a.pool.Exec(ctx, `update users set full_name = $2 where id = $1`, id, "somebody"); err != nil {
		return err
	}
	var name string
	if err := a.db.QueryRowContext(ctx, `select full_name from users where id = $1`, id).Scan(&name); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`select count(*) from orders`)
	batch.Queue(`select full_name from users where id = $1`, id)
	if err := a.pool.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if _, err := a.pool.Exec(ctx, `select 1`); err != nil {
		return err
	}
	_, err := a.pool.Exec(ctx, `do $$ begin update users set full_name = 'nobody' where id = 0; end $$`)
	if _, refused := dualwrite.AsRefusal(err); refused {
		return nil
	}
	return err
}

// follow runs the hook and the requests until ctx ends.
func (a *application) follow(ctx context.Context) error {
	hook := make(chan error, 1)
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() { hook <- a.hook.Run(following) }()
	err := a.work(ctx)
	stop()
	if hookErr := <-hook; !errors.Is(hookErr, context.Canceled) {
		err = errors.Join(err, hookErr)
	}
	return err
}
