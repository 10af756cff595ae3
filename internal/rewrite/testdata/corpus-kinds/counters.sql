select * from counters order by id

select counters.n, c.n from counters, counters c where c.id = counters.id order by 1, 2

select n + 1 as more, n / 3, n::text, -n from counters order by id

select n from counters where n = 10

-- args: 10
select id, n from counters where n = $1

-- args: 10
select id, n from counters where $1 = n

-- args: 10
select id from counters where n <> $1 order by id

select id from counters where n = '10'

-- error: 22P02
select id from counters where n = 'ten'

-- error: 22003
select id from counters where n = '99999999999'

-- error: 22003
-- args: 99999999999
select id from counters where n = $1

select id from counters where n = 99999999999

select id from counters where n < 99999999999 and n > -99999999999 order by id

select id from counters where n = 10.0

select id from counters where n = 10.0::float8

select id from counters where n < 10.5 order by id

select id from counters where n = 10::smallint

select id from counters where n between -5 and 10 order by id

-- args: -5|10
select id from counters where n between $1 and $2 order by id

-- args: 10|-5
select id from counters where n between symmetric $1 and $2 order by id

select id from counters where n not between '0' and '20' order by id

select id from counters where n in (10, 40, 7) order by id

-- args: 10|40
select id from counters where n in ($1, $2) order by id

-- args: 10
select id from counters where n in ($1, '40', 5, null) order by id

-- args: 10
select id from counters where n not in ($1, 3) order by id

-- args: {10,40}
select id from counters where n = any($1) order by id

-- args: {10,40}
select id from counters where n = any($1::int[]) order by id

-- args: {10,40}
select id from counters where n = any($1::bigint[]) order by id

select id from counters where n = any('{10,40}') order by id

select id from counters where n = any(array[10, 40]) order by id

-- args: 10
select id from counters where n = any(array[$1, 40]) order by id

select id from counters where n <> all('{10,40}') order by id

-- args: {10,40}
select id from counters where not n <> all($1) order by id

-- args: 10|1
select id from counters where (n, id) > ($1, $2) order by n, id

-- args: -5|2
select id from counters where (n, id) >= ($1, $2) order by n, id limit 2

-- args: 10|1
select id from counters where (n, id) = ($1, $2)

-- args: 10|1|40|4
select id from counters where (n, id) in (($1, $2), ($3, $4)) order by id

-- args: 10
select id from counters where row(n) = row($1)

-- args: 10
select id from counters where n is not distinct from $1

-- args: null
select id from counters where n is not distinct from $1

-- args: 10
select id from counters where n is distinct from $1 order by id

-- args: null
select id from counters where n = $1

select id from counters where n is null

select n is null, n = 10, n > 3 from counters order by id

-- args: 5
select n + $1 from counters order by id

-- args: 5
select n * $1 as n from counters order by n

-- args: 10
select nullif(n, $1), coalesce(n, $1) from counters order by id

select coalesce(n, 0) from counters order by id

select greatest(n, 20), least(n, '3') from counters order by id

select case n when 10 then 'ten' else 'other' end from counters order by id

-- args: 10
select case n when $1 then 1 else 2 end from counters order by id

select case when n > 0 then n end from counters order by id

select sum(n), avg(n), min(n), max(n), count(n), count(*) from counters

select min(n) from counters where id > 1

select max(n) filter (where id < 4), min(distinct n) from counters

select max(n) as m, min(n + 1), pg_typeof(max(n)) from counters

select max(max(n)) over () from counters

select max(n) over (order by id) from counters order by id

select note, max(n) from counters group by note order by note

select max(counters.n) from counters having max(n) > 3

select array_agg(n order by n desc nulls last), string_agg(n::text, ',' order by n) from counters

select n, count(*) from counters group by n order by n

select n % 2 as odd, count(*) from counters group by odd order by odd

select n, note from counters group by id order by id

select n + 1 from counters group by n order by 1

select n from counters group by n having n > 3 order by n

select distinct n from counters order by n

select distinct on (n) n, id from counters order by n, id

select id from counters order by n

select id from counters order by n desc nulls last

select n from counters order by n limit 2

select n from counters order by n desc nulls last, id

select n as x from counters order by x

select -n as n from counters order by n

select id as n, n as id from counters order by n

select id from counters order by counters.n nulls first

select id from counters order by -n

select n from counters union select n from others order by n

select n from counters union all select id from others order by 1

select n from counters intersect select 10

select n from counters except select 10 order by 1

select rank() over (order by n), lag(n) over (order by n), sum(n) over w from counters window w as (partition by n > 0 order by n) order by id

select row_number() over (partition by n order by n), n from counters order by n

select c.id, o.id from counters c join others o on c.n = o.n

select c.id, o.id from counters c left join others o on o.n = c.n order by 1

select c.id, d.id from counters c join counters d on c.n = d.n order by 1

select c.id, d.id from counters c join counters d on c.n < d.n order by 1, 2

select n, c.id, o.id from counters c join others o using (n)

select * from counters c natural join (select 10 as n) x

select id from counters where n in (select n from others) order by id

select id from counters where n = (select max(n) from counters)

select id from counters c where exists (select 1 from others where n = c.n)

select (select o.label from others o where o.n = counters.n) from counters order by id

select (select n) from counters order by id

select id from counters c where n = (select max(d.n) from counters d where d.id <= c.id) order by id

select c.n, l.x from counters c, lateral (select c.n + 1 as x) l order by 1

select c.n, g from counters c, generate_series(1, c.n) g where c.id = 1 order by g

with x as (select id, n from counters) select n + 1 from x order by id

with recursive r as (select 1 as i, n from counters where id = 1 union all select i + 1, n + 1 from r where i < 3) select * from r order by i

with u as (update counters set n = n + 1 where id = 1 returning n) select n from u

with d as (delete from counters where n = 10 returning *) select * from d

with i as (insert into counters (id, n) values (9, 90) returning n, id) select * from i

select pg_typeof(n), pg_typeof(n + 1), pg_typeof(array_agg(n)) from counters group by n order by n

select array[n, 1], row(n, id), (n, id)::text from counters order by id

select to_jsonb(c), row_to_json(c)::text from counters c order by id

select c::text from counters c order by id

select (c).n, (c).* from counters c order by 1

select count(c), count(c.*) from counters c

select json_build_object('n', n) from counters order by id

select format('%s', n), n || '' from counters order by id

-- args: 10
select id from counters where n::text = $1

-- args: 10
select id from counters where n = $1::bigint

-- args: 10
select id from counters where n = $1::text::int

-- args: 1
select n from counters where id = $1 for update

table counters

values (1, (select n from counters where id = 1))

insert into counters values (9, 90, 'x')

insert into counters values (9, default, 'x') returning *

insert into counters (id) values (9) returning n

insert into counters (id, n) values (9, default), (10, 100) returning n, note

-- error: 23502
insert into counters default values

insert into counters (id, n) values (9, null)

insert into counters (id, n) values (9, '90') returning n

-- args: 9|90
insert into counters (id, n) values ($1, $2) returning *

-- args: 9|90
insert into counters (id, total) values ($1, $2) returning total, n

-- args: 90
insert into counters (id, n) values ($1::int, $1)

insert into counters (id, n) values (9, 1.5) returning n

insert into counters (id, n) values (9, 2.5::float8) returning n

-- error: 22003
insert into counters (id, n) values (9, 99999999999)

-- error: 22P02
insert into counters (id, n) values (9, 'x')

-- error: 23505
insert into counters (id, n) values (9, 10)

insert into counters (id, n) values (9, call_int()), (10, call_int() + 5) returning n

insert into counters (id, n) values (9, (select max(n) + 1 from counters))

insert into counters (id, n) select id + 10, n + 1 from counters returning *

insert into counters select id + 10, n + 1, note from counters

insert into counters (id, n) select 9, 99

insert into counters (id, n) select 9, '99'

insert into counters (id, n) select 9, 99.7 returning n

-- args: 99
insert into counters (id, n) select 9, $1

insert into counters (id, n) select g, call_int() from generate_series(11, 13) g returning n

insert into counters (id, note) select g, 'x' from generate_series(11, 11) g returning n

insert into counters (n, id) select n, id + 20 from others where n = 20 union all select 31, 32

insert into counters (id, n) select 9, 99 order by 1 limit 1

insert into counters (id, n) values (1, 50) on conflict (id) do update set n = excluded.n returning *

insert into counters (id, n) values (1, 50) on conflict (id) do update set n = counters.n + excluded.n returning n

insert into counters (id, n) values (9, 10) on conflict (n) do update set note = excluded.note || counters.n returning *

insert into counters (id, n) values (9, 10) on conflict (n) do update set n = counters.n + excluded.n, note = 'again' returning *

insert into counters as c (id, n) values (9, 10) on conflict (n) do update set n = c.n + 1 where c.n = excluded.n and excluded.n > 3 returning *

-- args: 9|10
insert into counters (id, n) values ($1, $2) on conflict (n) do nothing

-- args: 9|10
insert into counters (id, n) values ($1, $2) on conflict on constraint counters_n_key do update set note = 'c' returning *

insert into counters (id, n) values (9, 10) on conflict do nothing

insert into counters (id, n) values (9, 10), (10, 100) on conflict (n) do update set n = excluded.n + 1000 returning id, n

-- error: 21000
insert into counters (id, n) values (9, 10), (10, 10) on conflict (n) do update set note = 'x'

update counters set n = n + 1

update counters set n = 5 where n = 10

-- args: 5|1
update counters set n = $1 where id = $2

-- args: 5
update counters set n = n + $1 returning n

-- args: 5
update counters set n = $1, note = $1::int::text where id = 1

update counters set n = '5' where id = 1 returning n

update counters set n = 7.6 where id = 1 returning n

-- error: 22003
update counters set n = n * 1000000000

-- error: 22003
update counters set n = 3000000000 where id = 1

update counters set n = default where id = 1 returning n

update counters set n = null where id = 1

update counters set (n, note) = (6, 'six') where id = 1

update counters set (note, n) = ('six', default) where id = 1

update counters set (n, note) = row(call_int(), 'six') where id in (1, 2)

update counters set (n, note) = (select o.n + 100, o.label from others o where o.id = counters.id) returning *

update counters set n = (select max(o.n) from others o) where id = 1

update counters set n = call_int() returning n

update counters set n = call_int() + n, note = n::text returning n, note

update counters set n = c2.n + 100 from counters c2 where counters.id = c2.id returning counters.n, c2.n

update counters c set n = o.n + 1 from others o where o.n = c.n returning c.*, o.n

update counters set note = n where n > 3 returning note

update counters set total = 8 where total = 10 returning total, n

delete from counters where n = 10

delete from counters where n < 0 returning n

delete from counters c using others o where c.n = o.n returning c.n, o.n

-- args: {10}
delete from counters where n = any($1) returning *

merge into counters c using others o on c.n = o.n when matched then update set n = c.n + o.n when not matched then insert (id, n) values (o.id + 100, o.n + 1000)

merge into counters c using (values (1, 5), (9, 90)) v(id, x) on c.id = v.id when matched then update set n = v.x when not matched then insert (id, n, note) values (v.id, v.x, 'new')

merge into counters c using (values (9, 90)) v(id, x) on c.id = v.id when not matched then insert (id, n) values (v.id, default)

merge into counters c using (values (1)) v(id) on c.id = v.id when matched and c.n = 10 then delete

select n, count(*) from counters group by 1 having n > 3 order by 1

select n as m, count(*) from counters group by m having count(*) > 0 and n < 50 order by m

select n, count(*) from counters group by rollup (n) order by n, 2

select n, grouping(n), count(*) from counters group by cube (n, note) order by n, note, 2

select n, note from counters group by (id) order by id

select n > 3 as big, count(*) from counters group by big order by big

select n > 3, count(*) from counters group by n > 3 order by 1

select case when n > 3 then 'big' end as size from counters group by n order by n

select c.n, max(o.id) from counters c left join others o on o.n = c.n group by c.n order by c.n

select distinct n from counters order by counters.n

select n from (select n from counters order by n limit 2) s order by n desc

(select n from counters order by n limit 1) union all (select n from counters order by n desc nulls last limit 1) order by 1

select * from counters order by n desc nulls last limit 2

select c.* from counters c order by n desc nulls last limit 2

select c.*, o.id from counters c join others o on true order by c.n, o.id

select *, n + 1 as m from counters order by n, m

select c.n from counters c, others o where o.id = c.id order by n

select n, n from counters order by n

select n, id as n from counters where false

select id, n as total from counters order by total

select id as total, n from counters order by n

select id as total from counters order by n desc nulls last

select id from counters order by n using >

select id from counters order by n, id for update

select array(select n from counters order by n)

select sum(n) over (order by n rows 1 preceding), n from counters order by n, id

select n, sum(n) over (order by n range between 5 preceding and current row) from counters order by n

-- args: 10
select coalesce(max(n), $1), min(n)::text, max(n) - min(n) from counters where n > $1

select max(counters.n) as n from counters

select pg_catalog.max(n) from counters

select (select max(n) from counters) as m, (select min(c.n) from counters c where c.id > others.id) from others order by others.id

select note, max(n), min(n) from counters group by note having max(n) > 3 order by max(n)

select max(n order by id), max(distinct n) from counters

select max(n) over (), n from counters order by 2

select n from counters order by (n)

with x as (select n from counters order by n desc nulls last limit 1) select n from x

-- args: 2
select id from counters order by n limit $1 offset 1

delete from counters where n = (select max(n) from counters) returning n

delete from counters where id in (select id from counters order by n limit 1) returning *

update counters set n = (select min(c.n) - 1 from counters c) where n = 10 returning n

select n from counters where n >= all (select c.n from counters c where c.n is not null)

-- args: {10}
select n = any($1), n <> all($1) from counters order by id

select 10 = any(array_agg(n)) from counters

select n::bigint = 10, n::numeric < 10.5 from counters order by id

select id from counters where (n) = 10

select id from counters where n + 0 = 10

select id from counters where not (n > 3) order by id

select id from counters where n = id * 10 order by id

select c.id from counters c where c.n = (select o.n from others o where o.id = c.id)

select id from counters where (n, note) = (10, 'ten')

select id from counters where (n, note) in (select n, 'ten' from others)

select id from counters where (n, note) in (values (10, 'ten'), (40, null))

select id from counters where row(n, id) < row(10, 2) order by id

-- args: 10|ten
select id from counters where (n, note) is not distinct from ($1, $2)

select id from counters where n operator(pg_catalog.=) 10

select id from counters where n % 2 = 0 and n & 1 = 0 order by id

select id from counters where n between symmetric 40 and -5 order by id

-- args: 10
select id from counters where n between 0 and $1 order by id

-- args: 1.5
select id from counters where n > $1::numeric order by id

select id from counters where n > -6 and n < '20' and n in ('10', '-5') order by id

select id from counters where n is not null and n not in (select o.n from others o where o.n is not null) order by id

select n is null, n in (select o.n from others o), n = any(select o.n from others o where o.n is not null) from counters order by id

select id from counters where n < all(select o.n from others o where o.n is not null) order by id

select id from counters where (n, id) in (select o.n, o.id from others o) order by id

-- error: 42883
select id from counters where n in (select '10')

-- error: 42883
select id from counters where n in (select o.label from others o)

select n is null as missing, count(*) from counters group by n order by 1, 2

select n is null as missing, count(*) from counters group by n is null order by 1, 2

select c.id from counters c left join others o on o.n = c.n where o.n is null and c.n is not null order by 1

insert into counters (id, n, note) values (9, 9, 'ten') on conflict (note) where n > 8 and n < 11 do update set n = excluded.n, note = 'eleven' returning *

-- args: 10
select id from counters where n in ($1, 11, 5000000000) order by id

-- args: 10
select id from counters where n not in ($1, 1.5) order by id

-- args: 10
select id from counters where n in ($1, id, 40) order by id

-- args: 10|40
select id from counters where n not in ($1, $2, 7) order by id
