package dependents

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// statistics is an extended statistics object. PostgreSQL drops it with any of
// its columns. Its name is that of its own schema.
type statistics struct {
	Schema, Name, Definition string
	Kinds                    []string
	Columns, Expressions     []string
	Target, Comment          string
	MayCreate                bool
	TakesExpressions         bool // since PostgreSQL 14
}

func listStatistics(ctx context.Context, db Querier, c Columns) ([]object, error) {
	expressions := "'{}'::text[]"
	if since14, err := since(ctx, db, 140000); err != nil {
		return nil, err
	} else if since14 {
		expressions = "coalesce(pg_get_statisticsobjdef_expressions(s.oid), '{}')"
	}
	found, err := query[statistics](ctx, db, c, `
		select n.nspname, s.stxname, pg_get_statisticsobjdef(s.oid), s.stxkind::text[],
			array(select a.attname::text from unnest(s.stxkeys::int2[]) with ordinality as k (num, place)
				join pg_attribute a on a.attrelid = s.stxrelid and a.attnum = k.num order by k.place), `+expressions+`,
			coalesce(nullif(to_jsonb(s) ->> 'stxstattarget', '-1'), ''), coalesce(obj_description(s.oid, 'pg_statistic_ext'), ''),
			has_schema_privilege(n.oid, 'create'), current_setting('server_version_num')::int >= 140000
		from pg_statistic_ext s
		join pg_namespace n on n.oid = s.stxnamespace
		where exists (select from dep where dep.classid = 'pg_statistic_ext'::regclass and dep.objid = s.oid)
		order by 1, 2`)
	var objects []object
	for _, s := range found {
		objects = append(objects, object{
			ledger.Dependent{Kind: Statistics, Schema: s.Schema, Relation: s.Name, Definition: s.Definition}, s.plan,
		})
	}
	return objects, err
}

// kindsOfStatistics are those that CREATE STATISTICS names; that of expressions
// comes with them.
var kindsOfStatistics = map[string]string{"d": "ndistinct", "f": "dependencies", "m": "mcv"}

func (s statistics) plan(ctx context.Context, p *Planner, d *ledger.Dependent) error {
	const hint = "create its twin on the target once the backfill is done, and accept statistics-depend"
	if !s.MayCreate {
		return &Refusal{Code: "statistics-depend", Message: "it is about the source, and the role of the migrator may not create in its schema", Hint: hint}
	}
	var on []string
	for _, column := range s.Columns {
		name := pgx.Identifier{column}.Sanitize()
		if !contains(p.Move.Sources, column) {
			on = append(on, name)
			continue
		}
		if target, ok := p.pair(); ok && (p.Move.Identity() || p.Move.Preserves != transform.PreserveNothing) {
			on = append(on, pgx.Identifier{target.Name}.Sanitize())
			continue
		}
		s.Expressions = append(s.Expressions, name)
	}
	if len(s.Expressions) > 0 && !s.TakesExpressions {
		return &Refusal{Code: "statistics-depend", Message: "it is about the source, and this server has no statistics of what comes back from the target", Hint: hint}
	}
	for _, expression := range s.Expressions {
		value, err := p.rewritten(ctx, "statistics-depend", func(s *rewrite.Stored) (string, error) {
			return s.Value(p.Table.String(), expression)
		})
		if err != nil {
			return err
		}
		on = append(on, "("+value+")")
	}
	var kinds []string
	for _, kind := range s.Kinds {
		if name := kindsOfStatistics[kind]; name != "" && len(on) > 1 {
			kinds = append(kinds, name)
		}
	}
	var err error
	if d.Counterpart, err = p.FreeName(ctx, s.Schema, s.Name); err != nil {
		return err
	}
	twin := ddl.Name{Schema: s.Schema, Table: d.Counterpart}
	do := []ddl.Statement{ddl.CreateStatistics(p.Table, twin, kinds, on)}
	if s.Target != "" {
		do = append(do, ddl.SetStatisticsTarget(p.Table, twin, s.Target))
	}
	if s.Comment != "" {
		do = append(do, ddl.CommentOnStatistics(p.Table, twin, s.Comment))
	}
	d.Changes = map[string]ledger.Change{StepIndex: change(do, []ddl.Statement{ddl.DropStatistics(p.Table, twin)})}
	return nil
}

func contains(columns []transform.Column, name string) bool {
	for _, c := range columns {
		if c.Name == name {
			return true
		}
	}
	return false
}

// since tells whether the server is of that version or later.
func since(ctx context.Context, db Querier, version int) (bool, error) {
	rows, err := db.Query(ctx, `select current_setting('server_version_num')::int >= $1`, version)
	if err != nil {
		return false, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
}

// lines is a definition of several lines.
func lines(parts []string) string { return strings.Join(parts, "\n") }
