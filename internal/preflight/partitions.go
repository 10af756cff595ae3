package preflight

import (
	"context"
	"fmt"
)

// member is a table of the partition tree; a plain table is the only one of its
// own.
type member struct {
	OID       uint32
	Name      string // quoted and qualified
	Bare      string
	Kind      string
	Detaching bool
	Owner     string
	Owned     bool
	Schema    string
	MayCreate bool
	HidesRows bool
}

// readMembers finds the partitions of the table, at all levels.
func readMembers(ctx context.Context, in *inspection) error {
	members, err := query[member](ctx, in, `
		with recursive tree (oid, detaching) as (
			select $1::oid, false
			union all
			select i.inhrelid, coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false)
			from tree t join pg_class p on p.oid = t.oid and p.relkind = 'p' join pg_inherits i on i.inhparent = t.oid
		)
		select c.oid, c.oid::regclass::text, c.relname, c.relkind::text, t.detaching, pg_get_userbyid(c.relowner),
			pg_has_role(c.relowner, 'usage'), quote_ident(n.nspname), has_schema_privilege(n.oid, 'create'), row_security_active(c.oid)
		from tree t join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace
		order by c.oid <> $1, 2`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read partitions: %w", err)
	}
	in.members = members
	in.report.Definition.Partitioned = in.table.Kind == "p"
	for _, m := range in.partitions() {
		object := "table " + m.Name
		switch {
		case m.Kind == "f":
			in.refuse("partition-foreign", object, "this partition is a foreign table: its rows are on another server",
				"detach it for the time of the transition")
		case m.Detaching:
			in.refuse("partition-detaching", object, "detaching this partition has begun and not ended: it would not get the target",
				"run alter table ... detach partition ... finalize")
		case !m.Owned:
			in.refuse("not-owner", object, fmt.Sprintf("this partition belongs to %s, and %s is not a member of that role", m.Owner, in.table.User),
				"run crossfade as the owner of all partitions, or as a member of their roles")
		case m.HidesRows:
			in.refuse("row-security", object, fmt.Sprintf("row security of this partition hides rows from %s: the backfill would miss them", in.table.User),
				"run crossfade as a role with BYPASSRLS, or as the owner of the partition without FORCE ROW LEVEL SECURITY")
		}
	}
	return nil
}

// partitions are the members but for the table itself.
func (in *inspection) partitions() []member { return in.members[1:] }

// tree are the members' OIDs.
func (in *inspection) tree() []uint32 {
	ids := make([]uint32, len(in.members))
	for i, m := range in.members {
		ids[i] = m.OID
	}
	return ids
}

// checkPartitions looks at what a partition has of its own. What it has from its
// parent moves with the parent's.
func checkPartitions(ctx context.Context, in *inspection) error {
	if !in.report.Definition.Partitioned {
		return nil
	}
	for _, check := range []func(context.Context, *inspection) error{
		checkPartitionKeys, checkPartitionColumns, checkPartitionDependents, checkPartitionRows,
	} {
		if err := check(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// checkPartitionKeys: the value of a partition key decides where a row is. Were it
// moved, each row would move.
func checkPartitionKeys(ctx context.Context, in *inspection) error {
	for _, source := range in.Move.SourceNames() {
		err := in.checkPartitionKey(ctx, source, "copy the rows into a table that is partitioned by the new column; a column alone cannot move there")
		if err != nil {
			return err
		}
	}
	return nil
}

// checkPartitionKey refuses a column that any table of the tree is partitioned by.
func (in *inspection) checkPartitionKey(ctx context.Context, column, hint string) error {
	// PostgreSQL ties the columns of a key, and of expressions in it, to the table.
	keys, err := query[struct{ Table, Column, Key string }](ctx, in, `
		select p.partrelid::regclass::text, a.attname, pg_get_partkeydef(p.partrelid)
		from pg_partitioned_table p
		join pg_attribute a on a.attrelid = p.partrelid and a.attname = $2 and not a.attisdropped
		where p.partrelid = any($1) and (a.attnum = any(p.partattrs::int2[]) or exists (
			select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = p.partrelid and d.objsubid = a.attnum
				and d.refclassid = 'pg_class'::regclass and d.refobjid = p.partrelid and d.refobjsubid = 0 and d.deptype = 'i'))
		order by 1, 2`, in.tree(), column)
	if err != nil {
		return fmt.Errorf("read partition keys: %w", err)
	}
	for _, k := range keys {
		in.refuse("source-in-partition-key", "column "+k.Table+"."+k.Column, "the table is partitioned by it: "+k.Key, hint)
	}
	return nil
}

// checkPartitionColumns: what a partition says of a source, and its parent does
// not, would be lost.
func checkPartitionColumns(ctx context.Context, in *inspection) error {
	columns, err := query[struct {
		Name, Default             string
		NotNull, Granted, Differs bool
	}](ctx, in, `
		select a.attrelid::regclass::text || '.' || quote_ident(a.attname), coalesce(pg_get_expr(d.adbin, d.adrelid), 'none'),
			a.attnotnull and not r.attnotnull, a.attacl is not null,
			pg_get_expr(d.adbin, d.adrelid) is distinct from pg_get_expr(rd.adbin, rd.adrelid)
		from pg_attribute a
		join pg_attribute r on r.attrelid = $1 and r.attname = a.attname
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		left join pg_attrdef rd on rd.adrelid = r.attrelid and rd.adnum = r.attnum
		where a.attrelid = any($2) and a.attrelid <> $1 and a.attname = any($3)
		order by 1`, in.table.OID, in.tree(), in.Move.SourceNames())
	if err != nil {
		return fmt.Errorf("read columns of partitions: %w", err)
	}
	for _, c := range columns {
		object := "column " + c.Name
		if c.NotNull {
			in.refuse("partition-not-null", object, "it is NOT NULL in this partition only",
				"drop that, or make it NOT NULL in the whole table")
		}
		if c.Differs {
			in.refuse("partition-default", object, "this partition has another DEFAULT than the table: "+c.Default,
				"give both the same")
		}
		if c.Granted {
			in.refuse("column-privileges", object, "privileges are granted on this column alone, and the target has none",
				"grant them on the table, or revoke them for the time of the transition")
		}
	}
	return nil
}

// checkPartitionDependents: an index, a constraint, a policy or whatever else that
// a partition does not have from its parent.
func checkPartitionDependents(ctx context.Context, in *inspection) error {
	dependents, err := query[struct{ Table, Object string }](ctx, in, `
		select distinct d.refobjid::regclass::text, pg_describe_object(d.classid, d.objid, d.objsubid)
		from pg_depend d
		join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attname = any($3)
		left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
		left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
		where d.refclassid = 'pg_class'::regclass and d.refobjid = any($2) and d.refobjid <> $1
			and d.classid <> 'pg_attrdef'::regclass
			and (d.classid <> 'pg_class'::regclass or d.objid <> d.refobjid and not exists (select from pg_inherits i where i.inhrelid = d.objid))
			and (k.oid is null or k.conparentid = 0 and k.coninhcount = 0 and k.contype <> 'n')
			and (t.oid is null or t.tgparentid = 0)
		order by 1, 2`, in.table.OID, in.tree(), in.Move.SourceNames())
	if err != nil {
		return fmt.Errorf("read what depends on partitions: %w", err)
	}
	for _, d := range dependents {
		in.refuse("partition-depends", d.Object, "it belongs to partition "+d.Table+" alone, and depends on the source there",
			"make it part of the whole table, or drop it for the time of the transition and make it over the target after contract")
	}
	return nil
}

// checkPartitionRows: who reads whole rows of a partition gets the target too.
func checkPartitionRows(ctx context.Context, in *inspection) error {
	found, err := query[struct{ Object, Table string }](ctx, in, `
		select distinct pg_describe_object(d.classid, d.objid, 0), d.refobjid::regclass::text
		from pg_depend d join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
		where d.refclassid = 'pg_class'::regclass and d.refobjid = any($2) and d.refobjid <> $1 and r.ev_action::text like '%:varattno 0 %'
		union
		select pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum), c.oid::regclass::text
		from pg_class c
		join pg_type t on c.reltype in (t.oid, t.typelem)
		join pg_attribute a on a.atttypid = t.oid and a.attnum > 0 and not a.attisdropped
		join pg_class u on u.oid = a.attrelid and u.relkind <> 'v'
		where c.oid = any($2) and c.oid <> $1
		order by 1`, in.table.OID, in.tree())
	if err != nil {
		return fmt.Errorf("read who uses rows of partitions: %w", err)
	}
	for _, f := range found {
		in.refuse("partition-row-type", f.Object, "it uses whole rows of partition "+f.Table+", with the target from expand on",
			"name the columns, or give it a type of its own")
	}
	return nil
}

// checkPartitionedDependents refuses what does not move on a partitioned table.
func checkPartitionedDependents(ctx context.Context, in *inspection) error {
	d := in.report.Definition
	if !d.Partitioned {
		return nil
	}
	identities, err := query[struct{ Index, Table string }](ctx, in, `
		select i.relname, x.indrelid::regclass::text from pg_index x join pg_class i on i.oid = x.indexrelid
		where x.indrelid = any($1) and x.indisreplident and exists (select from pg_attribute a
			where a.attrelid = x.indrelid and a.attname = any($2) and a.attnum = any(x.indkey::int2[]))
		order by 2`, in.tree(), in.Move.SourceNames())
	if err != nil {
		return fmt.Errorf("read replica identities: %w", err)
	}
	for _, i := range identities {
		in.refuse("replica-identity", "index "+i.Index, "it is the replica identity of "+i.Table+", and each partition has its own",
			"run alter table ... replica identity default, or full, on each partition")
	}
	triggers, err := query[struct{ Name, Table string }](ctx, in, `
		select quote_ident(t.tgname), t.tgrelid::regclass::text
		from pg_trigger r join pg_trigger t on t.tgrelid = any($1) and t.tgname = r.tgname and t.tgparentid <> 0
		where r.oid = any($2) and t.tgenabled <> r.tgenabled
		order by 2, 1`, in.tree(), in.of("pg_trigger"))
	if err != nil {
		return fmt.Errorf("read triggers of partitions: %w", err)
	}
	for _, t := range triggers {
		in.refuse("partition-trigger", "trigger "+t.Name+" on table "+t.Table, "it is enabled, or disabled, in this partition only, and would not be any more",
			"make it the same in all of the table")
	}
	return nil
}
