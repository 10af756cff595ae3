select {s} from users

select {t} from users

select {s} as {t} from users order by {t}

select {t} as {s} from users

select {s}, {t} from users

select users.{s}, u.{s} from users, users u where users.id = u.id

select public.users.{s} from public.users

select u.{t} as id, u.id as {s} from users u

-- ordered
select id as {s}, {s} as id from users order by users.id

-- needs: text
select upper({s}) as {s} from users order by {s}, id

-- needs: text
select email as {t}, {s} from users order by {t}, id

select email as {t} from users order by {t} nulls first

select name, {s} from orders join users on users.id = orders.user_id

select orders.name, users.{s} from orders left join users on users.id = orders.user_id

select full_name from stock

select stock.full_name, users.{s} from stock join users on users.id = stock.id

select name from orders where exists (select from users where users.id = orders.user_id and {s} is not null)

select {s} from users users where users.{s} is not null

select users.{s} from (select id, {s} from users) users

select users.name from (select id, {s} as name from users) users

select users.full_name from (select 1 as full_name from users) users

select name from (select {s} as name from users) full_name

select full_name.{s} from users full_name

select name.{s} from users name

select name.name from (select {s} as name from users) as name

select "users"."id", "users".{s} from "users"

SELECT USERS.ID, Users.{s} FROM USERS

select U.{s} from users U

select 'ä', '日本', {s} from users -- full_name, name

select /* full_name /* nested name */ */ {s} /* name */ from /* x */ users -- {s}

select({s})from users

select'x',{s},"id"from users

select $$full_name$$, $x$name$x$, E'full\'name', U&'n\0061me', {s} from users

select {s} "full name", {s} "x""y", {s} "select" from users

select {s} full_name from users

select {s} name from users

select {s} as value, {s} as type from users

select ({s}), (({s})) as {s}, (users.{s}) from users

select {s}::text, cast({s} as text), ({s})::text as {s} from users

select case when {s} is null then id end, case when id > 2 then {s} else {s} end from users

select coalesce({s}, {s}), nullif(id, 1), greatest(id, age) from users

select array[{s}, {s}], row({s}, id) from users

select (array[{s}])[1] from users

select (row({s}, 1)).f2 from users

select id from users where ({s}, id) is null or ({s}) is not null

select max(id) filter (where {s} is not null) from users

select count(*), count({s}) from users

select id, (select {s}) from users

select id, (select {s} from users i where i.id = users.id) from users

select id, (select users.{s} from orders where orders.user_id = users.id limit 1) as {s} from users

select id, (select name from orders where orders.id = users.id) from users

select id, exists (select * from orders where name is not null and users.{s} is not null) from users

select id, array(select i.{s} from users i where i.id <= users.id order by i.id) from users

-- needs: order
select id from users where {s} = any (array(select {s} from users))

-- needs: order
select id from users where {s} in (select {s} from users where id > 2)

-- needs: order
select id from users where ({s}, id) in (select {s}, id from users)

-- needs: order
select id from users where {s} not in (select {s} from users where {s} is not null and id > 2)

-- needs: order
select id from users where {s} = {1} or {s} in ({2}, {4}) or {s} between {1} and {4}

-- needs: order
select id from users where {t} = {1} or {t} in ({2}, {4}) or {t} between {1} and {4}

-- needs: order
select id from users where {s} is distinct from {1} and {s} is not distinct from {s}

-- needs: order
-- args: {1}
select id from users where {s} = $1

-- needs: order
-- args: {1}
select id from users where {s} = $1 or {s} > $1

-- needs: order
-- args: {1}|{2}
select id from users where {s} in ($1, $2) and {s} <> $2

-- needs: order
-- args: null
select id from users where {s} = $1 or $1 is null

-- needs: text
-- args: {Ann,Bob}
select id from users where {s} = any($1)

-- needs: text
-- args: A%
select id from users where {s} like $1 || '%' and {s} not similar to '_'

-- needs: text
-- args: Ann
select $1 || {s}, {s} || $1 from users

-- needs: text
select {s} || '' as {s}, {s} collate "C" from users order by {s} collate "C", id

-- needs: text
select overlay({s} placing 'zz' from 1 for 2), substring({s} from 2), position('n' in {s}), trim({s}), {s} is normalized from users

-- needs: text
select id from users where {s} ~ '^A' or {s} !~* 'b' or {s} ^@ 'Ö'
