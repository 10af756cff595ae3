package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/internal/scratch"
	"github.com/pgcrossfade/crossfade/migrator"
)

// explainSubject is a transition, and a database to explain statements in.
type explainSubject struct {
	conn      *pgx.Conn
	scratch   *scratch.Database // nil for the user's own database
	explainer *explain.Explainer
	// token is a table that stands for every phase's token in plans, skip why
	// there are no plans.
	token, skip string
}

// openExplained opens the user's database, or a throw-away one, and finds the
// transition in it.
func (a *app) openExplained(ctx context.Context, f explainFlags) (*explainSubject, error) {
	if len(f.schema) > 0 && !isFile(f.transition) {
		return nil, &usageError{cause: errors.New("with --schema no transition is active: name a transition file with --transition"), command: "crossfade explain"}
	}
	e := &explainSubject{explainer: &explain.Explainer{}}
	if err := a.prepare(ctx, e, f); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (a *app) prepare(ctx context.Context, e *explainSubject, f explainFlags) (err error) {
	if len(f.schema) > 0 {
		err = a.openScratch(ctx, e, f.schema)
	} else {
		e.conn, err = a.connect(ctx)
	}
	if err != nil {
		return err
	}
	if f.searchPath != "" {
		if _, err := e.conn.Exec(ctx, `select set_config('search_path', $1, false)`, f.searchPath); err != nil {
			return &usageError{cause: fmt.Errorf("--search-path: %w", err), command: "crossfade explain"}
		}
	}
	if e.explainer.View, err = fence.Join(ctx, e.conn.PgConn()); err != nil {
		return err
	}
	if isFile(f.transition) {
		err = a.addFile(ctx, e, f.transition)
	} else {
		err = e.find(f.transition)
	}
	if err != nil {
		return err
	}
	if e.explainer.Snapshot, err = catalog.Read(ctx, e.conn.PgConn(), e.explainer.View); err != nil {
		return err
	}
	member := e.explainer.Member()
	if e.scratch == nil {
		e.token = member.Token
		e.skip, err = explain.Ready(ctx, e.conn, member)
		return err
	}
	e.token = explain.Token
	return scratch.Expand(ctx, e.conn, ddl.Name{Schema: member.Schema, Table: member.Table}, member.Definition, e.token)
}

// openScratch starts a throw-away database with a schema.
func (a *app) openScratch(ctx context.Context, e *explainSubject, paths []string) error {
	files, err := readSQL(paths, leadsUp)
	if err != nil {
		return err
	}
	log := a.stderr
	if a.quiet || a.output == outputJSON {
		log = io.Discard
	}
	if e.scratch, err = scratch.Open(ctx, log); err != nil {
		return err
	}
	notes, err := e.scratch.Load(ctx, files)
	for _, note := range notes {
		a.note(note)
	}
	var failed *scratch.LoadError
	if errors.As(err, &failed) {
		return &usageError{cause: err}
	}
	if err != nil {
		return err
	}
	e.conn, err = e.scratch.Connect(ctx)
	return err
}

func (e *explainSubject) close() {
	if e.conn != nil {
		_ = e.conn.Close(context.Background())
	}
	if e.scratch != nil {
		_ = e.scratch.Close() // what is left behind its watchdog removes
	}
}

// find makes an active transition the subject.
func (e *explainSubject) find(name string) error {
	active := e.explainer.View.Transitions
	if name == "" {
		if n := len(active); n != 1 {
			return &usageError{cause: fmt.Errorf("there are %s here: name one, or a file, with --transition", console.Plural(n, "active transition"))}
		}
		return nil
	}
	for i, t := range active {
		if t.Name == name {
			e.explainer.Subject = i
			return nil
		}
	}
	return fmt.Errorf("%w: %q", migrator.ErrNotFound, name)
}

// plans compares the plans of statements that come to read the target.
func (e *explainSubject) plans(ctx context.Context, list []explain.Explanation, costFactor float64) error {
	if e.skip != "" {
		return e.explainer.Skip(list, e.skip)
	}
	return e.explainer.Compare(ctx, e.conn, e.token, list, queryplan.Options{CostFactor: costFactor})
}
