// Package catalog reads from PostgreSQL's catalogs what the rewriter must know
// of a database: the columns of the tables in transition, and which other
// relations bear names that could be confused with theirs.
//
// What it returns describes the logical table, where the moving column stands
// once. So the migrator's own steps (adding the target, dropping the source)
// do not change it, and a difference between two readings is drift that
// somebody else made.
package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Snapshot is what one reading found. Equal snapshots have equal Fingerprints.
type Snapshot struct {
	columns   map[rewrite.Name][]column
	homonyms  []rewrite.Name
	namesakes map[rewrite.Name][]string
	// Fingerprint identifies the content.
	Fingerprint string
}

type column struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Position int    `json:"position"`
}

// relation is one row of the answer: a table in transition with all its
// columns, a homonym, or another relation with its columns of a tracked name.
type relation struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Columns []column `json:"columns"`
}

// readSQL asks once for everything. $1 are the tables in transition as a JSON
// array of {schema, table}, $2 the names of their sources and targets. A row
// with every column for the tables, with the tracked columns for the others. A cast
// to a domain may cut a value that an assignment rejects: it counts as no type.
const readSQL = `
with tracked as (
    select * from jsonb_to_recordset($1::jsonb) as t(schema text, "table" text)
), names as (
    select jsonb_array_elements_text($2::jsonb) as name
), relations as (
    select c.oid, n.nspname, c.relname,
        exists (select from tracked t where t.schema = n.nspname and t."table" = c.relname) as is_tracked,
        c.relname in (select "table" from tracked) as is_homonym
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_toast', 'crossfade')
)
select coalesce(jsonb_agg(jsonb_build_object('schema', nspname, 'name', relname, 'columns', columns)
           order by nspname, relname), '[]'::jsonb)::text
from (
    select r.nspname, r.relname, r.is_tracked, r.is_homonym,
        coalesce(jsonb_agg(jsonb_build_object('name', a.attname,
            'type', case when y.typtype = 'd' then '' else pg_catalog.format_type(a.atttypid, null) end, 'position', a.attnum) order by a.attnum) filter (where a.attname is not null), '[]'::jsonb) as columns
    from relations r
    left join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        and (r.is_tracked or a.attname in (select name from names))
    left join pg_catalog.pg_type y on y.oid = a.atttypid
    group by 1, 2, 3, 4
) found
where is_tracked or is_homonym or columns <> '[]'::jsonb`

// Read asks the server for what the transitions of view need. It sends one
// extended query through conn, and nothing when view has no transitions.
func Read(ctx context.Context, conn *pgconn.PgConn, view fence.View) (Snapshot, error) {
	s := Snapshot{columns: map[rewrite.Name][]column{}, namesakes: map[rewrite.Name][]string{}}
	if len(view.Transitions) == 0 {
		return s, nil
	}
	tables := make([]map[string]string, 0, len(view.Transitions))
	names := make([]string, 0, 2*len(view.Transitions))
	for _, t := range view.Transitions {
		tables = append(tables, map[string]string{"schema": t.Schema, "table": t.Table})
		names = append(append(names, t.Definition.SourceNames()...), t.Definition.TargetNames()...)
	}
	tablesJSON, err := json.Marshal(tables)
	if err != nil {
		return s, fmt.Errorf("read catalog: %w", err)
	}
	namesJSON, err := json.Marshal(names)
	if err != nil {
		return s, fmt.Errorf("read catalog: %w", err)
	}
	result := conn.ExecParams(ctx, readSQL, [][]byte{tablesJSON, namesJSON}, nil, nil, nil).Read()
	if result.Err != nil {
		return s, fmt.Errorf("read catalog: %w", result.Err)
	}
	if len(result.Rows) != 1 {
		return s, fmt.Errorf("read catalog: expected one row, got %d", len(result.Rows))
	}
	s.Fingerprint, err = s.fill(result.Rows[0][0], view.Transitions)
	return s, err
}

// fill sorts the relations into the snapshot and returns its fingerprint: the
// answer without what the migrator itself changes.
func (s *Snapshot) fill(answer []byte, transitions []fence.Member) (string, error) {
	var found []relation
	if err := json.Unmarshal(answer, &found); err != nil {
		return "", fmt.Errorf("read catalog: %w", err)
	}
	tracked := map[rewrite.Name]fence.Member{}
	homonym := map[string]bool{}
	for _, t := range transitions {
		tracked[rewrite.Name{Schema: t.Schema, Name: t.Table}] = t
		homonym[t.Table] = true
	}
	for i, r := range found {
		name := rewrite.Name{Schema: r.Schema, Name: r.Name}
		if homonym[r.Name] {
			s.homonyms = append(s.homonyms, name)
		}
		if t, ok := tracked[name]; ok {
			found[i].Columns = logical(r.Columns, t)
			s.columns[name] = found[i].Columns
			continue
		}
		for _, c := range r.Columns {
			s.namesakes[name] = append(s.namesakes[name], c.Name)
		}
	}
	fingerprint, err := json.Marshal(found)
	if err != nil {
		return "", fmt.Errorf("read catalog: %w", err)
	}
	return string(fingerprint), nil
}

// logical puts the moving column where the source stands, or stood, once.
func logical(columns []column, t fence.Member) []column {
	source, target := t.Definition.Sources[0], t.Definition.Targets[0]
	moving := column{Name: source.Name, Type: source.BaseType, Position: source.Position}
	kept := slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return c.Name == source.Name || c.Name == target.Name
	})
	kept = append(kept, moving)
	slices.SortStableFunc(kept, func(a, b column) int { return a.Position - b.Position })
	return kept
}

// MissingToken stands for the token of a transition whose table did not exist
// when the catalog was read. Nothing bears this name, so what touches the
// column fails before it does anything, also if such a table exists by now: its
// columns are not known.
const MissingToken = "table_is_missing"

// Catalog puts the snapshot and what a connection joined under together, for
// the rewriter.
func (s Snapshot) Catalog(view fence.View, stars rewrite.Stars) rewrite.Catalog {
	c := rewrite.Catalog{
		SearchPath: view.SearchPath,
		Stars:      stars,
		Homonyms:   s.homonyms,
		Namesakes:  s.namesakes,
	}
	for _, t := range view.Transitions {
		name := rewrite.Name{Schema: t.Schema, Name: t.Table}
		transition := rewrite.Transition{
			ID: t.ID, Table: name, Source: t.Definition.Sources[0].Name, Target: t.Definition.Targets[0].Name,
			Default: t.Definition.Sources[0].Default, Constraints: map[string]string{}, Phase: t.Phase, Token: t.Token,
		}
		for _, index := range t.Definition.Indexes {
			if index.Constraint != "" {
				transition.Constraints[index.Constraint] = index.TargetConstraint
			}
		}
		columns, exists := s.columns[name]
		if !exists {
			columns, transition.Token = logical(nil, t), MissingToken
		}
		for _, column := range columns {
			transition.Columns = append(transition.Columns, rewrite.Column{Name: column.Name, Type: column.Type})
		}
		c.Transitions = append(c.Transitions, transition)
	}
	return c
}
