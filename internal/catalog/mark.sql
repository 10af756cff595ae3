-- A number for the state of the catalogs that read.sql looks at: every version of
-- a row has another xmin, so it stays the same only as long as nothing has changed.
-- Statistics are written in place, and leave it alone.
select coalesce(sum(n), 0)::text from (
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 1)) as n from pg_catalog.pg_class
    union all
    select count(*) + sum(hashint8extended(((attrelid::bigint << 32) | xmin::text::bigint), attnum)) from pg_catalog.pg_attribute
    union all
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 2)) from pg_catalog.pg_attrdef
    union all
    select count(*) + sum(hashint8extended((inhrelid::bigint << 32) | xmin::text::bigint, inhparent::bigint)) from pg_catalog.pg_inherits
    union all
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 3)) from pg_catalog.pg_proc
    union all
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 4)) from pg_catalog.pg_rewrite
    union all
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 5)) from pg_catalog.pg_trigger
    union all
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 6)) from pg_catalog.pg_namespace
    union all
    select count(*) + sum(hashint8extended((oid::bigint << 32) | xmin::text::bigint, 7)) from pg_catalog.pg_type
    union all
    select count(*) + sum(hashint8extended((objid::bigint << 32) | xmin::text::bigint, 8)) from pg_catalog.pg_depend where deptype = 'e'
) marks
