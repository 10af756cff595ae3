package dependents

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// settings are what ALTER COLUMN, COMMENT and GRANT have said of a column beyond
// its type, NOT NULL and DEFAULT. The target gets them when it is added: who may
// use one column only must be able to use the other as soon as writes name both.
type settings struct {
	Column, Comment, Storage, Compression string
	Statistics                            int
	Options, Labels                       []string
	Privileges                            []string // each as privilege, role, grantable
}

// uneven: not everybody who may use one of the columns may use all.
func uneven(columns []settings) bool {
	for _, s := range columns[1:] {
		if !slices.Equal(s.Privileges, columns[0].Privileges) {
			return true
		}
	}
	return false
}

func listSettings(ctx context.Context, db Querier, c Columns) ([]object, error) {
	compression := "''"
	if since14, err := since(ctx, db, 140000); err != nil {
		return nil, err
	} else if since14 {
		compression = "a.attcompression::text"
	}
	found, err := query[settings](ctx, db, c, `
		select a.attname, coalesce(col_description(a.attrelid, a.attnum), ''),
			case when a.attstorage <> t.typstorage then
				case a.attstorage::text when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end else '' end,
			case `+compression+` when 'p' then 'pglz' when 'l' then 'lz4' else '' end,
			coalesce(a.attstattarget, -1)::int, coalesce(a.attoptions, '{}'),
			array(select s.provider || ': ' || s.label from pg_seclabels s
				where s.classoid = 'pg_class'::regclass and s.objoid = a.attrelid and s.objsubid = a.attnum order by 1),
			array(select unnest(array[g.privilege, g.role, g.grantable::text]) from (
				select x.privilege_type as privilege, coalesce(r.rolname::text, '') as role, bool_or(x.is_grantable) as grantable
				from aclexplode(a.attacl) x left join pg_roles r on r.oid = x.grantee
				group by 1, 2 order by 1, 2) g)
		from col
		join pg_attribute a on a.attrelid = col.attrelid and a.attnum = col.attnum
		join pg_type t on t.oid = a.atttypid
		order by a.attnum`)
	var objects []object
	for _, s := range found {
		if definition := lines(append(s.plain(), s.grants()...)); definition != "" {
			plan := s.plan
			if uneven(found) {
				plan = s.refuseUneven
			}
			objects = append(objects, object{c.on(Settings, s.Column, definition), plan})
		}
	}
	return objects, err
}

// plain lists the settings but for privileges.
func (s settings) plain() []string {
	var list []string
	add := func(what, value string) {
		if value != "" {
			list = append(list, what+" "+value)
		}
	}
	add("comment", s.Comment)
	add("storage", s.Storage)
	add("compression", s.Compression)
	if s.Statistics >= 0 {
		add("statistics", fmt.Sprint(s.Statistics))
	}
	for _, option := range s.Options {
		add("option", option)
	}
	for _, label := range s.Labels {
		add("security label", label)
	}
	return list
}

func (s settings) grants() []string {
	var list []string
	for grant := range slices.Chunk(s.Privileges, 3) {
		list = append(list, fmt.Sprintf("grant %s to %q (grantable: %s)", grant[0], grant[1], grant[2]))
	}
	return list
}

func (s settings) refuseUneven(context.Context, *Planner, *ledger.Dependent) error {
	return &Refusal{Code: "column-privileges", Message: "privileges are granted on it that are not on the other sources, and the target shows all of them",
		Hint: "grant the same on each of the sources, or on the table, or revoke them for the time of the transition"}
}

func (s settings) plan(_ context.Context, p *Planner, d *ledger.Dependent) error {
	if len(s.Labels) > 0 {
		return &Refusal{Code: "security-label", Message: "it has a security label, and the target would have none: " + s.Labels[0],
			Hint: "take the label away for the time of the transition (security label on column ... is null)"}
	}
	var do []ddl.Statement
	for _, target := range p.Move.Targets {
		for grant := range slices.Chunk(s.Privileges, 3) {
			do = append(do, ddl.GrantColumn(p.Table, target.Name, grant[0], grant[1], grant[2] == "true"))
		}
	}
	if target, ok := p.pair(); ok {
		d.Counterpart = target.Name
		do = append(do, s.statements(p, target.Name)...)
	}
	if len(do) > 0 {
		d.Changes = map[string]ledger.Change{StepExpand: change(do, nil)}
	}
	return nil
}

// statements give a column the settings but for privileges. Storage and
// compression are the business of the type.
func (s settings) statements(p *Planner, column string) []ddl.Statement {
	var list []ddl.Statement
	if s.Storage != "" && p.Move.Identity() {
		list = append(list, ddl.SetStorage(p.Table, column, s.Storage))
	}
	if s.Compression != "" && p.Move.Identity() {
		list = append(list, ddl.SetCompression(p.Table, column, s.Compression))
	}
	if s.Statistics >= 0 {
		list = append(list, ddl.SetStatistics(p.Table, column, s.Statistics))
	}
	if len(s.Options) > 0 {
		list = append(list, ddl.SetColumnOptions(p.Table, column, s.Options))
	}
	if s.Comment != "" {
		list = append(list, ddl.CommentOnColumn(p.Table, column, s.Comment))
	}
	return list
}
