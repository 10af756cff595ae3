-- args: 10|{"k": 1}
insert into docs (id, body) values ($1, $2) returning *

-- args: {"k": 1}
insert into docs (body) values ($1) returning body, note

insert into docs (id, note) values (10, 'x'), (11, 'y') returning *

insert into docs (id, body) values (10, default), (11, jsonb_build_object('a', 1)), (12, '[]') returning *

insert into docs (id, body) values (10, null)

-- args: 10|v
insert into docs (id, body) values ($1, jsonb_build_object('a', $2::text)) on conflict (id) do update set body = docs.body || excluded.body returning *

-- args: 1|v
insert into docs (id, body) values ($1, to_jsonb($2::text)) on conflict (id) do update set body = jsonb_set(docs.body, '{z}', excluded.body) returning *

-- args: {"k": 1}|1
update docs set body = body || $1 where id = $2 returning body

-- args: x|1
update docs set body = jsonb_set(body, '{k}', to_jsonb($1::text)) where id = $2 returning body->>'k', body

-- args: x|1
update docs set body = body - $1, note = $1 where id = $2 returning *

select body->'a', body->>'a', body #> '{a}', body @> '{"a": 1}', body ? 'a', body['a'] from docs order by id

select d.body -> 'a' as body, jsonb_typeof(d.body) from docs d where d.body ?| array['a', 'b'] order by id

select id, e from docs, jsonb_array_elements(body) e where jsonb_typeof(body) = 'array'

select id, k, v from docs d, jsonb_each(d.body) as j(k, v) where jsonb_typeof(body) = 'object' and d.id = 1

insert into docs (id, body) select 20, body from docs where id = 1

insert into docs (id, body) select 20, '{"x": 2}'

-- args: 20|{"x": 2}
insert into docs (id, body) select $1, $2

-- args: 20|{"x": 2}
insert into docs (id, body) select $1, $2 where not exists (select from docs where body = $2)

-- args: {20,21}|{"{}","[]"}
insert into docs (id, body) select unnest($1::bigint[]), unnest($2::jsonb[])

insert into docs (note) select 'z' from docs returning body, note

insert into docs default values returning body

-- args: {a,c}
update sets set tags = $1 where id = 1 returning tags

-- args: c
update sets set tags = array_append(tags, $1) where id = 1 returning tags

-- args: c
update sets set tags = tags || $1 where id = 1 returning tags

-- args: c
update sets set tags = array(select distinct unnest(tags || array[$1]) order by 1), nums = nums || 5 where id = 1 returning *

select tags[1], tags[1:2], array_length(tags, 1), 'a' = any(tags), tags @> array['a'], tags && '{b}' from sets order by id

select id, t from sets, unnest(tags) t order by 1, 2

select id, t, o from sets cross join lateral unnest(tags) with ordinality as x(t, o) order by 1, 3

-- args: a
select id from sets where $1 = any(tags)

-- args: {a}
select id from sets where tags && $1

-- args: 10|{a,b}
insert into sets (id, tags) values ($1, $2), (11, array['x', 'y']), (12, '{}'), (13, array[]::text[]) returning tags

-- args: 10|a
insert into sets (id, tags) values ($1, array[$2]) returning tags

insert into sets (id, tags) select id + 10, array_agg(t) from sets, unnest(tags) t group by id

-- args: 2021-01-01
select id, at from events where at >= $1 and at < $1::timestamptz + interval '1 year'

select date_trunc('day', at), extract(year from at), at::date, at at time zone 'UTC', to_char(at, 'YYYY') as happened from events order by id

insert into events (id, at) values (10, '2022-02-02'), (11, default), (12, timestamp '2023-01-01') returning *

insert into events (id, kind) values (10, 'sad'), (11, default) returning *

insert into events (id, at, kind) select 10, '2022-02-02', 'sad' returning *

insert into events (id, at, kind) select id + 10, at + '1 day', kind from events returning *

insert into events (id, at, kind) select id + 10, date_trunc('year', at), 'ok' from events returning *

update events set at = date_trunc('month', at), kind = 'ok' returning *

update events set (at, kind) = ('2020-02-02', 'ok') where id = 1 returning *

update events set (at, kind) = (select '2020-02-02', 'ok') where id = 1 returning *

update events set (kind, at) = (select e.kind, max(e.at) from events e group by 1 order by 1 limit 1) where id = 1 returning *

update flags set active = not active returning active

update flags set active = true where not active returning *

update flags set active = (id = 1 and active is not true) returning *

-- args: true
select id from flags where active = $1 and active

select case when active then 1 else 0 end, active is true, active or false, bool_or(active) over () from flags order by id

insert into flags (id) values (10) returning *

insert into flags (id, active) values (10, exists (select 1 from flags where active)), (11, 1 = 1), (12, 't') returning *

insert into flags (id, active) values (10, null)
