explain (costs off, format json) select 1 where exists (values (1))

create temp table t as select * from users; select * from t order by id

create temp table t as select full_name, name n from users with no data; select * from t

select * into temp t from users; table t

prepare p as select full_name from users where id = $1; execute p (1); deallocate p

prepare p (text) as update users set full_name = $1 where id = 1 returning full_name; execute p ('x'); deallocate p

declare c cursor for select * from users order by id; fetch all c

merge into orders o using users u on u.id = o.id and u.full_name is not null when matched then update set a = u.full_name when not matched then insert (id, b) values (u.id + 40, u.name)

merge into users u using orders o on u.id = o.id and u.full_name = 'Ann' when matched then delete

truncate users

lock table users in share mode; analyze users

begin; savepoint a; update users set full_name = 'x' || id; rollback to a; select full_name from users order by id

-- refused
select u from users u

-- refused
alter table users add column z int
