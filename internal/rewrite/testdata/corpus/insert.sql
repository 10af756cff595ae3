-- args: 10|Eve
insert into users (id, full_name) values ($1, $2)

-- args: 10|Eve|e@x
insert into users (id, name, email) values ($1, $2, $3) returning *

-- args: 10|Eve|11|Fay
insert into users (full_name, id) values ($2, $1), ($4, $3) returning id, full_name, name

insert into users (id, full_name) values (10, 'Eve'), (11, null), (12, default)

insert into users (id, email) values (10, 'e@x') returning full_name

-- args: 10|e@x|Eve|1|2022-01-01
insert into users values ($1, $2, $3, $4, $5)

-- args: 10|e@x|Eve
insert into users values ($1, $2, $3) returning *

insert into users values (10, 'e@x')

insert into users values (10, 'e@x', default, default, default) returning *

insert into users values (10, 'e@x', upper('eve'), 1 + 2)

insert into users values (1, 2, 3, 4, 5, 6)

insert into users as u (id, full_name) values (10, 'Eve') returning u.*, u.name

insert into public.users (id, full_name) values (10, 'Eve' || '!') returning name

insert into users (id, full_name) values (10, gen('a')), (11, gen('b')) returning full_name

insert into users (id, full_name) values (10, gen('a')), (11, 'plain'), (12, default) returning id, full_name

insert into users (id, full_name, email) values (10, gen_code(), gen_code()) returning id

-- args: x
insert into users (id, full_name) values (10, gen($1))

-- args: x
insert into users (id, full_name) values (10, coalesce($1, gen('y')))

-- args: x
insert into users (id, full_name) values (10, case when random() < 2 then $1 else 'z' end)

insert into users (id, full_name) values (10, (select max(full_name) || '2' from users))

insert into users (id, full_name) values (10, (select name from products where id = 1)), (11, (select name from products where id = 3))

insert into users (id, full_name) values (10, current_user), (11, current_date::text)

insert into users (id, full_name) values (1, 'dup')

insert into users (id, full_name) values (10, 'Ann')

insert into users (id, full_name) values (10, 'Ann') on conflict do nothing returning id

insert into users (id, full_name) values (10, 'Ann'), (11, 'Zed') on conflict (full_name) do nothing returning id

insert into users (id, name) values (10, 'Ann') on conflict (name) do update set balance = users.balance + 1 returning *

insert into users as u (id, full_name) values (1, 'Ann2') on conflict (id) do update set full_name = excluded.full_name returning u.full_name

insert into users as u (id, full_name) values (1, 'Ann2') on conflict (id) do update set name = excluded.name || u.name where u.full_name is not null returning u.name, u.id

insert into users (id, full_name) values (1, 'Ann2') on conflict (id) do update set full_name = gen(excluded.full_name) returning full_name

insert into users (id, full_name) values (1, gen('q')), (10, 'r') on conflict (id) do update set full_name = gen(excluded.full_name || users.full_name) returning id, full_name

insert into users (id, full_name) values (1, 'x'), (2, 'y') on conflict (id) do update set (email, full_name) = (excluded.full_name, excluded.full_name || '!') returning *

insert into users (id, full_name) values (1, 'x') on conflict (id) do update set (email, full_name) = (select b, a from orders where id = users.id) returning *

insert into users (id, full_name) values (1, 'x') on conflict on constraint users_pkey do update set balance = 99 returning *

insert into accounts (id, owner) values (1, 'x') on conflict (id) do update set owner = default returning *

insert into vouchers (id, code) values (1, 'x'), (9, 'y') on conflict (id) do update set code = default returning *

insert into accounts (id) values (10), (11) returning *

insert into accounts (id, owner) values (10, default), (11, 'x'), (12, null) returning *

insert into accounts values (10), (11)

insert into accounts values (10, default, 'k', 'c') returning *

insert into accounts default values

insert into vouchers default values

insert into vouchers (id) values (10), (11) returning *

insert into vouchers (id, code) values (10, default), (11, 'x'), (12, default) returning *

insert into vouchers (id) select id + 20 from orders returning *

insert into vouchers (id, amount) select id + 20, 1 from orders union all select 50, 2 returning id, code

insert into vouchers select 30 union select 31 returning id, amount

insert into accounts (id) select id + 20 from orders order by id

insert into accounts (id) select distinct id + 20 from orders

insert into accounts (id, kind) select * from (values (20, 'a'), (21, 'b')) v

insert into users (id, full_name) select id + 20, a || id from orders returning *

insert into users (id, full_name) select id + 20, gen(a) from orders order by id returning id

-- args: 10|x
insert into users (id, full_name) select $1, $2

-- args: 10|x
insert into users (id, full_name) select $1, gen($2)

-- args: 10|5
insert into users (id, balance, full_name) select $1, $2, upper(a) from orders where id = 1

-- args: 10
insert into accounts (id, owner, kind, code) select $1, gen('x'), null, 'ab' returning *

insert into accounts (id, owner, kind, code) select 10, gen('x'), 'much too long a kind', 'ab'

insert into accounts (id, owner, kind, code) select 10, gen('x'), 'ok', 'abcd'

insert into accounts (id, owner, kind, code) select 10, 'x', 'much too long a kind', 'ab'

insert into users (id, full_name) select 20, 'a' union all select 21, 'b'

insert into users (id, full_name) (select 20, 'a' union select 21, null) returning full_name

insert into users (full_name, id) select distinct a || '!', id + 20 from orders

insert into users (id, full_name) select distinct on (user_id) id + 20, a || '?' from orders order by user_id, id

insert into users (id, full_name) select user_id + 20, max(a) from orders where user_id is not null group by user_id

insert into users (id, full_name) select user_id + 20, 'n' || user_id from orders where user_id is not null group by 1, 2

insert into users (id, full_name) select id + 20, full_name || '!' from users where full_name is not null

insert into users (id, full_name) select * from (select id + 20, name || '!' from users) x

insert into users (id, full_name) table pairs_of_text

insert into users (id, full_name) select * from pairs_of_text

insert into users (id, full_name) select *, 'x' from pairs_of_text

insert into users (id, name) values (20, 'a'), (21, 'b') order by 1

insert into users (id, full_name) (values (20, 'a'), (21, 'b'))

insert into users select id + 20, email || '!', full_name from archive.users returning *

insert into users select id + 20, email || '!' from archive.users

insert into users select id + 20, email || '!', name || '!', balance from users

insert into users (id, full_name) with v as (select 20 as i) select i, 'w' from v

insert into users (full_name, id) with v as (select 20 as i) select gen('w'), i from v

insert into users (id, full_name) select 20 as a, 'w' as b limit 1

insert into users (id, full_name) select 20 a, full_name || '1' b from users where full_name = 'Ann' for update

insert into users (id, full_name) overriding system value values (10, 'x')

insert into users (id, full_name) values (10, 'x', 'y')

insert into users (id, full_name) values (10)

insert into users (id, nope) values (10, 'x')

insert into products (id, name) select id + 20, full_name from users

insert into products (id, name) values (20, (select full_name from users where id = 1)) returning *

insert into products select id + 20, name, balance from users returning *

insert into orders (id, a, b) select u.id + 20, u.full_name, p.name from users u join products p on p.id = u.id

insert into users (id, full_name) values (10, 'a'); insert into users (id, name) values (11, gen('b')) returning name; select full_name from users order by id

insert into accounts(select 20 union select 21)

insert into accounts(select)

insert into users(values(10,'e@x','n'))

insert into sets (id, nums[1], nums[2], tags) values (50, 1, 2, '{x}'), (51, 3, 4, default) returning *

insert into sets (nums[1], nums[2], id) select 1, 2, 60 returning *

insert into sets (id, nums[1], tags, nums[2]) values (52, 1, array['q', 'r'], 9) returning tags, nums

insert into sets (id, nums, nums) values (52, '{1}', '{2}')

insert into sets (id, nums[1], nums[2], tags) values (1, 7, 8, '{z}') on conflict (id) do update set nums = excluded.nums, tags[2] = excluded.tags[1] returning *
