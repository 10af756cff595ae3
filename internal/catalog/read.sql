-- What the rewriter must know of a database. $1 are the tables in transition as a
-- JSON array of {schema, table}, $2 the names of their sources and targets.
-- Relations with every column for the tables and their descendants, with the
-- tracked columns for the others. A cast to a domain may cut a value that an
-- assignment rejects: it counts as no type.
with recursive asked as (
    select * from jsonb_to_recordset($1::jsonb) as t(schema text, "table" text)
), names as (
    select jsonb_array_elements_text($2::jsonb) as name
), tracked as (
    select c.oid, c.oid as root, a.schema as of_schema, a."table" as of_name
    from asked a
    join pg_catalog.pg_namespace n on n.nspname = a.schema
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = a."table" and c.relkind in ('r', 'p', 'f')
    union
    select i.inhrelid, t.root, t.of_schema, t.of_name
    from tracked t
    join pg_catalog.pg_inherits i on i.inhparent = t.oid
), owned as (
    -- A child of two tables in transition belongs to one of them.
    select distinct on (oid) * from tracked order by oid, root <> oid, root
), rules as (
    select r.ev_class as view, d.refobjid as relation,
        bool_or(a.attname in (select name from names)) as names_column
    from pg_catalog.pg_depend d
    join pg_catalog.pg_rewrite r on r.oid = d.objid
    left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attnum > 0
    where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
        and r.ev_class <> d.refobjid
    group by 1, 2
), views as (
    select r.view, t.of_schema, t.of_name, coalesce(r.names_column, false) as reads
    from rules r
    join owned t on t.oid = r.relation
    union
    select r.view, v.of_schema, v.of_name, v.reads
    from rules r
    join views v on v.view = r.relation
), relations as (
    select c.oid, n.nspname, c.relname, c.relkind, t.of_schema, t.of_name,
        c.relname in (select o.relname from owned w join pg_catalog.pg_class o on o.oid = w.oid)
            or c.relname in (select "table" from asked) as is_homonym
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join owned t on t.oid = c.oid
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_toast', 'crossfade')
), found as (
    select r.nspname, r.relname, r.relkind, r.of_schema, r.of_name, r.is_homonym,
        coalesce(jsonb_agg(jsonb_build_object('name', a.attname,
            'type', case when y.typtype = 'd' then '' else pg_catalog.format_type(a.atttypid, null) end,
            'generated', a.attgenerated <> '', 'position', a.attnum) order by a.attnum) filter (where a.attname is not null), '[]'::jsonb) as columns
    from relations r
    left join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        and (r.of_name is not null or a.attname in (select name from names))
    left join pg_catalog.pg_type y on y.oid = a.atttypid
    group by 1, 2, 3, 4, 5, 6
), functions as (
    select p.proname, bool_and(p.provolatile <> 'v' and not p.proretset and p.prokind = 'f') as steady
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    group by 1
)
select jsonb_build_object(
    'relations', coalesce((
        select jsonb_agg(jsonb_build_object('schema', nspname, 'name', relname, 'kind', relkind, 'homonym', is_homonym,
            'of_schema', coalesce(of_schema, ''), 'of_name', coalesce(of_name, ''), 'columns', columns) order by nspname, relname)
        from found where of_name is not null or is_homonym or columns <> '[]'::jsonb), '[]'::jsonb),
    'views', coalesce((
        select jsonb_agg(jsonb_build_object('schema', n.nspname, 'name', c.relname, 'of_schema', v.of_schema, 'of_name', v.of_name,
            'reads', v.reads, 'writable', c.relkind = 'v' and pg_catalog.pg_relation_is_updatable(c.oid, true) <> 0) order by n.nspname, c.relname)
        from (select view, of_schema, of_name, bool_or(reads) as reads from views group by 1, 2, 3) v
        join pg_catalog.pg_class c on c.oid = v.view
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace), '[]'::jsonb),
    'functions', coalesce((select jsonb_object_agg(proname, steady) from functions), '{}'::jsonb))::text
