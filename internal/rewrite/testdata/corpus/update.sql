update users set balance = 1 where id = 1

-- args: Eve|1
update users set full_name = $1 where id = $2

-- args: Eve|1
update users set name = $1 where id = $2 returning *

-- args: Eve|1
update users u set name = $1, balance = balance + 1 where u.id = $2 returning u.full_name, u.name, u.balance

update users set full_name = null where full_name = 'Ann' returning id

update users set full_name = full_name || '!' where name is not null

update users set full_name = email, email = full_name returning *

update users set name = coalesce(name, email) || id returning id, full_name

update users set full_name = case when id = 1 then 'one' else full_name end

update users set full_name = gen(full_name)

update users set full_name = gen('x') returning id

update users set full_name = gen_code(), balance = 5 where id > 1

update users set full_name = (select max(name) from products) where id = 2 returning full_name

update users u set full_name = (select p.name from products p where p.id = u.id)

update users u set full_name = (select gen(p.name) from products p where p.id = u.id) returning name

update users set name = upper(full_name) from orders o where o.user_id = users.id and o.id = 3 returning o.a, users.name

update users u set full_name = o.a from orders o where o.id = u.id and u.full_name is not null returning u.*, o.*

update users u set full_name = p.name || u.name from products p where p.id = u.id returning u.full_name

update users set full_name = default where id = 1 returning *

update accounts set owner = default returning *

update accounts set holder = default, kind = 'x' where owner = 'Ann'

update vouchers set code = default returning id, code

update vouchers v set token = default where v.id > 1

-- args: e2@x|Eve
update users set (email, full_name) = ($1, $2) where id = 1 returning *

update users set (full_name, email) = (email, full_name)

update users set (email, name) = ('z' || id, gen(email)) returning *

update users set (full_name, email) = row (gen('a'), default)

update accounts set (kind, owner) = ('k', default)

update vouchers set (amount, code) = (1, default) where id < 3

update users u set (email, full_name) = (select o.b, o.a from orders o where o.id = u.id)

update users u set (email, full_name) = (select o.b, gen(o.a) from orders o where o.id = u.id) returning id, full_name

update users u set (full_name, email) = (select * from (values ('a' || u.id, 'b' || u.id)) v)

update users u set (full_name, balance) = (select max(a), 3 from orders o where o.user_id = u.id)

-- args: v
update users set (email, full_name) = (select $1 || id, 'w' || id) where id < 3

update users set (full_name) = ('only') where id = 1

update users set (full_name) = row (gen('only')) where id = 1

update users set full_name = 'same'

update users set full_name = 5 where id = 1

update users set full_name = balance where id = 1

update users set full_name = 'x', full_name = 'y'

update users set nope = 1

update accounts set owner = 'Z', kind = 'much too long a kind'

update orders o set a = u.full_name, b = u.name from users u where u.id = o.user_id returning o.a

update orders set a = (select full_name from users where id = user_id)

update products p set name = full_name from users u where u.id = p.id returning name

update devices d set name = u.name, full_name = u.full_name from users u where u.id = d.id returning d.*, u.full_name

update only users set full_name = 'x' || id where full_name < 'C'

update users * set full_name = 'x' || id where name < 'C'

update users set full_name = $$a, name = b$$ /* , name = 'c' */ where id = 1 -- end

update users set full_name=upper(email)where id=1

update users set full_name = (((lower(email)))) where id in (select id from users where name is null)

update users set balance = length(full_name) where full_name is not null

update users as users set full_name = 'q' || users.id

update "users" set "full_name" = "email"

update users set U&"\0066ull_name" = 'u' || id

update users set full_name = email || (select 1)::text

begin; declare c cursor for select id, full_name from users where id = 2 for update; fetch c; update users set full_name = 'cur' where current of c; update users set full_name = gen('cur') where current of c returning full_name

delete from users where full_name = 'Ann'

delete from users where id = 1 returning *

delete from users u where u.name is null returning u.id, u.name, u.full_name

delete from users using orders o where o.user_id = users.id and full_name = 'Ann' returning users.*, o.id

delete from orders using users u where u.id = user_id and u.name = 'Bob' returning a, u.full_name

delete from products where name in (select name from users) returning *

delete from users

update users set (id, balance) = row (v.*) from (values (90, 5)) as v(a, b) where users.id = 1 returning users.*

update users set full_name = row (id, lower(email))::text returning full_name

update users set (full_name, email) = row (row (id, 'x')::text, 'e') where id = 1
