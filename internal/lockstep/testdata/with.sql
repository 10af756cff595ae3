with users as (select 1 as id, 'x' as full_name) select full_name from users

with users as (select 1 as id, 'x' as full_name) select * from users

with users as (select id, {s} as full_name from users) select full_name from users

with users as (select * from users) select {s} from users

with users as (select id, name from orders) select name from users

with users as (select id, name from orders) select users.name, u.{s} from users join public.users u on u.id = users.id

with users (name, {s}) as (select {s}, id from users) select {s}, name from users

with x as (select {s} from users) select {s} from x

with x as (select * from users) select x.* from x

with x as (select u.* from users u) select x.{s} from x where x.id = 1

with x (a) as (select {s} from users) select a from x

with x as materialized (select {s} as name from users) select name from x

with x as not materialized (select id, {s} from users) select a.{s}, b.id from x a, x b where a.id = b.id

with a as (select {s} from users), b as (select {s} from a), users as (select {s} from b) select {s} from users

with orders as (select id, {s} from users) select {s} from orders

select (with users as (select 5 as full_name) select full_name from users), {s} from users

select * from (with users as (select 5 as name) select name from users) x, users u where u.id = 1

with recursive users as (select 1 as n union all select n + 1 from users where n < 3) select n from users

with recursive r (n, {s}) as (select id, {s} from users where id = 1 union all select r.n + 1, u.{s} from r join users u on u.id = r.n + 1) select n, {s} from r

with recursive r as (select id, {s} from users where id = 1 union select u.id, u.{s} from users u join r on r.id + 1 = u.id) select * from r

with recursive users as (select * from public.users) select {s} from users

with recursive a as (select {s} from users), users as (select 1 as x) select * from a

with d as (delete from users where id = 2 returning *) select * from d

with d as (delete from users where id = 2 returning {s}, id) select {s}, id from d

with d as (delete from users where id > 4 returning {s}), users as (select {s} from d) select {s} from users

with i as (insert into users (id, {s}) values (50, {1}) on conflict do nothing returning *) select id, {s} from i

with u as (update users set {s} = {s} where id < 3 returning id, {s}) select u.{s}, users.{s} from u join users on users.id = u.id

with u as (update users set age = 1 where {s} is not null returning {t}) select * from u

with i as (insert into orders (id, note) select 60 + id, 'n' from users where {s} is not null returning id) insert into stock (id) select id from i

with users as (select 70 as id) insert into users (id) select id from users

with users as (select 70 as id) insert into users (id) select id from users returning {s}, id

with users as (select 2 as id) delete from public.users where id in (select id from users) returning {s}

with users as (select 2 as id) update users set age = 5 where id = 2 returning {s}

with x as (select id, {s} from users) update users set {s} = x.{s} from x where x.id = users.id and users.id = 1

with x as (select {s} from users where id = 4) update users set {s} = (select {s} from x) where id = 3

with x as (select 1 as a), y as (insert into users (id) select 80 returning id, {s}) select * from x, y

with recursive full_name (n) as (select 1 union select n + 1 from full_name where n < 2) select n, {s} from full_name, users where users.id = n

with name as (select {s} from users) select name.{s} from name

with name as (select {s} as name from users) select name.name from name

with name as (select {s} as name from users) select * from name
