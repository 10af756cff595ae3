select * from users

select users.* from users

select u.*, u.* from users u

select *, {s} from users

select {s}, * from users order by id

select u.*, o.* from users u join orders o on o.user_id = u.id

select o.*, u.{s} from users u right join orders o on o.user_id = u.id

select * from users, stock where users.id = stock.id

select * from users cross join (select 1 as one) x

select * from (select * from users) u

select * from (select * from (select * from users) a) b where b.id = 1

select u.{s} from (select * from users) u

select * from users where id in (select id from (select * from users) x)

select * from users u, lateral (select u.*) x

select x.* from users u, lateral (select u.{s}, u.id + 1 as next) x

select x.{s} from users u cross join lateral (select u.{s}) x

select u.id, x.v from users u left join lateral (select u.{s} as v where u.id > 2) x on true

select id, n from users, generate_series(1, length({s}::text)) n

table users

table users order by id limit 2

(table users) union all (table users)

select * from users union select * from users

select {s} from users union all select null from users

select {s} from users where id = 1 union all select {s} from users where id = 2

-- needs: text
select {s} from users union select name from orders

-- needs: text
select name from orders union select {s} from users order by name

-- needs: text
select name from orders except select {s} from users

-- needs: text
select full_name from stock intersect select {s} from users

-- needs: order
select distinct {s} from users

-- needs: order
select distinct {s}, {s} is null from users order by {s}

-- needs: order
-- ordered
select distinct on ({s}) {s}, id from users order by {s}, id

-- needs: order
-- ordered
select distinct on ({s}) * from users order by {s}, id

-- needs: order
select {s}, count(*) from users group by {s}

-- needs: order
select {s} as x, count(*) from users group by x

-- needs: order
select {s}, count(*) from users group by 1 having count(*) > 0 order by 1

-- needs: order
select u.{s} as {t}, count(*) from users u group by u.{s}

-- needs: order
select {s}, id from users group by id

-- needs: order
select {s}, id, count(*) from users group by grouping sets (({s}), (id), ())

-- needs: order
select {s}, grouping({s}), count(*) from users group by rollup ({s})

-- needs: order
select {s}, id, grouping({s}, id) from users group by cube ({s}, id)

-- needs: order
-- needs: id
select users.id, {s}, count(o.id) from users left join orders o on o.user_id = users.id group by users.id

-- needs: key
select {s}, users.id, count(o.id) from users left join orders o on o.user_id = users.id group by {s}

-- needs: key
select u.{t}, u.email, u.age + 1 from users u group by u.{t}

-- needs: key
select {s} as k, email from users group by 1

-- needs: key
select users.{s}, max(o.note), users.email from users, orders o group by o.user_id, users.{s}

-- needs: text
select upper({s}) as name, count(*) from users group by name

-- needs: text
select upper({s}) as {s}, count(*) from users group by {s}

-- needs: text
select upper({s}), count(*) from users group by upper({s}) having upper({s}) <> 'X'

-- needs: text
select left({s}, 1) as {t}, min({s}) from users group by {t} order by {t}

-- needs: order
-- ordered
select id from users order by {s}, id

-- needs: order
-- ordered
select {s} as id, id as x from users order by id, x

-- needs: order
-- ordered
select id, {s} from users order by 2 desc nulls last, 1

-- ordered
select id, {s} from users order by case when {s} is null then 0 else 1 end, id

-- needs: order
-- ordered
select id from users order by {s} using >, id

-- needs: order
-- ordered
select id, {s} from users order by {s} is null, {s} desc, id fetch first 3 rows with ties

-- ordered
select {s} from users order by id limit 2 offset 1

-- ordered
select {s} from users order by id limit all offset 2

-- ordered
select {s} from users order by id fetch next row only

-- needs: order
select id, rank() over (order by {s}), count(*) over (partition by {s}) from users

-- needs: order
select id, first_value({s}) over w, lag({s}) over w from users window w as (order by id)

-- needs: order
select id, sum(age) over (partition by {s} is null order by id rows between 1 preceding and current row) from users

select array_agg({s} order by id) from users

select jsonb_agg({s} order by id), json_object_agg(id, {s} order by id) from users

-- needs: text
select string_agg({s}, ',' order by {s}) filter (where {s} > 'B') from users

-- needs: text
select string_agg(distinct {s}, ',' order by {s}) from users

-- needs: order
select mode() within group (order by {s}), percentile_disc(0.5) within group (order by {s}) from users

select json_build_object('full_name', {s}, 'name', id) from users

select id, {s} from users for update

-- ordered
select id, {s} from users u order by id for no key update of u skip locked

select u.{s} from users u join orders o on o.user_id = u.id for share of o nowait

select id from users for update of users

select u.{s} from only users u

select u.{s} from users * u

select id from users tablesample bernoulli (100) where {s} is not null

select a.{s}, b.{s} from users a full join users b on a.id = b.id + 1

select a.{s} from users a join users b using (id)

select * from users join stock using (id)

select users.* from users join stock using (id)

select id, {s} from users join orders using (id)

select users.{s} from users natural join orders

select * from stock natural join archive.users

select full_name from archive.users

select a.full_name, u.{s} from archive.users a join users u on u.id = a.id

select archive.users.full_name, public.users.{s} from archive.users, public.users where archive.users.id = public.users.id

select x.a from users as x(a) where a = 1

select u.{s} from (users u join orders o on o.user_id = u.id)

select count(users.*) from users

select row_to_json(u) from users u

select users from users

select (u).id from users u

select (u).{s} from users u

select (u.*).id from users u

select u::text from users u

select row(u.*) from users u

select row(u.*, 1) from users u

select to_jsonb(u) - 'id' from users u

select {s}(users) from users

select u is null from users u

select u = u from users u

select null::users

select exists (select * from users), exists (select users.* from users)

select count(*) from (select * from users) x

select jsonb_build_object('u', x) from (select id, {s} from users) x

select x from (select id, {s} from users) x

select x.* from (select u from (select id, {s} from users) u) x

values ((select {s} from users where id = 1)), ((select {s} from users where id = 2))

select * from (values ((select {s} from users where id = 1), 1)) v(name, full_name)

select 1 where (select {s} from users where id = 1) is not null

select from users where {s} is not null

explain (costs off) select id from orders where id = 1

select pg_typeof({s}), pg_typeof({t}) from users where id = 1

select a.{t}, b.{s} from users a join users b on a.id = b.id

select u.{t} from users u where u.{t} is not null
