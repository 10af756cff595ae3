package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Transition is one row of the ledger: columns of a table on their way.
type Transition struct {
	ID              int64
	Name            string
	Schema, Table   string
	Definition      Definition
	Phase           phase.Phase
	Epoch           int
	Token           string // empty when no column moves
	Draining        string // the token of the phase being left; empty once dropped
	RegisteredEpoch int
	Step            string   // the last step that is wholly done
	Underway        string   // the step that is being done or undone; empty between steps
	Made            []string // the columns that it has added
	CreatedAt       time.Time
	Removed         bool
	// Ramp is how many of 100 connections read the targets in phase live.
	Ramp int
}

// Definition is what a transition does. It is written once, when the
// transition is registered, and never changes: a different move is another
// transition.
type Definition struct {
	transform.Move
	// Alteration is what a transition does that moves no column; nil for those
	// that do.
	Alteration *Alteration `json:"alteration,omitempty"`
	// Partitioned: the table has partitions, in which its rows are.
	Partitioned bool `json:"partitioned,omitempty"`
	// Key names the columns of the primary key, or of a unique index that does the
	// work of one, and KeyTypes their types.
	Key      []string `json:"key"`
	KeyTypes []string `json:"key_types"`
	// TargetDefaults are the DEFAULTs that the targets get before contract, one
	// for each; "" where a target gets none.
	TargetDefaults []string `json:"target_defaults,omitempty"`
	// Indexes are the sources' secondary indexes as they were.
	Indexes []Index `json:"indexes,omitempty"`
	// PrimaryKey is set when a source is part of the table's primary key.
	PrimaryKey *PrimaryKey `json:"primary_key,omitempty"`
	// Sequences are those that number the sources.
	Sequences []Sequence `json:"sequences,omitempty"`
	// ForeignKeys are those that lead to the sources, and those of the sources.
	ForeignKeys []ForeignKey `json:"foreign_keys,omitempty"`
	// Dependents are what else hung on the sources. Joins do not read them.
	Dependents []Dependent `json:"dependents,omitempty"`
	// IgnoreApplications are the application names of sessions without the hook
	// that drains do not wait for.
	IgnoreApplications []string `json:"ignore_applications,omitempty"`
	// Sync says how writers without the hook are followed: "trigger", or "" for not
	// at all; SyncMode is the trigger's (synctrigger.Mode).
	Sync     string `json:"sync,omitempty"`
	SyncMode string `json:"sync_mode,omitempty"`
	// File is the transition file's own text, for people.
	File string `json:"file,omitempty"`
}

// In is the move with the columns as they are called in a phase.
func (d Definition) In(p phase.Phase) transform.Move {
	if p == phase.Named {
		return d.Named()
	}
	return d.Move
}

// Index is an index of a source and its counterpart on the targets.
type Index struct {
	Name   string `json:"name"`
	Target string `json:"target"`
	// Create is the statement that builds the counterpart.
	Create string `json:"create"`
	// Restore is the statement that builds the index itself again; only of a
	// unique one, which must not outlive the phases that write the source.
	Restore string `json:"restore,omitempty"`
	// Constraint is set when the index carries a UNIQUE constraint of this name.
	Constraint       string `json:"constraint,omitempty"`
	TargetConstraint string `json:"target_constraint,omitempty"`
}

// Settled tells whether the targets are what they will be for good, so that a
// later transition may move them.
func (t Transition) Settled() bool {
	return t.Phase == phase.Named || t.Phase == phase.Contracted && !t.Definition.KeepName
}

// ErrNotFound: no active transition has that name.
var ErrNotFound = errors.New("no such transition")

// ErrMoved: somebody else moved the transition in the meantime.
var ErrMoved = errors.New("the transition was moved by somebody else")

// FullRamp is the Ramp of a transition of which nobody has set one.
const FullRamp = 100

const transitionColumns = `id, name, table_schema, table_name, definition, phase, epoch, token,
	coalesce(draining, ''), registered_epoch, step, underway, made, created_at, removed_at is not null, ramp`

func scanTransition(row pgx.CollectableRow) (Transition, error) {
	var t Transition
	var definition []byte
	var p string
	err := row.Scan(&t.ID, &t.Name, &t.Schema, &t.Table, &definition, &p, &t.Epoch, &t.Token,
		&t.Draining, &t.RegisteredEpoch, &t.Step, &t.Underway, &t.Made, &t.CreatedAt, &t.Removed, &t.Ramp)
	if err != nil {
		return t, err
	}
	if t.Phase, err = phase.Parse(p); err != nil {
		return t, fmt.Errorf("read transition %q: %w", t.Name, err)
	}
	if err := json.Unmarshal(definition, &t.Definition); err != nil {
		return t, fmt.Errorf("read transition %q: %w", t.Name, err)
	}
	return t, nil
}

// Get reads the active transition of that name; ErrNotFound when there is none.
func Get(ctx context.Context, db Conn, name string) (Transition, error) {
	rows, err := db.Query(ctx, `select `+transitionColumns+` from crossfade.transition
		where name = $1 and removed_at is null`, name)
	if err != nil {
		return Transition{}, fmt.Errorf("read transition %q: %w", name, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanTransition)
	if errors.Is(err, pgx.ErrNoRows) {
		return Transition{}, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	if err != nil {
		return Transition{}, fmt.Errorf("read transition %q: %w", name, err)
	}
	return t, nil
}

// Removing reads the transitions that have been removed and whose last token
// still waits to be dropped.
func Removing(ctx context.Context, db Conn) ([]Transition, error) {
	rows, err := db.Query(ctx, `select `+transitionColumns+` from crossfade.transition
		where removed_at is not null and draining is not null order by id`)
	if err != nil {
		return nil, fmt.Errorf("list removed transitions: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanTransition)
	if err != nil {
		return nil, fmt.Errorf("list removed transitions: %w", err)
	}
	return list, nil
}

// List reads the active transitions in the order of their registration.
func List(ctx context.Context, db Conn) ([]Transition, error) {
	rows, err := db.Query(ctx, `select `+transitionColumns+` from crossfade.transition
		where removed_at is null order by id`)
	if err != nil {
		return nil, fmt.Errorf("list transitions: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanTransition)
	if err != nil {
		return nil, fmt.Errorf("list transitions: %w", err)
	}
	return list, nil
}

// SetStep records, in one transaction with the event, how far the steps have
// come: step is wholly done, underway is being done or undone ("" for none).
// Together they tell what a crash may have left half done.
func SetStep(ctx context.Context, db Conn, t *Transition, step, underway string, e Event) error {
	next := *t
	next.Step, next.Underway = step, underway
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update crossfade.transition set step = $4, underway = $5
			where id = $1 and step = $2 and underway = $3 and removed_at is null`, t.ID, t.Step, t.Underway, step, underway)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrMoved
		}
		return Record(ctx, tx, next, e)
	})
	if err != nil {
		return fmt.Errorf("record %s of %q: %w", e.Event, e.Detail, err)
	}
	*t = next
	return nil
}
