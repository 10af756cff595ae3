with u as (select * from users) select * from u

with u as materialized (select full_name from users) select full_name from u order by 1

with users as (select 1 as full_name) select full_name from users

with users as (select * from users) select full_name from users

with u(id, n) as (select id, full_name from users) select n from u

with u(x, name) as (select id, full_name from users) select name from u, users where x = id

with a as (select full_name from users), b as (select * from a) select full_name from b, products

with recursive t(id, name) as (select id, full_name from users where id = 1 union all select u.id, u.full_name from users u join t on u.id = t.id + 1) select name, id from t order by id

with recursive t as (select id, full_name from users where id = 1 union all select u.id, u.full_name from users u, t where u.id = t.id + 1) select * from t

with recursive t as (select id, full_name from users where id = 1 union all select u.id, u.name from users u, t where u.id = t.id + 1) select full_name from t

with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select full_name, i from users, n where id = i

with recursive t(id, p) as (select 1, 1 union all select u.id::int, 1 from users u, t where u.id = t.id + 1) search depth first by id set name select t.name from t

with t as (insert into users (id, full_name) values (9, 'Neu') returning *) select * from t

with t as (insert into users (id, full_name) values (9, gen('x')) returning id, full_name) select full_name from t

with t as (update users set full_name = gen(full_name) where id < 3 returning *) select full_name from t order by 1

with t as (delete from users where name = 'Ann' returning *), s as (insert into archive.users select id + 20, email, full_name from t) select full_name from t

with d as (delete from users where id = 1 returning full_name) insert into products (id, name) select 50, full_name from d

with v as (select 'Vic' as n) insert into users (id, full_name) select 9, n from v

with v as (select 'Vic' as n) insert into users (id, full_name) values (9, (select n from v)) returning full_name

with v as (select 'Vic' as n) update users set full_name = (select n from v) where id = 1 returning name

with v as (select 'Vic' as n) update users set name = n from v where id = 1 returning *

with v as (select 1 as i) delete from users using v where id = i returning *

with _crossfade as (select 1) select full_name from users

with a as (with users as (select 1 as full_name) select full_name from users) select a.full_name, users.full_name from a, users

with a as (with b as (select full_name from users) select * from b) table a

(with a as (select full_name from users) select * from a) union all (with a as (select name from products) select * from a) order by 1

select * from (with a as (select full_name from users) select * from a) x
