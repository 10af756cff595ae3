package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// probe reads and writes rows, each every other millisecond.
type probe struct {
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex // guards the following
	shots []shot
	err   error
}

// shot is one statement of the probe.
type shot struct{ begin, end time.Time }

// span is a step, or a statement, in which the probe went on.
type span struct {
	name       string
	begin, end time.Time
	// lock is the longest statement with a lock that stops writes.
	lock time.Duration
}

func startProbe(ctx context.Context, url string) (*probe, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &probe{cancel: cancel}
	for _, sql := range []string{`select note from users where email = $1`, `update users set note = 'probed' where email = $1`} {
		config, err := pgx.ParseConfig(url)
		if err != nil {
			return nil, errors.Join(err, p.stop())
		}
		config.RuntimeParams["application_name"] = "probe"
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return nil, errors.Join(err, p.stop())
		}
		p.running.Go(func() {
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			p.shoot(ctx, conn, sql)
		})
	}
	return p, nil
}

func (p *probe) shoot(ctx context.Context, conn *pgx.Conn, sql string) {
	for ctx.Err() == nil {
		s := shot{begin: time.Now()}
		// A statement that is under way is not given up: it may be the longest.
		_, err := conn.Exec(context.WithoutCancel(ctx), sql, pgx.QueryExecModeExec, email(1+rand.IntN(1000)))
		s.end = time.Now()
		p.mu.Lock()
		p.shots = append(p.shots, s)
		p.err = errors.Join(p.err, err)
		p.mu.Unlock()
		if err != nil {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (p *probe) stop() error {
	p.cancel()
	p.running.Wait()
	return p.err
}

// during gives the number of statements that ran in a span, and the longest.
func (p *probe) during(s span) (n int, longest time.Duration) {
	for _, shot := range p.shots {
		if shot.end.After(s.begin) && shot.begin.Before(s.end) {
			n++
			longest = max(longest, shot.end.Sub(shot.begin))
		}
	}
	return n, longest
}
