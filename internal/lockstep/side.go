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
