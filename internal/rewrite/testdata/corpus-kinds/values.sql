select * from stamps order by id

select id from stamps where at = '2021-05-05 12:00:00'

select id from stamps where at = '2021-05-05 12:00:00+05'

-- args: 2021-05-05 12:00:00
select id from stamps where at = $1

-- args: 2021-05-01
select id from stamps where at > $1 order by id

-- args: 2021-05-01
select id from stamps where $1 < at order by id

-- args: 2021-01-01|2022-01-01
select id from stamps where at between $1 and $2 order by id

-- args: 2021-05-05 12:00|2021-03-28 02:30:00.123456
select id from stamps where at in ($1, $2) order by id

-- args: {2021-05-05 12:00,infinity}
select id from stamps where at = any($1) order by id

select id from stamps where at < '2021-05-05'::date order by id

select id from stamps where at > now() order by id

select id from stamps where at < timestamp '2021-05-05' order by id

-- args: 2021-05-05 12:00:00
select id from stamps where at <= $1::timestamp order by id

-- args: 2021-05-05 12:00:00+02
select id from stamps where at <= $1::timestamptz order by id

-- error: 22007
select id from stamps where at = 'yesterdayish'

-- args: 2021-03-28|2
select id from stamps where (at, id) > ($1, $2) order by at, id

select at, date_trunc('day', at), at::date, at + interval '1 day', extract(hour from at), to_char(at, 'YYYY') from stamps order by id

select at at time zone 'Europe/Berlin' from stamps order by id

select at::text, pg_typeof(at) from stamps order by id

select id from stamps order by at

select at from stamps order by at desc nulls last limit 2

select s.at from stamps s order by s.at

select at as kind from stamps order by kind

select min(at), max(at), count(at) from stamps

select max(at) - min(at) from stamps where at < 'infinity'

select at, kind from stamps group by id order by id

select date_trunc('year', at) as y, count(*) from stamps group by y order by y

select a.id from stamps a join stamps b on a.at = b.at order by 1

select a.id, b.id from stamps a join stamps b on a.at < b.at order by 1, 2

set local timezone = 'America/New_York'; select at, at::date from stamps order by id; insert into stamps (id, at) values (9, '2021-11-07 01:30'); select at from stamps where at = '2021-11-07 01:30'; update stamps set at = at + interval '1 hour' where id = 9 returning at

insert into stamps (id) values (9) returning *

-- args: 2022-02-02 02:02:02
insert into stamps (id, at) values (9, $1) returning at

-- args: 2022-02-02 02:02:02
insert into stamps (id, at) values (9, $1), (10, '2022-02-03'::date) returning at

insert into stamps (id, at) values (9, now() - now() + '2021-09-09'::timestamptz)

insert into stamps (id, at) values (9, '2021-05-05 12:00') on conflict (at) do update set kind = 'x', at = excluded.at + interval '1s' returning *

update stamps set at = at + interval '1 month' returning at

update stamps set at = '2022-02-02T02:02:02.1234567' where id = 1 returning at

update stamps set at = date_trunc('millennium', clock_timestamp()) where id = 1

update stamps set at = default, kind = 'd' where id = 2 returning at

update stamps set at_utc = '2022-02-02 00:00+02' where id = 1 returning at, at_utc

delete from stamps where at < '2021-05-01' returning at

delete from stamps where at = 'infinity'

select * from prices order by id

select price, price * qty, round(price, 1), price::text, price::int from prices order by id

select id from prices where price = 10.5

select id from prices where price = '10.50'

-- args: 10.5
select id from prices where price = $1

-- args: 1.23456
select id from prices where price > $1 order by id

select id from prices where price > 3 order by price

select sum(price), max(price), avg(price) from prices

select price from prices order by price desc nulls last

insert into prices (id) values (9) returning price

-- args: 12.5
insert into prices (id, price) values (9, $1) returning price

-- lossy
insert into prices (id, price) values (9, 1.00496)

-- lossy
-- args: 1.00496
insert into prices (id, price) values (9, $1)

-- lossy
insert into prices (id, price) select id + 10, 1.00496 from prices

-- lossy
update prices set price = 1.00496 where id = 1

-- lossy
update prices set price = price / 3

-- lossy
-- args: 1.00496
update prices set (qty, price) = (1, $1)

-- lossy
update prices set (qty, price) = (select id, 1.00496 + id - id from prices where id = 2)

-- lossy
insert into prices (id, price) values (1, 5) on conflict (id) do update set price = 1.00496

-- lossy
merge into prices p using (values (1, 1.00496), (9, 1.00496)) v(id, x) on p.id = v.id when matched then update set price = x when not matched then insert (id, price) values (v.id, x)

-- error: 22003
update prices set price = 123456789 where id = 1

-- error: 22003
insert into prices (id, price) values (9, 99999999.99995)

update prices set price = price + 0.25, qty = price returning price, qty

select * from papers order by id

select body->'a', body->>'a', body::text, (body->>'a')::int from papers order by id

select id from papers where body->>'a' = '1'

-- error: 42883
select id from papers where body = '{}'

-- error: 42883
select distinct body from papers

-- error: 42883
select body from papers group by body

-- error: 42883
select id from papers order by body

-- error: 42883
select body from papers union select body from papers

select json_typeof(body), pg_typeof(body) from papers order by id

-- error: 42883
select jsonb_typeof(body) from papers

-- error: 42883
select id from papers where body @> '{}'

select json_agg(body order by id) from papers

insert into papers (id) values (9) returning *

insert into papers (id, body) values (9, '{"b": 2}') returning body

-- args: {"b": 2}
insert into papers (id, body) values (9, $1) returning body, body->'b'

-- error: 22P02
insert into papers (id, body) values (9, '{b: 2}')

-- error: 22P02
-- args: {b: 2}
update papers set body = $1

update papers set body = json_build_array(id) returning body::jsonb

update papers set body = '{"c": 3}'::jsonb where id = 1 returning body

update papers set body = to_json(note) returning body

-- args: {"b": 2}
update papers set content = $1 where id = 1 returning content, body

select * from keys order by key

-- args: 11111111-1111-1111-1111-111111111111
select * from keys where key = $1

-- args: not a uuid
select * from keys where key = $1

select owner from keys where key = '11111111-1111-1111-1111-111111111111'

select owner from keys where key like '1%'

select key || '!', length(key), left(key, 3) from keys order by key

select key, owner from keys group by key order by key

select key, rank + 1 as more from keys group by key having rank > 1 order by key

select k.key, k.owner, count(o.id) from keys k left join others o on o.id = k.rank group by k.key order by k.key

select * from keys group by key order by key

-- error: 42803
select key, owner from keys group by rank

select owner, array_agg(key order by key) from keys group by owner order by owner

select max(key), min(key) from keys

-- args: {11111111-1111-1111-1111-111111111111,x}
select owner from keys where key = any($1)

select a.key from keys a join keys b on a.key = b.key order by 1

-- args: 22222222-2222-2222-2222-222222222222
select key from keys where key > $1 order by key

-- args: 44444444-4444-4444-4444-444444444444
insert into keys (key, owner) values ($1, 'dan') returning *

-- error: 23505
insert into keys (key, owner) values ('11111111-1111-1111-1111-111111111111', 'dan')

-- args: 11111111-1111-1111-1111-111111111111
insert into keys (key, owner) values ($1, 'dan') on conflict (key) do update set owner = excluded.owner returning *

-- args: 11111111-1111-1111-1111-111111111111
insert into keys (key, owner) values ($1, 'dan') on conflict on constraint keys_pkey do update set owner = excluded.owner || excluded.key returning *

insert into keys values ('44444444-4444-4444-4444-444444444444') on conflict do nothing returning key

update keys set owner = 'x' where key = '11111111-1111-1111-1111-111111111111' returning *

update keys set key = replace(key, '1', '9') where rank = 1 returning key

update keys set uid = '99999999-9999-9999-9999-999999999999' where rank = 1 returning key, uid

delete from keys where key = '11111111-1111-1111-1111-111111111111' returning key

select * from items order by id

select id, name from items group by id order by id

select id, name, count(*) from items group by id having parent is null

select i.id, i.name, count(c.id) from items i left join items c on c.parent = i.id group by i.id order by i.id

select i.*, count(c.id) from items i left join items c on c.parent = i.id group by i.id order by i.id

select upper(name), id + 1 from items group by items.id order by items.id

select id, name, (select count(*) from items c where c.parent = items.id) from items group by id order by id

select name from items group by id, name order by id

select id as key, name from items group by key order by 1

select id, name from items group by 1, 2 order by 1

select id, name from items group by grouping sets ((id, name), ()) order by 1, 2

select id from items group by id order by id

-- error: 42803
select id, name from items group by parent

select i.id, j.name from items i join items j on j.parent = i.id group by i.id, j.id order by 1, 2

select max(id), min(id) from items

-- args: 2
select name from items where id = $1

-- args: {2,3}
select name from items where id = any($1) order by id

-- args: 1
select id from items where id > $1 order by id limit 2

insert into items (name) values ('new') returning id

insert into items (name) values ('new'), ('newer') returning *

insert into items (name, parent) select name, id from items where parent is null returning id, parent

insert into items values (default, 'x') returning id

insert into items default values returning *

-- error: 23505
insert into items (id, name) values (1, 'again')

insert into items (id, name) values (1, 'again') on conflict (id) do update set name = excluded.name, id = items.id + 100 returning *

insert into items (id, name) values (1, 'again') on conflict on constraint items_pkey do nothing returning id

with recursive t as (select id, name, 1 as depth from items where parent is null union all select i.id, i.name, depth + 1 from items i join t on i.parent = t.id) select * from t order by depth, id

update items set id = id + 10 where name = 'bud' returning *

delete from items where id = 4 returning *

-- args: {2021-05-05 12:00,infinity}
select id from stamps where not at = any($1) order by id

-- args: {}
select at = any($1), at <> all($1) from stamps order by id

-- args: null
select at = any($1), at <> all($1) from stamps order by id

-- args: {2021-05-05 12:00,null}
select at = any($1), at > all($1) from stamps order by id

select id from stamps where at = any('{2021-05-05 12:00}') order by id

-- args: {2021-05-05 12:00}
select id from stamps where at = any($1::timestamp[]) order by id

-- args: {2021-05-05 12:00}
select id from stamps where at = any($1::timestamptz[]) order by id

-- args: 2021-05-05 12:00
select id from stamps where at = any(array[$1, now()::timestamp]) order by id

-- args: 2021-05-05 12:00:00.5
select id from stamps where at < $1::timestamp(0) order by id

-- args: 2021-05-05 12:00:00.5
select id from stamps where at < $1::timestamp without time zone and kind <> 'x' order by id

-- args: 2021-05-05 12:00:00.5
select id from stamps where at < cast($1 as timestamp) order by id

select id from stamps where at < timestamp without time zone '2021-05-05 12:00:00.5' order by id

select id from stamps where at < '2021-05-05 12:00:00.5'::pg_catalog.timestamp order by id

select a.id from stamps a join stamps b on a.at = b.at and a.at >= b.at order by 1

select id from stamps where at in ('2021-05-05 12:00', timestamp '2021-03-28') order by id

-- args: 2021-05-05 12:00|2021-05-06
select id from stamps where at >= $1::timestamp and at < $2::date order by id

select max(at)::timestamp with time zone as m from stamps

create temp table best as select max(at) as m, min(id) from stamps with no data; select * from best

(select max(at) from stamps)

select max(at) from stamps limit 1

select max(at) from stamps where id < 3 having count(*) > 1 order by 1

select max(id), count(*) from stamps where at is not null

select kind from stamps group by kind order by max(at) desc nulls last, kind

select max(s.at) as at, 'x' as kind from stamps s order by at

prepare best as select max(at) from stamps; execute best

select id from stamps where at is null

select id, at is not null as known from stamps where at in (select b.at from stamps b) order by id

select id from keys k join stamps s on s.id = k.rank where k.key is not null order by id

select id from codes where code is null

insert into codes (id, code) select g + 50, g from generate_series(8, 12) g where g not in (9, 10) order by g desc limit 2 returning *

insert into codes (id, code) select g + 150, g + 100 as b from generate_series(-8, 12) g order by b limit 2 returning *

insert into codes (id, code) select g + 150, g * 50 from generate_series(1, 12) g order by 2 limit 2 returning *

insert into people (id, full_name, age) select id + 10, full_name, age from people order by 3 limit 1 returning *

insert into people (id, full_name, age) select max(id) + 10, full_name, age from people group by 2, 3 order by 3 limit 1 returning *

insert into counters (id, n) select id + 50, n + 100 as x from pairs order by x limit 1 returning *

insert into authors (id, full_name, age) select id + 10, full_name as z, age from authors order by z limit 1 returning *

insert into families (last_name, first_name, id) select last_name, min(first_name), max(id) + 10 from families where id <> 3 group by 1 order by 1 limit 1 returning *
