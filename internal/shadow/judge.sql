-- Whether a read may be run twice and compared. $1 is what it names, as JSON. The
-- first reason that speaks against it, '' for none; whether something computes a
-- value from several rows; and whether its ORDER BY leaves no two rows alike.
with asked as (
    select $1::jsonb as q
), functions as (
    select f.name, p.oid, p.provolatile, p.proretset, p.prokind, n.nspname, g.oid is not null as steps_volatile
    from asked, jsonb_to_recordset(q -> 'functions') as f(schema text, name text)
    left join (pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace)
        on p.proname = f.name and f.schema in ('', n.nspname)
    left join pg_catalog.pg_aggregate a on a.aggfnoid = p.oid
    left join pg_catalog.pg_proc g on g.oid in (a.aggtransfn, a.aggfinalfn) and g.provolatile = 'v'
    union all
    -- users.initials can stand for initials(users)
    select p.proname, p.oid, p.provolatile, p.proretset, p.prokind, n.nspname, g.oid is not null
    from asked, jsonb_array_elements_text(q -> 'fields') as f(name)
    join pg_catalog.pg_proc p on p.proname = f.name
    join pg_catalog.pg_type t on t.oid = p.proargtypes[0] and t.typtype in ('c', 'p')
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    left join pg_catalog.pg_aggregate a on a.aggfnoid = p.oid
    left join pg_catalog.pg_proc g on g.oid in (a.aggtransfn, a.aggfinalfn) and g.provolatile = 'v'
), types as (
    select t.oid, t.typtype, t.typinput
    from asked, jsonb_to_recordset(q -> 'types') as y(schema text, name text)
    join pg_catalog.pg_type t on t.typname = y.name
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace and y.schema in ('', n.nspname)
), relations as (
    select r.name, c.oid, c.relkind, q -> 'ctes' ? r.name as is_cte
    from asked, jsonb_to_recordset(q -> 'relations') as r(schema text, name text)
    left join (pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace)
        on c.relname = r.name and c.relkind in ('r', 'p', 'm', 'v', 'f')
        and case when r.schema = '' then pg_catalog.pg_table_is_visible(c.oid) else n.nspname = r.schema end
), cuts as (
    select k.is_order, exists (
        select from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_index i on i.indrelid = c.oid
        where c.relname = k.name
            and case when k.schema = '' then pg_catalog.pg_table_is_visible(c.oid) else n.nspname = k.schema end
            and (c.relkind = 'p' or not c.relhassubclass)
            and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null and i.indexprs is null
            and (select bool_and(a.attnotnull and k.columns ? a.attname::text)
                from pg_catalog.unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) as key(attnum)
                join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = key.attnum)) as decided
    from asked, jsonb_to_recordset(q -> 'cuts') as k(schema text, name text, columns jsonb, is_order boolean)
)
select case
    when exists (select from functions where oid is null) then 'unknown'
    when exists (select from functions where provolatile = 'v' or steps_volatile) then 'volatile'
    when exists (select from functions where proretset and nspname <> 'pg_catalog') then 'unknown'
    when exists (select from functions, asked where prokind = 'a' and not (nspname = 'pg_catalog' and q -> 'orderless' ? name)) then 'order'
    when exists (select from asked, pg_catalog.pg_operator o
        join pg_catalog.pg_proc p on p.oid = o.oprcode and p.provolatile = 'v'
        where q -> 'operators' ? o.oprname::text) then 'volatile'
    when exists (select from types t join pg_catalog.pg_constraint c on c.contypid = t.oid where t.typtype = 'd') then 'unknown'
    when exists (select from types t join pg_catalog.pg_proc p on p.oid = t.typinput where p.provolatile = 'v') then 'volatile'
    when exists (select from pg_catalog.pg_cast c join pg_catalog.pg_proc p on p.oid = c.castfunc and p.provolatile = 'v'
        where c.castcontext = 'i' or c.casttarget in (select oid from types)) then 'volatile'
    when exists (select from relations where oid is null and not is_cte) then 'unknown'
    when exists (select from relations where relkind in ('v', 'f')) then 'relation'
    when exists (select from relations where oid is not null and pg_catalog.row_security_active(oid)) then 'row-security'
    when exists (select from cuts where not is_order and not decided) then 'order'
    else '' end,
    exists (select from functions where prokind = 'a'),
    coalesce((select bool_and(decided) from cuts where is_order), false)
