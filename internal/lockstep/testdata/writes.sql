insert into users (id, {s}) values (50, null)

insert into users (id) values (50)

insert into users (id) values (50) returning {s}

insert into users (id) values (50) returning *

insert into users (id, {s}) values (50, default) returning {s}, {t}

insert into users (id, {t}) values (50, default) returning *

insert into users (id, {s}) values (50, default), (51, default) returning {s}

insert into users (id, age) values (50, 1), (51, default) returning *

insert into users (id, {s}) values (50, (select {s} from users where id = 6)) on conflict do nothing returning id

insert into users values (50)

insert into users values (50, 'e') returning *

insert into users values (50, 'e', default) returning *

insert into users values (50, 'e', null, 5) returning id, {s}

insert into users as u values (50) returning u.*, u.{s}

insert into users as name (id) values (50) returning name.id

insert into users as full_name (id) values (50) returning full_name.{s}

insert into public.users (id) values (50) returning users.{s}

insert into "users" ("id") values (50) returning *

insert into users (id, email) select id + 50, email || '2' from users returning *

insert into users (id) select id + 50 from users where {s} is not null order by id returning id, {s}

insert into users (id, {s}, age) select 50, null, 3 returning {s}

insert into users (id, {s}) select 50, {s} from users where id = 9

insert into users select id + 50 from users

insert into users (id, data) values (50, '{"full_name": 1}') returning data

insert into users (id, email) values (1, 'x') on conflict (id) do nothing

insert into users (id, email) values (1, 'x') on conflict (id) do update set email = excluded.email returning *

insert into users (id, {s}) values (1, null) on conflict (id) do update set {s} = coalesce(excluded.{s}, users.{s}) returning {s}

insert into users (id) values (1) on conflict (id) do update set {s} = excluded.{s} returning {s}

insert into users (id) values (1) on conflict (id) do update set {s} = default returning {s}

insert into users (id) values (1) on conflict (id) do update set ({s}, age) = (excluded.{s}, excluded.age) where users.{s} is not null returning *

insert into users as u (id) values (1) on conflict (id) do update set ({s}, age) = (select excluded.{s}, 9) returning u.{s}

insert into users as u (id) values (1), (50) on conflict (id) do update set age = u.id where u.{s} is not null and excluded.{s} is null returning id

insert into users (id, email) values (50, 'ann@x') on conflict on constraint users_email_key do update set {s} = users.{s}, age = 0 returning id, {s}

insert into users (id, email) values (50, 'ann@x') on conflict (email) where id > 0 do update set age = 0 returning id

insert into users (id) overriding system value values (50)

insert into users default values

insert into stock (id, full_name) values (50, 'x') returning *

insert into stock (id, full_name) select id + 50, 'x' from users where {s} is not null returning full_name

insert into archive.users (id, full_name) values (50, 'x') returning full_name

insert into orders (id, name) select 50 + id, email from users where {s} is not null returning name

-- needs: unique
insert into users (id, {s}) values (50, {1}) on conflict ({s}) do update set age = 77 returning id, {s}

-- needs: unique
insert into users (id, {t}) values (50, {1}) on conflict ({t}) do update set age = 77 returning id, {t}

-- needs: unique
insert into users (id, {s}) values (50, {1}) on conflict ({t}) do nothing

-- needs: unique
insert into users (id, {s}) values (50, {1}) on conflict do nothing returning id

-- needs: unique
insert into users (id, {s}) values (50, {1})

-- needs: unique
insert into users (id, {s}) values (1, {2})

-- needs: unique
update users set {s} = {1} where id = 2

-- needs: unique
insert into users (id, {s}) values (50, {1}) on conflict ({s}) do update set {s} = excluded.{s} where users.{s} = {1} returning *

-- needs: text
insert into users (id, {s}) values (50, 'n' || nextval('volatile')) returning {s}

-- needs: text
insert into users (id, {s}) values (50, gen('a')), (51, gen('b')), (52, 'c') returning id, {s}

-- needs: text
insert into users (id, {s}) select 50 + id, gen('x') from users order by id returning id, {s}

-- needs: text
-- args: 50|x
insert into users (id, {s}, email) values ($1, $2, $2) returning *

-- needs: text
-- args: 50|x
insert into users (id, {s}) values ($1, upper($2)) returning {s}

-- needs: text
-- args: 50|x
insert into users (id, {s}) select $1, $2 returning {s}

-- needs: text
-- args: {50,51}|{p,q}
insert into users (id, {s}) select * from unnest($1::bigint[], $2::text[]) returning *

-- needs: text
insert into users (id, {s}) values (50, '  sp''aced \ "q" '), (51, E'tab\there'), (52, '') returning {s}

-- needs: text
insert into users (id, {s}, email) values (generate_series(50, 51), 'a', null) returning *

update users set {s} = null where id = 4 returning {s}

update users set {s} = {1} where id = 3 returning *

update users set {t} = {t} where id = 4 returning {t}

update users u set {s} = u.{s} where u.{s} is not null

update users u set {s} = default where id = 1 returning *

update users set ({s}, age) = (null, 5) where id = 2 returning {s}, age

update users set ({s}, age) = row (default, default) where id = 2 returning {s}, age

update users set (age, {s}) = (select 4, {s} from users i where i.id = 4) where id = 3 returning *

update users set ({s}) = (select {s} from users i where i.id = users.id) returning id, {s}

update users set {s} = (select i.{s} from users i where i.id = 4) where id = 3 returning {s}

update users set {s} = o.{s} from users o where o.id = 4 and users.id = 3 returning users.{s}, o.{s}

update users set {s} = users.{s} from orders where orders.user_id = users.id and orders.id = 1 returning *

update users u set age = o.id from orders o where o.user_id = u.id and o.id = 4 and u.{s} is not null returning u.{s}, o.name

update orders set name = 'n' from users where users.id = orders.user_id and users.{s} is not null returning orders.name, users.{s}

update users set age = age + 1 where {s} is not null returning age

update users set email = {s}::text where id = 1 returning email

update users set {s} = case when id > 2 then {1} else {s} end where id in (3) returning id, {s}

update users set {s} = coalesce({s}, {1}) where id = 3 returning {s}

update only users set {s} = {s} where id = 1

update users set data = jsonb_set(data, '{name}', '1'), {s} = {s} where id = 1 returning data

update users set tags[1] = 'z' where {s} is not null and id = 1 returning tags

-- needs: text
update users set {s} = {s} || '!' , email = {s} where id = 1 returning {s}, email

-- needs: text
update users set {s} = email, email = {s} where id = 1 returning {s}, email

-- needs: text
update users set {s} = gen({s}) where id = 1 returning {s}

-- needs: text
-- args: a|1
update users set {s} = $1, email = $1 where id = $2 returning {s}

-- needs: text
-- args: a
update users set {s} = {s} || $1::varchar where id = 1 returning {s}

-- needs: text
-- args: null|1
update users set {s} = $1 where id = $2 returning {s}

-- needs: text
-- args: x|1
update users set {s} = concat($1::text, {s}) where id = $2 returning {s}

delete from users where {s} is null returning *

delete from users u using orders o where o.user_id = u.id and u.{s} is not null returning u.{s}, o.name

delete from users where id = 1 returning {t}

delete from only users where id = 1 returning {s} as name

delete from orders using users where users.id = orders.user_id and users.{s} is not null returning orders.*

delete from users where exists (select from users u where u.{s} is null and u.id = users.id) returning id

-- needs: order
delete from users where {s} = {1} returning {s}

-- needs: order
-- args: {1}
delete from users where {s} = $1 returning {s}

-- needs: order
-- args: {1}
update users set age = 3 where {s} = $1 returning id

merge into users u using orders o on o.user_id = u.id and o.id = 1 when matched and u.{s} is not null then update set age = 99

merge into users u using (values (2)) v(id) on v.id = u.id when matched then delete

merge into orders o using users u on u.id = o.user_id and u.{s} is not null when matched then update set name = 'x' when not matched then insert (id, name) values (u.id + 50, 'n')

merge into users u using (values (1), (50)) v(id) on v.id = u.id when matched then update set {s} = {s} when not matched then insert (id, {s}) values (v.id, {1})

merge into users u using (values (50)) v(id) on v.id = u.id when not matched then insert (id) values (v.id)

insert into users (id, {s}, {t}) values (50, null, null)

update users set {s} = null, {t} = null where id = 1

select {s}, nosuch from users

select {s} from users where nosuch = 1

select {s} from users order by nosuch

insert into users (id, nosuch) values (50, 1)

update users set nosuch = 1

select nosuch({s}) from users

select {s} from users where

select 'ä' || {s} || nosuch from users

select x.{s} from users

insert into users (id, {s}) values (50)

insert into users (id) values (50, 1)

insert into users (id, id) values (50, 1)

insert into users (id, {s}) values ('x', null)

select id / 0, {s} from users

insert into users (id) values (1)

insert into users (id) values (null)
