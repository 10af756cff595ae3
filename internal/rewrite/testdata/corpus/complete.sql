merge into users u using orders o on u.id = o.id when matched then update set full_name = o.a || '!' when not matched then insert (id, full_name) values (o.id, o.b)

merge into users u using (values (1, 'x'), (20, 'y'), (21, null)) as v(id, n) on u.id = v.id when matched and u.full_name = 'Ann' then update set (full_name, balance) = (v.n, u.balance + 1) when matched then delete when not matched and v.n is not null then insert values (v.id, 'e', v.n) when not matched then do nothing

merge into accounts a using (values (1), (30)) as v(id) on a.id = v.id when matched then update set owner = default when not matched then insert (id) values (v.id)

merge into accounts a using (values (1), (30)) as v(id) on a.id = v.id when not matched then insert default values

merge into accounts a using (values (1), (30)) as v(id) on a.id = v.id when matched then update set holder = default, kind = 'k' when not matched then insert (id, holder) values (v.id, default)

merge into users using orders o on users.id = o.id and users.name = o.a when matched then do nothing when not matched and case when o.a is null then false else true end then insert (full_name, id) values (case o.a when 'a1' then 'one' else upper(o.a) end, o.id + 50)

merge into users u using orders o on u.id = o.id when matched then update set full_name = gen('m')

merge into users u using (select id + 30 as id, full_name from users) s on u.id = s.id when not matched then insert (id, full_name) overriding user value values (s.id, s.full_name)

with src as (select 2 as id, 'two' as name) merge into users u using src on u.id = src.id when matched then update set name = src.name

select row_to_json(u) from users u order by u.id

select row_to_json(users) from users order by id

select to_jsonb(u.*) from users u order by id

select count(u), count(distinct u), count(u.*) from users u

select json_agg(u order by u.id) from users u

select array_agg(u.full_name order by u.id), jsonb_agg(to_jsonb(u) - 'id' order by u.id) from users u

select o.id, row_to_json(u) from orders o left join users u on u.id = o.user_id order by o.id

select o.id, u is null, u is not null, u is distinct from null from orders o left join users u on u.id = o.user_id order by o.id

select o.id, count(u), count(u.*) from orders o left join users u on u.id = o.user_id and u.full_name > 'B' group by o.id order by o.id

select u::text from users u order by id

select coalesce(u::text, '-') from orders o left join users u on u.id = o.user_id order by o.id

select a.id from users a join users b on a = b order by a.id

select row(u.*) from users u order by id

select row(u.*, 1)::text from users u order by id

select row(u.id, u.*)::text, (row(u.*)).f1 from users u order by id

select (u).full_name, (u).name as n, (u).id from users u order by id

select (u).* from users u order by (u).id

select full_name(u) from users u order by id

select upper(full_name(u)) as up from users u where full_name(u) like 'A%'

select x.r from (select row_to_json(u) as r from users u) x order by x.r::text

select to_jsonb(u) ->> 'full_name' from users u order by id

insert into users (id, full_name) values (20, 'a') returning row_to_json(users)

update users u set full_name = 'w' where id = 1 returning row_to_json(u), (u).full_name, full_name(u)

delete from users where id = 1 returning to_jsonb(users.*)

select users.* from users natural join (select 1::bigint as id) x

select * from users natural join (select 1::bigint as id) x

select * from users join orders using (id) order by id

select id, full_name, a from users join orders using (id) where full_name is not null order by id

select * from orders join users using (id) order by id

select u.*, o.a from orders o join users u using (id) order by id

select * from (select id, full_name from users) a natural full join (select id, name as full_name from products) b order by 1, 2

select * from users u natural left join (select id, a as full_name from orders) o order by id

select full_name from users join (select name as full_name, price from products) p using (full_name)

select full_name, u.full_name, p.full_name from users u left join (select name as full_name from products) p using (full_name) order by u.id

select u.name from users u left join (select name as full_name from products) p using (full_name) order by 1

select j.* from (users u join orders o on o.user_id = u.id) as j(a, b, c) order by 1, j.user_id

select j.full_name, j.a from (users join orders on orders.user_id = users.id) as j order by 1, 2

select x.n, x.e from users as x(i, e, n) order by i

select n from users as x(i, e, n) where n > 'A' group by n order by n

select * from users as x(full_name, name, email) order by 1

select x.full_name, y.name from users x(full_name) cross join lateral (select x.name as name) y order by 1

select name, full_name from users x(i, e, full_name) where i = 1

select public.users.full_name from users join orders using (id) where public.users.id = 1

select public.users.* from users join orders using (id) order by id

select * from users join orders using (id) where users.name = 'Ann' for update of users

select * from users natural join (select 1::bigint as id) x for share

with recursive t(id, full_name, n) as (select id, full_name, 1 from users where id = 1 union all select u.id, t.full_name || u.full_name, n + 1 from t join users u on u.id = t.id + 1) search depth first by full_name set ord select id, full_name, n from t order by ord

with recursive t as (select id, full_name from users where id = 1 union all select u.id, u.name from t join users u on u.id = t.id % 4 + 1) cycle id, full_name set looped using path select id, full_name, looped from t order by path

with recursive r as (select full_name, id from users where id = 1 union select u.full_name, u.id from users u, r where u.id = r.id + 1) select * from r order by id

update sets set tags[1] = 'z' where id = 1 returning tags

update sets set tags[3] = 'z', nums[1] = 9 where id = 1 returning *

update sets set tags[1] = 'y', tags[2] = 'z' where id = 1 returning *

update sets set labels[2] = upper('q') where id = 1 returning tags, labels

update sets set tags[id] = gen('t') where id = 1 returning tags

update sets set tags[1:2] = array['m', 'n'] where id = 1 returning tags

update docs set body['k'] = '5' where id = -1 returning body

update docs set content['k']['l'] = to_jsonb(note) where id = -1 returning body, content

insert into sets (id, tags) values (10, array['q', null]) returning tags[1], labels[2:2], (tags || 'x')[3]

select tags[1] as labels from sets order by tags[1]

update users set full_name = lower(full_name) || length(name) where id = any (select id from users where full_name is not null) returning *

update users set (email, full_name) = row ('e' || id, upper(full_name)) where id = 1 returning *

update users set (full_name) = row (gen('r')) where id = 1 returning full_name

update users set (full_name, email) = (select 'none', 'none' where false) where id = 1 returning full_name, email

update users set (full_name, email) = (select full_name, name from users where id < 3) where id = 1

update users set full_name = full_name, email = name where name = full_name returning *

insert into users (id, full_name) select id + 20, lower(full_name) from users returning full_name

insert into users (id, full_name) select id + 20, coalesce(max(full_name), 'none') from users group by id having id < 3 returning full_name

insert into users (full_name, id) table (select 'q', 77) 

insert into users (id, email, full_name) select * from (select id + 40, email, full_name from users) x returning full_name

insert into users (id, full_name) select * from orders

-- refused
insert into users select * from archive.users where id = 7

insert into users (id, full_name) select * from (values (20, 'a'), (21, 'b')) v order by 1 limit 1

insert into users as u (id, full_name) values (1, 'q') on conflict (id) do update set full_name = u.full_name || excluded.full_name, email = u.name || excluded.name where u.full_name <> excluded.name returning u.*

insert into users (id, full_name) values (1, 'q') on conflict (id) do update set (full_name, email) = (select excluded.full_name || users.full_name, excluded.name)

insert into users (id, full_name) values (1, 'q') on conflict (id) do update set full_name = gen(excluded.full_name) returning full_name

insert into users (id, full_name) values (99, 'Ann') on conflict (full_name) do nothing

insert into users (id, full_name) values (99, 'Ann') on conflict (name) do update set balance = 7 where users.full_name = excluded.full_name returning *

select distinct on (full_name) full_name, id from users order by full_name, id desc

select distinct on (name) id, name from users order by name, id

select full_name, lag(name) over w, rank() over (partition by full_name is null order by name desc) from users window w as (order by full_name nulls first rows unbounded preceding) order by id

select id, full_name from users order by full_name is null, full_name desc fetch first 2 rows with ties

select full_name from users where id = 1 for no key update of users skip locked

select (select full_name from users u2 where u2.id = u.id), exists (select * from users u3 where u3.full_name = u.name) from users u order by id

select id from users where (id, full_name) in (select id, name from users where name is not null) order by id

select id from users where row(full_name, id) >= row('Bob', 1) order by id

select id from users where full_name = any (select name from products union select 'Bob') order by id

select full_name from users union select name from devices intersect select 'Bob' order by full_name

values ((select full_name from users where id = 1)), ((select name from users where id = 2))

select t.full_name from (table users) t order by 1

select * from rows from (generate_series(1, 2), unnest(array['a', 'b'])) as r(id, full_name) join users using (id) order by id

select full_name from users where xmlexists('/a' passing xmlparse(content '<a/>')) order by id

select xmlelement(name full_name, full_name) from users where id = 1

select xmlforest(full_name) from users where id = 1

select "full_name", "name" from "users" "Users" where "Users"."full_name" = 'Ann'

select U&"full\005Fname" from users where U&"n\0061me" = 'Ann'

select /* ü é */ 'ß', full_name /* name */ from users -- full_name
where name = 'Ann'

select full_name as "größe" from users where 'größe' <> full_name order by "größe"

begin; set local search_path = archive; select public.users.full_name from public.users where id = 1; select full_name from archive.users order by id

begin; declare c scroll cursor with hold for select name, full_name from users order by id; fetch 2 from c; fetch absolute 1 from c; close c

prepare up(text, bigint) as update users set full_name = lower($1) where id = $2 returning *; execute up('QQ', 1); execute up(null, 2)

create temp table copied as select * from users; select * from copied order by id

select full_name, id into temp picked from users; select * from picked order by id

create temp table with_data(n) as select full_name from users where name is not null; select * from with_data order by n

select coalesce(full_name, 'Ann') as users from users group by users order by users

select u.full_name as u from users u order by u

update users set (name) = (select ('Ann')::text), (email) = row (full_name) from orders where users.id = orders.id and orders.id = 2

update users set (full_name) = (select gen('q')), (email) = (select 'e') where id = 1 returning full_name, email

insert into users as name (id) values (50) returning row_to_json(name)

select name.id, row_to_json(name) from users name order by name.id

select x.full_name, x.id from users as x(a) where a = 1

select email(u), id(u) from users u order by id

-- refused
select u from users u natural left join (select 1::bigint as id) x

select row_to_json(u) from users u natural left join (select 1::bigint as id) x order by u.id

select (u).full_name, u::text from users u natural left join (select 1::bigint as id) x order by u.id

select * from orders o, users natural join (select 1::bigint as id) x order by o.id

select u.id from users u, lateral (select u.full_name > 'B' as users) x where users order by u.id

select (select count(*) from users where x.users) from (select true as users) x

select count(u2.id) from (select true as users from orders where id < 3) d left join users u2 on exists (select 1 from users where users) group by d.users

select coalesce(full_name, '-') as users, count(*) from users right join orders o (c0, c1) on true group by rollup (users) order by 1, 2

merge into users u using orders o on u.id = o.id when matched and u.id = 1 then update set full_name = gen('m') when matched then update set email = 'x'

select email(name), full_name(name) from users name order by name.id

insert into users as name (id, email) values (54, 'e') returning email(name) as whole, id(name)

update users set full_name = 'x' where id = 1 returning old.full_name, new.full_name, old.name as was, new.id

update users u set full_name = 'x' where id = 1 returning with (old as o, new as n) o.full_name, n.name, o.*, n.*

update users set name = gen('v') where id = 1 returning old.*, new.*

insert into users (id, full_name) values (20, 'a') returning old.full_name, new.full_name, old.id is null

insert into users (id, full_name) values (1, 'q') on conflict (id) do update set full_name = excluded.full_name || users.full_name returning with (old as was) was.full_name, full_name, new.name

delete from users where id = 1 returning old.name, new.name, row_to_json(old), row_to_json(new)

merge into users u using orders o on u.id = o.id when matched then update set full_name = o.a when not matched then insert (id, full_name) values (o.id, o.b) returning merge_action(), old.full_name, new.full_name, u.name

with gone as (delete from users where id = 2 returning old.full_name as f) select f from gone
