package dependents

import "context"

// listOthers lists what no other kind does, and what no step carries over by
// itself: materialized views, publications, rules, functions with a parsed body,
// generated columns, exclusion constraints, whatever a later PostgreSQL brings.
// Indexes and the constraints that stand on them, defaults, NOT NULL and foreign
// keys have steps of their own.
func listOthers(ctx context.Context, db Querier, c Columns) ([]object, error) {
	found, err := query[struct{ Description string }](ctx, db, c, `
		select pg_describe_object(dep.classid, dep.objid, dep.objsubid)
		from dep
		left join pg_constraint k on dep.classid = 'pg_constraint'::regclass and k.oid = dep.objid
		left join pg_rewrite r on dep.classid = 'pg_rewrite'::regclass and r.oid = dep.objid
		left join pg_class v on v.oid = r.ev_class
		left join pg_class i on dep.classid = 'pg_class'::regclass and i.oid = dep.objid
		left join pg_index x on x.indexrelid = i.oid
		left join pg_attrdef d on dep.classid = 'pg_attrdef'::regclass and d.oid = dep.objid
		left join pg_trigger t on dep.classid = 'pg_trigger'::regclass and t.oid = dep.objid
		where case
			when k.oid is not null then k.contype = 'x'
			when v.oid is not null then v.relkind <> 'v' or r.rulename <> '_RETURN'
			when x.indexrelid is not null then x.indisexclusion
			when i.oid is not null then i.relkind <> 'S'
			when d.oid is not null then d.adnum not in (select attnum from col)
			when t.oid is not null then false
			else dep.classid not in ('pg_policy'::regclass, 'pg_statistic_ext'::regclass)
		end
		order by 1`)
	var objects []object
	for _, o := range found {
		objects = append(objects, object{c.on(Other, o.Description, ""), nothing})
	}
	return objects, err
}
