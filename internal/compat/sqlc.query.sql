-- name: CreateUser :one
insert into users (full_name, email) values ($1, $2) returning id;

-- name: GetUser :one
select * from users where id = $1;

-- name: ListNamed :many
select * from users where full_name = any($1::text[]) order by full_name collate "C";

-- name: CountNamed :one
select count(*) from users where full_name = $1;

-- name: RenameUser :exec
update users set full_name = $2 where id = $1;

-- name: ImportUser :exec
insert into users (full_name, email) values ($1, $2)
on conflict (email) do update set full_name = excluded.full_name;

-- name: AddOrder :exec
insert into orders (user_id, cents) values ($1, $2);

-- name: CountVisit :exec
update users set visits = visits + 1 where id = $1;

-- name: ListSpent :many
select u.full_name, count(*) as orders, max(o.cents)::int as dearest, sum(o.cents)::bigint as cents
from users u join orders o on o.user_id = u.id
where u.full_name = $1 group by u.id, u.full_name order by u.full_name;

-- name: DeleteUser :exec
delete from users where id = $1;
