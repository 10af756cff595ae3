package lockstep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Side is one database, reached by one connection.
type Side struct {
	Name     string
	Spelling Spelling
	Conn     *pgx.Conn
	// Translate gives the text to send in place of another. Nil: the text goes
	// out as it is, to a hook perhaps.
	Translate func(sql string) (string, error)
	// Explain tells what a text is rewritten to.
	Explain func(sql string) string
	// Refusal tells whether an error is a refusal by the hook, and of what kind.
	// Nil: there is no hook.
	Refusal func(error) (message string, ok bool)
}

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

// Observation is everything that can be seen of a step.
type Observation struct {
	Answers []Answer
	// Contents are the tables as an application sees them afterwards, Faulty the
	// rows whose sides do not agree.
	Contents, Faulty string
	// Sequences is how far the sequences have gone. After an error it is empty:
	// how much is evaluated before one is nobody's business.
	Sequences string
}

// Answer is what one execution of a statement gives.
type Answer struct {
	SQL       string
	ParamOIDs []uint32
	Columns   []string
	Rows      []string
	Tag       string
	// Code is the SQLSTATE of an error, Message what it says, Position where.
	Code, Message string
	Position      int32
	// Refused is the message of a refusal by the hook.
	Refused string
}

func (a Answer) failed() bool { return a.Code != "" || a.Refused != "" }

// Restore puts everything back as it was when the database was made.
func (s *Side) Restore(ctx context.Context) error {
	return s.exec(ctx, "select lockstep.restore()")
}

// Run runs a step, of which there have been n.
func (s *Side) Run(ctx context.Context, step Step, n int) (o Observation, err error) {
	begin := ""
	if step.Manner == Transaction || step.Manner == Undone {
		begin = "begin; "
	}
	if err := s.exec(ctx, fmt.Sprintf("%sselect lockstep.step(%d)", begin, n)); err != nil {
		return o, err
	}
	var list []Statement
	for _, node := range step.Statements {
		list = append(list, node.Spell(s.Spelling))
	}
	switch step.Manner {
	case Alone, Transaction, Prepared:
		err = s.oneByOne(ctx, step.Manner, list, &o)
	case Undone:
		return o, s.undone(ctx, list, &o)
	case Simple:
		err = s.simple(ctx, list, &o)
	case Batch:
		err = s.batch(ctx, list, &o)
	default:
		return o, fmt.Errorf("no manner %q", step.Manner)
	}
	if err != nil {
		return o, err
	}
	return o, s.look(ctx, &o)
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

func (s *Side) translate(sql string) (string, error) {
	if s.Translate == nil {
		return sql, nil
	}
	return s.Translate(sql)
}

// fail takes note of an error of the server; it returns any other.
func (s *Side) fail(o *Observation, a Answer, err error) error {
	if s.Refusal != nil {
		if message, ok := s.Refusal(err); ok {
			a.Refused = message
			o.Answers = append(o.Answers, a)
			return nil
		}
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	a.Code, a.Message, a.Position = pgErr.Code, pgErr.Message, pgErr.Position
	o.Answers = append(o.Answers, a)
	return nil
}

// look reads what is left behind, and then does what else it is told.
func (s *Side) look(ctx context.Context, o *Observation, then ...string) error {
	sql := strings.Join(append([]string{"select contents, sequences, faulty from lockstep.look()"}, then...), "; ")
	results, err := s.Conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	o.Contents, o.Sequences, o.Faulty = string(row[0]), string(row[1]), string(row[2])
	if slices.ContainsFunc(o.Answers, Answer.failed) {
		o.Sequences = ""
	}
	return nil
}

func (a *Answer) read(r *pgconn.Result, ordered bool) {
	for _, f := range r.FieldDescriptions {
		a.Columns = append(a.Columns, fmt.Sprintf("%s %d %d", f.Name, f.DataTypeOID, f.TypeModifier))
	}
	for _, row := range r.Rows {
		var values []string
		for _, v := range row {
			if v == nil {
				values = append(values, "null")
				continue
			}
			values = append(values, fmt.Sprintf("%q", v))
		}
		a.Rows = append(a.Rows, strings.Join(values, " "))
	}
	if !ordered {
		slices.Sort(a.Rows)
	}
	a.Tag = r.CommandTag.String()
}
