package preflight

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/dependents"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// dependent is an object that pg_depend ties to a source.
type dependent struct {
	Class       string // the catalog it is in
	OID         uint32
	Sub         int32
	Description string
}

func readDependents(ctx context.Context, in *inspection) error {
	var err error
	in.dependents, err = query[dependent](ctx, in, `
		select distinct d.classid::regclass::text, d.objid, d.objsubid, pg_describe_object(d.classid, d.objid, d.objsubid)
		from pg_depend d
		where d.refclassid = 'pg_class'::regclass and d.refobjid = $1 and d.refobjsubid = any($2)
		order by 1, 4`, in.table.OID, in.numbers())
	if err != nil {
		return fmt.Errorf("read dependents: %w", err)
	}
	return nil
}

// of lists the dependents that are in a catalog.
func (in *inspection) of(class string) []uint32 {
	ids := []uint32{} // not nil: it travels as an empty array
	for _, d := range in.dependents {
		if d.Class == class {
			ids = append(ids, d.OID)
		}
	}
	return ids
}

// looked are the catalogs whose dependents have a check of their own.
var looked = []string{
	"pg_attrdef", "pg_class", "pg_constraint", "pg_policy", "pg_proc", "pg_publication_rel", "pg_rewrite",
	"pg_statistic_ext", "pg_trigger",
}

// checkOther refuses what this package does not know: a later PostgreSQL may
// have new kinds of objects, and dropping the source would fail.
func checkOther(_ context.Context, in *inspection) error {
	for _, d := range in.dependents {
		if !slices.Contains(looked, d.Class) {
			in.refuse("depends", d.Description, "it depends on the source", "drop it, or make it depend on something else")
		}
	}
	return nil
}

// checkDependents writes down what else hangs on the sources, and what becomes of
// it.
func checkDependents(ctx context.Context, in *inspection) error {
	d := &in.report.Definition
	if len(d.Sources) == 0 {
		return nil // an expression has been refused
	}
	planner := dependents.Planner{
		Table: ddl.Name{Schema: in.Schema, Table: in.Table}, Move: d.Move, Indexes: d.Indexes, Stored: in.stored,
		FreeName: func(ctx context.Context, schema, name string) (string, error) {
			return in.freeNameIn(ctx, schema, counterpartName(name, in.Move.SourceNames(), in.Move.TargetNames()))
		},
	}
	planned, err := planner.Plan(ctx, in.tx)
	if err != nil {
		return err
	}
	shared, err := in.shared(ctx)
	if err != nil {
		return err
	}
	for _, p := range planned {
		if other, found := dependents.Find(shared, p.Dependent); found && len(p.Changes) > 0 {
			in.refuse("dependent-shared", p.String(), "it also hangs on columns that another transition is moving at this time: "+other.Definition,
				"contract that transition first, or drop it for the time of both")
			continue
		}
		if p.Refusal != nil {
			in.refuse(p.Refusal.Code, p.String(), p.Refusal.Message, p.Refusal.Hint)
		}
		d.Dependents = append(d.Dependents, p.Dependent)
		if len(p.Changes) > 0 {
			in.info("carried", p.String(), p.Fate(), "")
		}
		if len(p.Changes) > 0 && p.Kind == dependents.View && !d.Identity() {
			in.warn("view-keeps-type", p.String(), "its columns keep their types: reading it fails as soon as a row has a value that the source could not hold",
				"once contract is over, make the view anew with the target's type, before the first such value is written")
		}
	}
	return nil
}

// stored rewrites for the targets of a move what PostgreSQL keeps over its sources.
func (in *inspection) stored(ctx context.Context, m transform.Move) (*rewrite.Stored, error) {
	d := in.report.Definition
	d.Move = m
	view := fence.View{Transitions: []fence.Member{{Name: in.Name, Schema: in.Schema, Table: in.Table, Phase: phase.Complete, Definition: d}}}
	snapshot, err := catalog.Read(ctx, in.tx.Conn().PgConn(), view)
	if err != nil {
		return nil, err
	}
	return rewrite.NewStored(snapshot.Catalog(view, rewrite.StarsSource))
}

// shared lists what hangs on columns of other transitions of the table.
func (in *inspection) shared(ctx context.Context) ([]ledger.Dependent, error) {
	var names []string
	for _, other := range in.others {
		names = append(append(names, other.Definition.SourceNames()...), other.Definition.TargetNames()...)
	}
	if len(names) == 0 {
		return nil, nil
	}
	return dependents.List(ctx, in.tx, dependents.Columns{Table: ddl.Name{Schema: in.Schema, Table: in.Table}, Names: names})
}
