-- What the rewriter must know of a database. $1 are the tables in transition as a
-- JSON array of {schema, table, names}, with the names of sources and targets.
-- Relations with every column for the tables and their descendants, with the
-- tracked columns for the others. A cast to a domain may cut a value that an
-- assignment rejects: it counts as no type.
with recursive asked as (
    select * from jsonb_to_recordset($1::jsonb) as t(schema text, "table" text, names jsonb)
), names as (
    select a.schema as of_schema, a."table" as of_name, n.name
    from asked a, jsonb_array_elements_text(a.names) as n(name)
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
), ancestors as (
    -- Statements on these reach the rows of the tables as well.
    select i.inhparent as oid, o.of_schema, o.of_name
    from owned o
    join pg_catalog.pg_inherits i on i.inhrelid = o.oid
    where i.inhparent not in (select oid from owned)
    union
    select i.inhparent, a.of_schema, a.of_name
    from ancestors a
    join pg_catalog.pg_inherits i on i.inhrelid = a.oid
), reached as (
    select oid, of_schema, of_name from owned
    union
    select oid, of_schema, of_name from ancestors
), rules as (
    select distinct r.oid as rule, r.ev_class as view, d.refobjid as relation, a.attname::text as "column"
    from pg_catalog.pg_depend d
    join pg_catalog.pg_rewrite r on r.oid = d.objid
    left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attnum > 0
        and a.attname in (select name from names)
    where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
        and r.ev_class <> d.refobjid and r.ev_class not in (select oid from owned)
), views as (
    -- A whole row depends on no column; only the stored tree shows it.
    select r.view, t.of_schema, t.of_name, r."column", (
        select x.ev_action::text like '%:varattno 0 %' from pg_catalog.pg_rewrite x where x.oid = r.rule) as whole
    from rules r
    join reached t on t.oid = r.relation
    union
    -- What a materialized view holds is a copy, and its own.
    select r.view, v.of_schema, v.of_name, v."column", v.whole
    from rules r
    join views v on v.view = r.relation
    join pg_catalog.pg_class c on c.oid = v.view and c.relkind = 'v'
), words as (
    select of_schema, of_name, 'relation' as kind, c.relname as word
    from (select oid, of_schema, of_name from owned union select view, of_schema, of_name from views) w
    join pg_catalog.pg_class c on c.oid = w.oid
    union
    select of_schema, of_name, 'column', name from names
), patterns as (
    select of_schema, of_name, kind, '(^|[^[:alnum:]_$])('
        || string_agg(regexp_replace(lower(word), '([][\\.^$*+?(){}|-])', '\\\1', 'g'), '|') || ')($|[^[:alnum:]_$])' as pattern
    from words
    group by 1, 2, 3
), bodies as materialized (
    select p.oid, n.nspname, p.proname, lower(p.prosrc) as body
    from pg_catalog.pg_proc p
    join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname not in ('c', 'internal')
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname not in ('pg_catalog', 'information_schema', 'crossfade')
    where p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
), opaque as (
    -- Functions whose text names a table or a view over it, and one of the columns,
    -- each as a word of its own; or whose parsed body depends on the column.
    select b.nspname, b.proname, r.of_schema, r.of_name
    from bodies b
    join patterns r on r.kind = 'relation' and b.body ~ r.pattern
    join patterns c on c.kind = 'column' and (c.of_schema, c.of_name) = (r.of_schema, r.of_name) and b.body ~ c.pattern
    where not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = b.oid and d.deptype = 'e')
    union
    select n.nspname, p.proname, w.of_schema, w.of_name
    from reached w
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::regclass
        and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = w.oid
    join pg_catalog.pg_proc p on p.oid = d.objid
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attnum > 0
    where (w.of_schema, w.of_name, a.attname) in (select of_schema, of_name, name from names)
        or to_jsonb(p) ->> 'prosqlbody' like '%:varattno 0 %' -- there is no such column before 14
    union
    select n.nspname, p.proname, v.of_schema, v.of_name
    from views v
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::regclass
        and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = v.view
    join pg_catalog.pg_proc p on p.oid = d.objid
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where v."column" is not null or v.whole
), relations as (
    select c.oid, n.nspname, c.relname, c.relkind, t.of_schema, t.of_name,
        c.relname in (select o.relname from pg_catalog.pg_class o
            where o.oid in (select oid from reached union all select view from views))
            or c.relname in (select "table" from asked) as is_homonym
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join owned t on t.oid = c.oid
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_toast', 'crossfade')
), found as (
    select r.nspname, r.relname, r.relkind, r.of_schema, r.of_name, r.is_homonym,
        array(select d.attnum from pg_catalog.pg_attribute d
            where r.of_name is not null and d.attrelid = r.oid and d.attnum > 0 and d.attisdropped order by 1) as dropped,
        coalesce(jsonb_agg(jsonb_build_object('name', a.attname,
            'type', case when y.typtype = 'd' then '' else pg_catalog.format_type(a.atttypid, null) end,
            'default', case when r.of_name is not null then coalesce(pg_catalog.pg_get_expr(e.adbin, e.adrelid), '') else '' end,
            'generated', a.attgenerated <> '', 'position', a.attnum) order by a.attnum) filter (where a.attname is not null), '[]'::jsonb) as columns
    from relations r
    left join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        and (r.of_name is not null or a.attname in (select name from names))
    left join pg_catalog.pg_type y on y.oid = a.atttypid
    left join pg_catalog.pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
    group by r.oid, 1, 2, 3, 4, 5, 6
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
            'of_schema', coalesce(of_schema, ''), 'of_name', coalesce(of_name, ''), 'columns', columns,
            'dropped', dropped) order by nspname, relname)
        from found where of_name is not null or is_homonym or columns <> '[]'::jsonb), '[]'::jsonb),
    'views', coalesce((
        select jsonb_agg(jsonb_build_object('schema', n.nspname, 'name', c.relname, 'of_schema', v.of_schema, 'of_name', v.of_name,
            'kind', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table with a rule' end,
            'reads', v.reads, 'whole', v.whole,
            'acts', exists (select from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.ev_type <> '1')
                or exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and t.tgtype & 64 <> 0))
            order by n.nspname, c.relname, v.of_schema, v.of_name)
        from (
            select view, of_schema, of_name, bool_or(whole) as whole,
                coalesce(jsonb_agg(distinct "column") filter (where "column" is not null), '[]'::jsonb) as reads
            from views group by 1, 2, 3) v
        join pg_catalog.pg_class c on c.oid = v.view
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace), '[]'::jsonb),
    'ancestors', coalesce((
        select jsonb_agg(jsonb_build_object('schema', n.nspname, 'name', c.relname, 'of_schema', a.of_schema, 'of_name', a.of_name)
            order by n.nspname, c.relname, a.of_schema, a.of_name)
        from ancestors a
        join pg_catalog.pg_class c on c.oid = a.oid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where exists (select from pg_catalog.pg_attribute t
            join names m on m.name = t.attname and m.of_schema = a.of_schema and m.of_name = a.of_name
            where t.attrelid = a.oid and not t.attisdropped)), '[]'::jsonb),
    'opaque', coalesce((
        select jsonb_agg(jsonb_build_object('schema', nspname, 'name', proname, 'of_schema', of_schema, 'of_name', of_name)
            order by nspname, proname, of_schema, of_name) from opaque), '[]'::jsonb),
    -- The functions of triggers that keep both sides, and fire for everybody.
    'synced', coalesce((
        select jsonb_agg(p.proname order by p.proname)
        from pg_catalog.pg_trigger g
        join owned o on o.oid = g.tgrelid and o.oid = o.root
        join pg_catalog.pg_proc p on p.oid = g.tgfoid
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = 'crossfade'
        where g.tgtype = 23 and not exists (
            select from pg_catalog.pg_trigger clone
            join owned part on part.oid = clone.tgrelid and part.root = o.root
            where clone.tgname = g.tgname and clone.tgenabled <> 'A')), '[]'::jsonb),
    'column_names', coalesce((
        select jsonb_object_agg(attname, true) from (
            select distinct a.attname
            from relations r
            join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
            where r.nspname not in ('pg_catalog', 'information_schema')) every_column), '{}'::jsonb),
    'functions', coalesce((select jsonb_object_agg(proname, steady) from functions), '{}'::jsonb))::text
