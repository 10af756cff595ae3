package dependents

import (
	"context"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// view is a view whose own query reads a source. One above it reads its columns,
// which keep their names and types, so nothing need be done about that.
type view struct {
	Schema, Name, Query string
	Options             []string
	Updatable, Owned    bool
	MayCreate, Packaged bool
}

func listViews(ctx context.Context, db Querier, c Columns) ([]object, error) {
	views, err := query[view](ctx, db, c, `
		select n.nspname, v.relname, pg_get_viewdef(v.oid), coalesce(v.reloptions, '{}'),
			pg_relation_is_updatable(v.oid, false) & 4 <> 0, pg_has_role(v.relowner, 'usage'), has_schema_privilege(n.oid, 'create'),
			exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = v.oid and e.deptype = 'e')
		from pg_rewrite r
		join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
		join pg_namespace n on n.oid = v.relnamespace
		where r.rulename = '_RETURN' and exists (select from dep where dep.classid = 'pg_rewrite'::regclass and dep.objid = r.oid)
		order by 1, 2`)
	var objects []object
	for _, v := range views {
		objects = append(objects, object{
			ledger.Dependent{Kind: View, Schema: v.Schema, Relation: v.Name, Definition: v.text()}, v.plan,
		})
	}
	return objects, err
}

// text is the view's query and options, without the semicolon that PostgreSQL
// prints.
func (v view) text() string {
	text := strings.TrimSuffix(v.Query, ";")
	if len(v.Options) > 0 {
		text = "with (" + strings.Join(v.Options, ", ") + ")" + text
	}
	return text
}

func (v view) plan(ctx context.Context, p *Planner, d *ledger.Dependent) error {
	switch {
	case v.Packaged:
		return &Refusal{Code: "view-depends", Message: "it reads the source, and belongs to an extension", Hint: "drop the extension, or make it do without the column"}
	case !v.Owned || !v.MayCreate:
		return &Refusal{Code: "view-depends", Message: "it reads the source, and the role of the migrator may not replace it",
			Hint: "make the migrator a member of its owner's role, with create on its schema"}
	}
	query := strings.TrimSuffix(v.Query, ";")
	over, err := p.rewritten(ctx, "view-depends", func(s *rewrite.Stored) (string, error) { return s.Query(query) })
	if err != nil {
		return err
	}
	name := ddl.Name{Schema: v.Schema, Table: v.Name}
	d.Changes = map[string]ledger.Change{StepRelease: change(
		[]ddl.Statement{ddl.ReplaceView(name, v.Options, over)},
		[]ddl.Statement{ddl.ReplaceView(name, v.Options, query)})}
	if v.Updatable && !p.Move.Identity() {
		return &Refusal{Code: "view-becomes-read-only", Message: "writes go through it, and a column that it gives back from the target cannot be written",
			Hint: "write to the table itself; if nobody writes that column by way of the view, accept view-becomes-read-only"}
	}
	return nil
}
