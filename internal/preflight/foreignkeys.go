package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// foreignKey is what pg_constraint says of a foreign key that a source has to do
// with.
type foreignKey struct {
	Name, Schema, Table, ToSchema, ToTable string
	Columns, References                    []string
	Types, ToTypes                         []string
	Match, OnUpdate, OnDelete              string
	Deferrable, Deferred, Validated        bool
	Enforced, Temporal                     bool
	// From: a source is among Columns. To: a source is among References.
	From, To bool
	// Partitioned, ToPartitioned and Partition are what its table and the other
	// one are.
	Partitioned, ToPartitioned, Partition bool
	Leaves                                int // of its table

	Owned bool
	// References: the owner of the table may reference the other one.
	MayReference bool
	Definition   string
}

// checkForeignKeys writes down the foreign keys that lead to the sources, and
// those of the sources, with their counterparts.
func checkForeignKeys(ctx context.Context, in *inspection) error {
	keys, err := query[foreignKey](ctx, in, `
		select k.conname, n.nspname, c.relname, tn.nspname, tc.relname, own.names, refs.names, own.types, refs.types,
			k.confmatchtype::text, k.confupdtype::text, k.confdeltype::text, k.condeferrable, k.condeferred, k.convalidated,
			coalesce((to_jsonb(k) ->> 'conenforced')::bool, true), coalesce((to_jsonb(k) ->> 'conperiod')::bool, false),
			k.conrelid = $1 and $2::int2[] && k.conkey, k.confrelid = $1 and $2::int2[] && k.confkey,
			c.relkind = 'p', tc.relkind = 'p', c.relispartition and k.conrelid <> $1,
			(select count(*) from pg_partition_tree(c.oid) where isleaf),
			pg_has_role(c.relowner, 'usage'), pg_has_role(tc.relowner, 'usage') or has_table_privilege(tc.oid, 'references'),
			pg_get_constraintdef(k.oid)
		from pg_constraint k
		join pg_class c on c.oid = k.conrelid
		join pg_namespace n on n.oid = c.relnamespace
		join pg_class tc on tc.oid = k.confrelid
		join pg_namespace tn on tn.oid = tc.relnamespace
		cross join lateral (select array_agg(a.attname::text order by p.place) as names, array_agg(format_type(a.atttypid, a.atttypmod) order by p.place) as types
			from unnest(k.conkey) with ordinality as p (attnum, place) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.attnum) own
		cross join lateral (select array_agg(a.attname::text order by p.place) as names, array_agg(format_type(a.atttypid, a.atttypmod) order by p.place) as types
			from unnest(k.confkey) with ordinality as p (attnum, place) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = p.attnum) refs
		where k.contype = 'f' and k.conparentid = 0
			and (k.conrelid = $1 and $2::int2[] && k.conkey or k.confrelid = $1 and $2::int2[] && k.confkey)
		order by 2, 3, 1`, in.table.OID, in.numbers())
	if err != nil {
		return fmt.Errorf("read foreign keys: %w", err)
	}
	if len(in.report.Definition.Sources) == 0 {
		return nil // an expression has been refused
	}
	for _, k := range keys {
		refused := len(in.report.Findings)
		in.checkForeignKey(k)
		if len(in.report.Findings) > refused {
			continue
		}
		moved := in.movedForeignKey(k)
		if err := in.tryMovedForeignKey(ctx, k, moved); err != nil {
			return err
		}
		in.report.Definition.ForeignKeys = append(in.report.Definition.ForeignKeys, moved)
	}
	return nil
}

func (k foreignKey) object() string {
	return "constraint " + k.Name + " on table " + k.Schema + "." + k.Table
}

// dropIt is what to do about a foreign key that cannot move.
const dropIt = "drop it for the time of the transition, and add it over the target (not valid, then validate) after contract"

// checkForeignKey refuses those that have no counterpart.
func (in *inspection) checkForeignKey(k foreignKey) {
	object := k.object()
	switch {
	case len(in.report.Definition.Sources) > 1 || len(in.report.Definition.Targets) > 1:
		in.refuse("foreign-key-depends", object, "a split or merge cannot move it: "+k.Definition, dropIt)
	case !in.sameValues():
		in.refuse("foreign-key-depends", object, "both of its sides hold equal values, and forward may change them: "+k.Definition, dropIt)
	case k.From && k.To:
		in.refuse("foreign-key-depends", object, "the source references itself: "+k.Definition, dropIt)
	case !k.Enforced || k.Temporal:
		in.refuse("foreign-key-depends", object, "foreign keys with PERIOD, or NOT ENFORCED, do not move: "+k.Definition, dropIt)
	case k.Partitioned && k.ToPartitioned:
		in.refuse("foreign-key-partitioned", object, "both of its tables are partitioned, so its counterpart could not be added without a scan under lock: "+
			k.Definition, dropIt)
	case k.Partitioned && !k.Validated:
		in.refuse("foreign-key-partitioned", object, "its table is partitioned, and it does not hold for every row: "+k.Definition,
			"run alter table ... validate constraint, or "+dropIt)
	case k.Partition:
		in.refuse("foreign-key-partitioned", object, "it belongs to a partition alone: "+k.Definition, "make it part of the whole table, or "+dropIt)
	case k.From && (strings.Contains("nd", k.OnDelete) || strings.Contains("cnd", k.OnUpdate)):
		in.refuse("foreign-key-action", object, "PostgreSQL itself writes the source when the row that it references is changed or deleted, "+
			"and would not write the target: "+k.Definition,
			"replace it by one with ON DELETE NO ACTION or CASCADE and ON UPDATE NO ACTION for the time of the transition")
	case !k.Owned:
		in.refuse("foreign-key-not-owner", object, "its table belongs to a role of which "+in.table.User+" is not a member: "+k.Definition,
			"run crossfade as a member of that role, or "+dropIt)
	case !k.MayReference:
		in.refuse("foreign-key-not-owner", object, "role "+in.table.User+" may not reference "+k.ToSchema+"."+k.ToTable,
			"grant references on that table to it")
	}
	if k.Partitioned {
		in.checkHold(object, k.Leaves)
	}
	for _, t := range in.active {
		columns := append(t.Definition.SourceNames(), t.Definition.TargetNames()...)
		among := func(names []string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(columns, name) })
		}
		if t.Schema == k.Schema && t.Table == k.Table && among(k.Columns) ||
			t.Schema == k.ToSchema && t.Table == k.ToTable && among(k.References) {
			in.refuse("foreign-key-in-transition", object, fmt.Sprintf("transition %q is moving its other side at this time", t.Name),
				"contract that transition first")
		}
	}
}

// movedForeignKey is the key with its counterpart.
func (in *inspection) movedForeignKey(k foreignKey) ledger.ForeignKey {
	m := in.report.Definition.Move
	moved := ledger.ForeignKey{
		Schema: k.Schema, Table: k.Table, Name: k.Name, Partitioned: k.Partitioned, Columns: k.Columns, References: k.References,
		ToSchema: k.ToSchema, ToTable: k.ToTable, Options: k.options(), Validated: k.Validated,
		TargetColumns: slices.Clone(k.Columns), TargetReferences: slices.Clone(k.References),
	}
	replace(k.From, moved.TargetColumns, m.Sources[0].Name, m.Targets[0].Name)
	replace(k.To, moved.TargetReferences, m.Sources[0].Name, m.Targets[0].Name)
	return moved
}

func replace(where bool, names []string, name, by string) {
	if i := slices.Index(names, name); where && i >= 0 {
		names[i] = by
	}
}

// options are the clauses of the key that are not PostgreSQL's default.
func (k foreignKey) options() string {
	actions := map[string]string{"r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
	var list []string
	add := func(when bool, text string) {
		if when {
			list = append(list, text)
		}
	}
	add(k.Match == "f", "match full")
	add(actions[k.OnUpdate] != "", "on update "+actions[k.OnUpdate])
	// Of some columns only, since PostgreSQL 15.
	_, columns, some := strings.Cut(k.Definition, "ON DELETE SET "+map[string]string{"n": "NULL", "d": "DEFAULT"}[k.OnDelete]+" (")
	columns, _, _ = strings.Cut(columns, ")")
	if some {
		columns = " (" + columns + ")"
	}
	add(actions[k.OnDelete] != "", "on delete "+actions[k.OnDelete]+columns)
	add(k.Deferrable, "deferrable")
	add(k.Deferred, "initially deferred")
	return strings.Join(list, " ")
}

// tryMovedForeignKey lets PostgreSQL say whether values of both types can be compared.
func (in *inspection) tryMovedForeignKey(ctx context.Context, k foreignKey, moved ledger.ForeignKey) error {
	d := in.report.Definition
	if d.Kind == transform.Rename {
		return nil // they were
	}
	types, toTypes := slices.Clone(k.Types), slices.Clone(k.ToTypes)
	for i := range types {
		if moved.TargetColumns[i] != k.Columns[i] {
			types[i] = d.Targets[0].Type
		}
		if moved.TargetReferences[i] != k.References[i] {
			toTypes[i] = d.Targets[0].Type
		}
	}
	columns := func(types []string) (declared, names string) {
		for i, typ := range types {
			if i > 0 {
				declared, names = declared+", ", names+", "
			}
			name := fmt.Sprintf("c%d", i)
			declared, names = declared+name+" "+typ, names+name
		}
		return declared, names
	}
	own, names := columns(types)
	other, _ := columns(toTypes)
	for _, sql := range []string{
		"create temporary table crossfade_referenced (" + other + ", unique (" + names + "))",
		"create temporary table crossfade_referencing (" + own + ", foreign key (" + names + ") references pg_temp.crossfade_referenced (" + names + "))",
	} {
		refused, err := in.try(ctx, sql)
		if err != nil {
			return err
		}
		if refused != nil {
			in.refuse("foreign-key-depends", k.object(), "its two sides could not be compared any more: "+refused.Message, dropIt)
			break
		}
	}
	for _, table := range []string{"crossfade_referencing", "crossfade_referenced"} {
		if _, err := in.tx.Exec(ctx, "drop table if exists pg_temp."+table); err != nil {
			return err
		}
	}
	return nil
}
