package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// shop places orders until it is closed.
type shop struct {
	pool    *pgxpool.Pool
	stop    chan struct{}
	once    sync.Once
	running sync.WaitGroup
	unhook  func()

	mu      sync.Mutex // guards the rest
	numbers map[int64]bool
	errs    []error
}

// openShop connects with the hook.
func openShop(ctx context.Context, url string) (*shop, error) {
	hook, err := dualwrite.New(dualwrite.Config{})
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	pool, err := hook.NewPool(ctx, config)
	if err != nil {
		return nil, err
	}
	following, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { _ = hook.Run(following) }) // ends with following
	return &shop{
		pool: pool, stop: make(chan struct{}), numbers: map[int64]bool{},
		unhook: func() { cancel(); done.Wait() },
	}, nil
}

// open begins to place orders by code that calls the key by that name.
func (s *shop) open(ctx context.Context, key string) {
	s.running.Go(func() {
		for {
			select {
			case <-s.stop:
				return
			default:
			}
			number, err := s.place(ctx, key)
			s.mu.Lock()
			if err == nil && s.numbers[number] {
				err = fmt.Errorf("number %d was handed out twice", number)
			}
			s.numbers[number] = true
			if err != nil {
				s.errs = append(s.errs, fmt.Errorf("%s: %w", key, err))
			}
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
}

// place inserts an order and its line, and looks the order up.
func (s *shop) place(ctx context.Context, key string) (number int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, fmt.Sprintf(`insert into orders (customer) values ($1) returning %s`, key), "somebody").Scan(&number)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into lines values ($1, 1)`, number)
		return err
	})
	if err != nil {
		return number, err
	}
	var lines int
	err = s.pool.QueryRow(ctx, fmt.Sprintf(`select count(*) from orders o join lines l on l.order_id = o.%[1]s where o.%[1]s = $1`, key), number).Scan(&lines)
	if err == nil && lines != 1 {
		err = fmt.Errorf("order %d has %d lines", number, lines)
	}
	return number, err
}

// placed is the number of orders.
func (s *shop) placed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.numbers))
}

// close ends it, and returns what went wrong. It may be called again.
func (s *shop) close() error {
	s.once.Do(func() {
		close(s.stop)
		s.running.Wait()
		s.unhook()
		s.pool.Close()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}
