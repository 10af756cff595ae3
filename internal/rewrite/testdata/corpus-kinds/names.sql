select * from people order by id

select full_name, upper(full_name), age from people order by full_name

select id from people where full_name = 'Ann Lee'

-- args: Ann Lee
select id from people where full_name = $1

select id from people where full_name like '%Lee' order by id

-- args: {Ann Lee,Bob Ray}
select id from people where full_name = any($1) order by id

select p.id, o.id from people p join others o on o.full_name = p.full_name

select full_name, age from people group by id order by id

select full_name, count(*) from people group by full_name order by full_name

select distinct full_name from people order by 1

select max(full_name) from people

select to_jsonb(p) from people p order by id

select first_name, last_name from people order by id

select id from people where last_name = 'Lee' order by id

select last_name, count(*) from people group by last_name order by 1

insert into people (id) values (9) returning *

insert into people (id, full_name) values (9, 'Dan Fox') returning *

-- args: Dan Fox
insert into people (id, full_name) values (9, $1) returning full_name, first_name, last_name

-- args: Dan|Fox
insert into people (id, first_name, last_name) values (9, $1, $2) returning full_name

insert into people values (9, 'Dan Fox', 3), (10, default, 4) returning *

insert into people (id, full_name) values (9, call_text('Dan')) returning *

insert into people (id, full_name) select id + 10, full_name from people returning *

insert into people (id, full_name) select id + 10, call_text('Eve') from people returning *

insert into people (id, first_name, last_name) select id + 10, 'X', last_name from people where last_name is not null returning *

insert into people (id, full_name) values (1, 'Dan Fox') on conflict (id) do update set full_name = excluded.full_name, age = people.age + 1 returning *

insert into people (id, full_name) values (1, 'Dan Fox') on conflict (id) do update set full_name = replace(people.full_name, 'Ann', split_part(excluded.full_name, ' ', 1)) returning *

update people set full_name = 'Dan Fox' where id = 1 returning *

update people set full_name = replace(full_name, 'Lee', 'Li') returning full_name

update people set full_name = call_text('Gus') returning full_name

update people set full_name = default where id = 1 returning full_name

update people set full_name = null where id = 1 returning *

update people set (full_name, age) = ('Dan Fox', age + 1) where id = 1 returning *

update people set (full_name, age) = (select o.full_name || ' Jr', 5 from others o where o.id = people.id) where id = 2 returning *

update people set (full_name, age) = (select o.full_name, 5 from others o where o.id = -people.id) where id = 2 returning *

update people set last_name = 'Li' where id = 1 returning full_name, last_name

update people set first_name = first_name || 'e' where id < 3 returning *

update people set first_name = last_name, last_name = first_name where id < 3 returning *

update people set first_name = call_text('n') where id < 0 returning *

update people set (last_name, first_name) = (first_name, last_name) where id < 3 returning full_name

update people p set full_name = q.full_name from people q where q.id = p.id % 2 + 1 returning p.full_name, q.full_name

delete from people where full_name = 'Ann Lee' returning full_name

merge into people p using (values (1, 'Dan Fox'), (9, 'Eve Fox')) v(id, x) on p.id = v.id when matched then update set full_name = x when not matched then insert (id, full_name) values (v.id, x)

merge into people p using (values (9)) v(id) on p.id = v.id when not matched then insert (id) values (v.id)

select * from families order by id

select first_name || '/' || last_name, first_name from families order by id

select id from families where first_name = 'Ann' and last_name = 'Lee'

-- args: Lee
select id from families where last_name = $1 order by id

-- args: Ann|Lee
select id from families where (first_name, last_name) = ($1, $2)

-- args: Bob|Ray
select id from families where (last_name, first_name) < ($2, $1) order by id

select last_name, count(*), max(first_name) from families group by last_name order by 1

select first_name, age from families group by id order by id

select f.*, g.first_name from families f join families g on g.last_name = f.last_name order by f.id, g.id

select full_name from families order by id

select to_jsonb(f) from families f order by id

insert into families (id, first_name, last_name) values (9, 'Dan', 'Fox') returning *

-- args: Dan|Fox
insert into families (id, first_name, last_name) values (9, $1, $2) returning full_name

insert into families values (9, 'Dan', 'Fox', 3), (10, default, 'Hay', 4) returning *

insert into families (last_name, id) values ('Fox', 9) returning *

insert into families (id, full_name) values (9, 'Dan Fox') returning *

insert into families (id, first_name, last_name) values (9, call_text('Dan')::char(3), 'F' || nextval('calls')) returning *

insert into families (id, last_name, first_name) select id + 10, last_name || 'x', first_name from families where id < 3 returning *

insert into families (id, last_name) select id + 10, last_name || 'x' from families where id < 3 returning *

insert into families (id, first_name, last_name) values (1, 'Dan', 'Fox') on conflict (id) do update set first_name = excluded.first_name returning *

insert into families (id, first_name, last_name) values (1, 'Dan', 'Fox') on conflict (id) do update set last_name = excluded.last_name, first_name = families.first_name || 'e' returning *

update families set first_name = 'Dan' where id = 1 returning *

update families set last_name = 'Fox', age = age + 1, first_name = 'Dan' where id = 1 returning *

update families set last_name = first_name, first_name = last_name where id < 3 returning *

update families set first_name = 'F' || nextval('calls') where id < 3 returning *

update families set first_name = 'F' || nextval('calls'), last_name = 'L' || nextval('calls') where id < 3 returning *

update families set (first_name, last_name) = ('Dan', 'Fox') where id = 1 returning *

update families set (first_name, last_name) = (select 'Dan', 'Fox') where id = 1 returning *

update families set (age, last_name) = (select 5, 'Fox') where id = 1 returning *

update families set first_name = (select 'Dan') where id = 1 returning *

update families set first_name = default, last_name = 'One' where id = 1 returning *

update families set full_name = 'Dan Fox' where id = 1 returning first_name, last_name

delete from families where last_name = 'Lee' returning first_name

merge into families f using (values (1, 'Dan'), (9, 'Eve')) v(id, x) on f.id = v.id when matched then update set first_name = x when not matched then insert (id, first_name, last_name) values (v.id, x, 'Fox')

select * from pairs order by id

select n, label, n || label from pairs where n = 10 and label = 'ten'

-- args: 10|ten
select id from pairs where (n, label) = ($1, $2)

-- args: 10|ten
select id from pairs where (n, label) >= ($1, $2) order by n, label

select n, label, count(*) from pairs group by n, label order by n, label

select id from pairs p where exists (select from others o where o.n = p.n and o.label <> p.label)

insert into pairs (id) values (9) returning *

insert into pairs values (9, 90, 'ninety'), (10, default, default) returning *

insert into pairs (id, label) select id + 10, 'l' || n from pairs returning *

insert into pairs (id, label, n) select id + 10, call_text('x'), call_int() from pairs returning *

-- args: 90|x
insert into pairs (id, n, label) values (9, $1, $2) on conflict (id) do update set label = excluded.label || excluded.n returning *

insert into pairs (id, total, label) values (9, 90, 'ninety') returning n, title

update pairs set n = n + 1, label = label || n where id = 1 returning *

update pairs set n = call_int(), label = call_text('u') where id < 3 returning *

update pairs set (label, n) = (select 'x', 5) where id = 1 returning *

update pairs set (n, label) = (n * 2, default) where id = 1 returning *

update pairs set total = 5, label = 'five' where id = 1 returning *

-- error: 22001
update pairs set n = 1, label = 'a value of more than twenty characters'

select * from authors order by id

select full_name, a.full_name from authors a where full_name = 'Ann'

select full_name, count(*) from authors group by full_name order by full_name

select id from authors order by full_name

select full_name as x, age from authors group by id order by id

select to_jsonb(a) from authors a order by id

insert into authors (id) values (9) returning *

insert into authors values (9, 'Dan', 5), (10, default, 6) returning *

-- args: Dan
insert into authors (id, full_name) values (9, $1) on conflict (id) do update set full_name = excluded.full_name returning full_name

insert into authors (id, full_name) select id + 10, call_text('Gus') from authors returning *

update authors set full_name = full_name || '!' returning full_name

update authors set full_name = call_text('Gus') returning full_name

update authors set full_name = default where id = 1 returning full_name

update authors set (full_name, age) = (select 'Dan', 5) where id = 1 returning *

delete from authors where full_name = 'Ann' returning *

select full_name collate "POSIX" < 'B', full_name || 'x' collate "POSIX" as x from people order by x

select p.full_name || a.motto collate "POSIX" from people p join aliases a on a.id = p.id order by 1

select lower(full_name), pg_collation_for(full_name) from people order by full_name

select first_name || last_name from families order by id

select first_name || 'x' collate "POSIX" as x from families order by x

select id from families where first_name < 'B' and last_name > 'M' order by id
