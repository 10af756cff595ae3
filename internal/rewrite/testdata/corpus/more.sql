select full_name, l.name from users, lateral (select name) l

select (select name from (select 1 as x) s) from users

select name from products where exists (select 1 from users where products.name = full_name)

insert into users (id, full_name) values (20, (select full_name || '+' from users u2 where u2.id = 1))

insert into users (id, full_name) select id, full_name from users on conflict (id) do nothing

insert into users (id, full_name) select u.id + 20, u.full_name || o.id from users u join orders o on o.user_id = u.id on conflict do nothing returning id, name

insert into users (id, name) select 1, a from orders where id = 1 on conflict (id) do update set name = excluded.name, email = excluded.full_name returning *

with users as (select 1 as id) update users set full_name = 'x' from users u where u.id = 2

select id, first_value(full_name) over (order by full_name rows between unbounded preceding and current row) from users

select full_name from users where id in (select id from users order by name limit 1)

table users union all table users

select * from users union all select * from users order by full_name, id

-- args: Ann
select full_name from users where full_name = coalesce($1, full_name)

-- args: null
update users set full_name = coalesce($1, full_name)

-- args: abcdef
update users set full_name = $1::varchar(3) where id = 1

-- args: x|true
update users set full_name = case when $2 then $1 else full_name end where id = 1

-- args: x|y
insert into users (id, full_name) values (20, $1 || $2)

-- args: 5|x
insert into users (id, balance, full_name) values (1, $1, $2) on conflict (id) do update set balance = $1, full_name = $2

-- args: x
insert into users (id, full_name) select 20, $1::text || id from users where id = 1

select full_name as "name", name as "full_name" from users order by name

select substr(full_name, 1, 1) as name, count(*) from users group by name

select u.full_name as name from users u group by name

select distinct name from users order by name

delete from users where ctid in (select ctid from users where full_name = 'Ann')

select case full_name when 'Ann' then 1 end from users

select full_name from users u tablesample bernoulli (100) repeatable (1)

select full_name, m from users cross join lateral (select max(name) as m from products) x

select name, full_name from users left join (select id, email as name from pairs_of_text) x on x.id = users.id

select id from users order by name desc nulls last limit 2

select count(*) from users group by full_name order by count(*), full_name

select full_name, (select count(*) from orders where user_id = users.id and a = full_name) from users

select d.name from devices d where d.name > (select min(u.name) from users u)

select d.id from devices d where exists (select name from users where id = d.id)

select u.id, o.a from users u, orders o where o.user_id = u.id and (u.full_name, o.a) > ('A', 'a') order by o.id

select jsonb_agg(x order by x.id) from (select id, full_name from users) x

select jsonb_object_agg(id, full_name), json_agg(name order by id) from users

select w from users u, unnest(string_to_array(u.full_name, 'n')) as w order by u.id, w

select u.full_name, w.n from users u, unnest(array[1, 2]) with ordinality as w(n, i) order by u.id, w.i

select key, value from users u, jsonb_each_text(jsonb_build_object('a', u.full_name)) where u.id = 1

select x.* from users u, jsonb_to_recordset('[{"name": "j"}]') as x(name text) where u.full_name = 'Ann'

select name from users, jsonb_to_recordset('[{"name": "j"}]') as x(name text) where full_name = 'Ann'

select full_name from users where exists (select from users u2 where u2.full_name > users.full_name)

select a.full_name, b.name from users a join users b on b.id = a.id + 1 order by a.id

select a.*, b.name as next from users a left join users b on b.id = a.id + 1 order by a.id

update users a set full_name = b.full_name || a.id from users b where b.id = a.id + 1 returning a.full_name, b.full_name

update users a set full_name = gen(b.name) from users b where b.id = a.id + 1 and a.id = 1 returning a.*

delete from users a using users b where b.id = a.id + 1 and b.full_name = 'Bob' returning a.full_name, b.*

select full_name from users except select name from products order by 1

select full_name from users where full_name = any (array['Ann', 'Bob']) and full_name <> all ('{Cyd}')

select full_name ~ '^A', full_name !~* 'x', full_name like '%!%%' escape '!' from users

update users set full_name = email like 'a%' where id = 1

update users set full_name = full_name like 'a%!' escape '!' where id = 1

update users set full_name = array_to_string(array[full_name, email], ' ') where id < 3

update users set full_name = trim(both 'A' from full_name), balance = default where id = 1 returning *

update users set full_name = nullif(full_name, 'Ann') || '', email = greatest(email, full_name) returning *

update users set full_name = (array['a', 'b', 'c', 'd'])[id] || id

update users set full_name = to_char(created_at, 'YYYY') || id where full_name is not null returning full_name collate "C"

update users set (full_name, balance) = (select name, price from products p where p.id = users.id) where id in (select id from products)

update users set (full_name, balance) = (select p.* from (select name, price from products p where p.id = users.id) p)

with p as (select id, name || '!' as name from products) update users u set full_name = p.name from p where p.id = u.id returning *

with p as (select id, name from products), u as (update users set full_name = p.name || '?' from p where p.id = users.id returning users.id, full_name) insert into orders (id, a) select id + 50, full_name from u returning *

with a as (update accounts set owner = gen('z') where id = 1 returning *), b as (update users set name = gen('y') where id = 1 returning *) select a.owner, b.full_name from a, b

insert into accounts (id, owner) select id + 20, full_name from users returning id, holder

insert into vouchers (id, code, amount) values (20, default, 1), (21, gen('m'), 2) on conflict (id) do nothing returning id, amount

insert into users (id, full_name) values (20, 'a'), (21, (select 'b')), (22, gen('c') || gen('d')) returning id, full_name

insert into users (id, full_name, balance) select 20, string_agg(full_name, ',' order by id), sum(balance) from users

insert into users (id, full_name) select row_number() over (order by id) + 20, 'r' || id from orders

insert into users (id, full_name) select 20, 'x' where not exists (select 1 from users where name = 'x') returning *

insert into users (id, full_name) select s + 20, 's' || s from generate_series(1, 3) s returning full_name

insert into users (full_name, id) select a, 20 from orders where a = 'Ann!' union all select 'U', 21

insert into users (id, full_name) select 20, null

insert into users (id, full_name) select 20, (null)::text

insert into users (id, full_name) (select 20, 'y' order by 1 limit 1)

insert into users (id, full_name) ((select 20, gen('y')))

insert into users (id, full_name) values (20, 'a' 'b')

insert into users (id, full_name) values (20, 'a'
'b')

insert into users (id, full_name) values (20, $x$a, (b$x$), (21, E'\'), (') returning full_name

insert into users(full_name,id)values('a',20)returning*

select all full_name from users order by users.full_name using >

select full_name from users group by all full_name

select full_name, count(*) from users group by distinct rollup (full_name, name) order by 1, 2

select u.full_name from users u where (select count(*) from users v where v.name <= u.name) = 2

select x.full_name, y.full_name from (select * from users) x join (select * from archive.users) y using (id)

select * from (select id, full_name from users) x join (select id, owner from accounts) y using (id)

select x.name from (select full_name as name from users union all select name from products) x order by 1

select coalesce(x.full_name, p.name) from (select full_name, id from users) x full join products p on p.id = x.id

begin; insert into users (id, full_name) values (30, 'S'); savepoint s; update users set name = 'T' where id = 30; release s; select * from users where full_name = 'T'

select full_name from users -- trailing; comment

select full_name /* ; */ from users;
