package lockstep

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Manner is a way to send statements.
type Manner string

const (
	// Alone: each statement by itself, with the extended protocol.
	Alone Manner = "alone"
	// Transaction: all in one transaction.
	Transaction Manner = "in a transaction"
	// Prepared: each prepared under a name and executed twice.
	Prepared Manner = "prepared, executed twice"
	// Simple: one simple query with all of them.
	Simple Manner = "in one simple query"
	// Batch: all in one pipeline.
	Batch Manner = "in one batch"
	// Undone: all in one transaction that is rolled back.
	Undone Manner = "in a transaction, rolled back"
)

// Step is what is run before the sides are compared.
type Step struct {
	Manner     Manner
	Statements []*Node
}

func (s *Side) oneByOne(ctx context.Context, manner Manner, list []Statement, o *Observation) error {
	times, name := 1, ""
	if manner == Prepared {
		times, name = 2, "lockstep"
	}
	end := "commit"
	if manner == Transaction {
		defer func() { _ = s.exec(ctx, end) }() // what it did is looked at
	}
	for _, statement := range list {
		failed, err := s.execute(ctx, statement, name, times, o)
		if err != nil {
			return err
		}
		if failed && manner == Transaction {
			end = "rollback"
			break
		}
	}
	return nil
}

// undone looks before it rolls back; after an error there is nothing to see.
func (s *Side) undone(ctx context.Context, list []Statement, o *Observation) error {
	for _, statement := range list {
		if failed, err := s.execute(ctx, statement, "", 1, o); failed || err != nil {
			return errors.Join(err, s.exec(ctx, "rollback"))
		}
	}
	return s.look(ctx, o, "rollback")
}

// exec runs the harness's own SQL.
func (s *Side) exec(ctx context.Context, sql string) error {
	_, err := s.Conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// execute runs one statement some times.
func (s *Side) execute(ctx context.Context, statement Statement, name string, times int, o *Observation) (failed bool, err error) {
	sql, err := s.translate(statement.SQL)
	if err != nil {
		return true, s.fail(o, Answer{SQL: statement.SQL}, err)
	}
	conn := s.Conn.PgConn()
	description, err := conn.Prepare(ctx, name, sql, nil)
	if err != nil {
		return true, s.fail(o, Answer{SQL: statement.SQL}, err)
	}
	for range times {
		a := Answer{SQL: statement.SQL, ParamOIDs: description.ParamOIDs}
		r := conn.ExecPrepared(ctx, name, statement.Args, nil, nil).Read()
		if r.Err != nil {
			failed = true
			if err := s.fail(o, a, r.Err); err != nil {
				return true, err
			}
			continue
		}
		a.read(r, statement.Ordered)
		o.Answers = append(o.Answers, a)
	}
	if name != "" {
		err = conn.Deallocate(ctx, name)
	}
	return failed, err
}

func (s *Side) simple(ctx context.Context, list []Statement, o *Observation) error {
	var texts []string
	for _, statement := range list {
		texts = append(texts, statement.SQL)
	}
	sql := strings.Join(texts, ";\n")
	sent, err := s.translate(sql)
	if err != nil {
		return s.fail(o, Answer{SQL: sql}, err)
	}
	results, err := s.Conn.PgConn().Exec(ctx, sent).ReadAll()
	for i, r := range results {
		if r.Err != nil {
			break // err is the same
		}
		a := Answer{SQL: sql}
		a.read(r, i < len(list) && list[i].Ordered)
		o.Answers = append(o.Answers, a)
	}
	if err != nil {
		return s.fail(o, Answer{SQL: sql}, err)
	}
	return nil
}

func (s *Side) batch(ctx context.Context, list []Statement, o *Observation) error {
	var texts []string
	for _, statement := range list {
		sql, err := s.translate(statement.SQL)
		if err != nil {
			return s.fail(o, Answer{SQL: statement.SQL}, err)
		}
		texts = append(texts, sql)
	}
	p := s.Conn.PgConn().StartPipeline(ctx)
	for i, sql := range texts {
		p.SendQueryParams(sql, list[i].Args, nil, nil, nil)
	}
	if err := p.Sync(); err != nil {
		return err
	}
	for _, statement := range list {
		a := Answer{SQL: statement.SQL}
		results, err := p.GetResults()
		if err == nil {
			reader, ok := results.(*pgconn.ResultReader)
			if !ok {
				break // the end, after an error
			}
			r := reader.Read()
			if err = r.Err; err == nil {
				a.read(r, statement.Ordered)
				o.Answers = append(o.Answers, a)
				continue
			}
		}
		if err := s.fail(o, a, err); err != nil {
			return errors.Join(err, p.Close())
		}
		break // the server skips the rest
	}
	err := p.Close()
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return nil // known already
	}
	return err
}
