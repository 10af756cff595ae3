select * from users

-- args: 2
select * from users where id = $1

select u.* from users u order by id

select public.users.* from public.users

select *, 1 as one from users u, products p where p.id = u.id

select * from users u join orders o on o.user_id = u.id left join products p on p.id = o.id

select o.*, u.* from orders o left join users u on u.id = o.user_id order by o.id

-- args: Ann
select id, full_name from users where full_name = $1

-- args: Ann
select id, name from users where name = $1

-- args: Bob|x
select full_name, $2::text from users where full_name = $1 or full_name is null

select full_name, full_name, name from users

select full_name::varchar(2), full_name::text collate "C", (full_name), ((full_name)::text) from users

select case when id = 1 then email else full_name end, case id when 1 then 'x' end from users

select coalesce(full_name, 'x'), nullif(full_name, 'Ann'), greatest(full_name, email), upper(full_name), full_name || '!' from users

select array[full_name], row(full_name, 1), (array[full_name])[1] from users

select full_name as name from users order by name

select full_name name from users order by full_name

select id as name, full_name from users order by name desc

select id as name from users order by full_name nulls first

select id as full_name from users order by name nulls first

select id, full_name from users order by full_name

select id, full_name from users order by lower(full_name) desc nulls last, id

select id, name from users order by full_name

select distinct full_name from users order by full_name

select distinct on (full_name) full_name, id from users order by full_name, id desc

select distinct on (name) id from users order by name, id

select full_name, count(*) from users group by full_name order by full_name

select name, count(*) from users group by full_name

select upper(email) as name, count(*) from users group by name

select upper(email) as name, id from users group by id, name order by name

select length(full_name) as full_name, count(*) from users group by full_name

select full_name, email, count(*) from users group by rollup (full_name, email)

select full_name, grouping(full_name) from users group by grouping sets ((full_name), ())

select max(full_name) from users having max(full_name) > 'A'

select full_name from users group by id having count(*) > 0

select full_name, row_number() over (partition by full_name order by full_name, id) from users

select full_name, sum(balance) over w from users window w as (partition by name order by id)

select count(full_name), count(distinct name), string_agg(full_name, ',' order by full_name), array_agg(name order by id) filter (where name is not null) from users

select percentile_disc(0.5) within group (order by full_name) from users

select name from users u join products p on p.id = u.id

select p.name, u.name from users u join products p on p.name = u.name

select name, full_name from users u join products on products.id = u.id order by full_name

select name from users, (values (1, 'v')) as v(a, name) where id = a

select name from users, (select 5 as name) s

select name from users join lateral (select email as name) l on true

select s from users, generate_series(1, 2) s where full_name = 'Ann'

select name, s from users, generate_series(1, 2) as s order by name, s

select id, name, a, b from users, pairs() as p(a, b) where id = a

select full_name from users u, products p where p.id = u.id

select d.full_name, u.full_name, d.name, u.name from devices d, users u where d.id = u.id

-- args: Ann
select * from products p where exists (select 1 from users u where u.id = p.id and name = $1)

select * from products p where exists (select 1 from users u where u.id = p.id and p.name is not null and u.name is not null)

select id, (select name from users u where u.id = p.id) from products p

select id, (select full_name from users u where u.id = p.id) from products p

select p.id, (select u.full_name) from products p join users u on u.id = p.id

select id from products where name in (select full_name from users)

select id from products where (id, name) in (select id + 1, name from users)

select id from products where name = any (select full_name from users) or name > all (select name from users where id > 3)

select array(select full_name from users order by id)

select (select count(*) from users where full_name is not null), exists (select * from users where name = 'x')

select x.full_name from (select * from users) x order by 1

select x.* from (select u.*, 1 as one from users u) x where x.full_name = 'Ann'

select name from (select full_name from users) x, products order by name

select x.n from (select full_name from users) as x(n) order by n

select x.name from (select full_name from users) as x(name) order by name

select y.full_name from (select x.full_name from (select full_name, id from users) x where x.id < 3) y

select row_to_json(x) from (select * from users) x

select x from (select id, full_name from users) x

(select full_name from users) union (select name from products) order by full_name

select id, full_name from users union all select id, name from products order by 2, 1

select full_name from users intersect select name from products

select name from products except select name from users

select full_name from users union all select full_name from devices order by full_name limit 2

table users

table users order by full_name limit 1

(table users)

values ((select full_name from users where id = 1)), ('x')

select * from (values (1), (2)) v(id) join users u on u.id = v.id

select id, full_name from users join pairs_of_text using (id)

select u.full_name, id from users u join orders using (id) where full_name is not null

select u.id from users u natural join pairs_of_text

select full_name from users where full_name like 'A%' and full_name not ilike '%z' and full_name between 'A' and 'Z'

select full_name from users where full_name similar to 'A%' or full_name is distinct from 'Ann'

select full_name is not distinct from 'Ann' from users

select id, full_name from users where id in (1, 2) for update

select u.id, full_name from users u, orders o where o.user_id = u.id for update of u skip locked

select full_name from users offset 1 limit 1

select full_name from users where id = 1 fetch first row with ties

select full_name from users where id = 1 limit (select count(name) from users)

select "full_name", "users"."name" from "public"."users"

select FULL_NAME, Users.Name from USERS

select U&"\0066ull_name" from users

select U&"!0066ull_name" uescape '!', id from users

select users.full_name from users u

select u.nope from products u, users

select nope from users

select full_name from users a, users b

select full_name from archive.users

select a.full_name, u.full_name from archive.users a, users u

select /* a */ full_name -- b
  , id /* c /* d */ */
from users -- e
order by full_name

select 'full_name', E'it''s \'users\'', $$users$$, $q$full_name$q$ from users where full_name = 'Ann'

select full_name from only users

select full_name from users tablesample system (100)

select json_build_object('n', full_name), to_jsonb(full_name) from users

select extract(year from created_at), substring(full_name from 1 for 2), position('n' in full_name), trim(both 'A' from full_name), overlay(full_name placing 'x' from 1) from users

select created_at at time zone 'UTC', full_name::text, created_at::timestamp with time zone from users

select cast(full_name as varchar), full_name::name from users

select interval '1' day, date '2020-01-01', full_name from users

select xmlelement(name n, full_name), xmlforest(full_name as f) from users

select owner, holder, kind from accounts order by holder

select u.full_name, a.owner from users u join accounts a on a.owner = u.full_name

select * from users u full join accounts a on a.id = u.id

select full_name from users; select owner from accounts; select 1

select count(*) from users

select id from users

select 1 from users where full_name = 'Ann'

select l.* from users u cross join lateral (select u.full_name, u.email) l

select * from (users u join orders o on o.user_id = u.id)

select u.name from ((users u join orders o on o.user_id = u.id) join products p on p.id = o.id)

select j.balance from (users u join pairs_of_text t using (email)) as j

select full_name, id from users where (full_name, id) = ('Ann', 1)

select full_name from users where full_name collate "C" > 'B' order by full_name collate "C"

select current_date = current_date, full_name from users

select users.ctid is not null, tableoid::regclass, full_name from users

select coalesce((select full_name from users where id = 99), 'none')

select full_name order from users

select full_name as order, id as "select" from users order by 2

-- args: 1|2
select full_name from users where id = any (array[$1, $2]::bigint[])

-- args: {1,2}
select full_name from users where id = any ($1)

-- args: a
select coalesce(full_name, $1) from users

-- args: Ann|3
select id from users where full_name = $1 or id = $2

select*from users

select"full_name"from users where"full_name"is not null

select u.*from users u order by"full_name"

select name from users as u(i, name) order by 1

select u.i, u.name, u.full_name from users as u(i, name) where name like '%@x' order by i

select (name).email, (name).id, (name).full_name from users name order by (name).id

select count(name), count(name.*) from orders o left join users name on name.id = o.user_id

select name.email from users name join users x on x.id = name.id where name is not null order by (name).email
