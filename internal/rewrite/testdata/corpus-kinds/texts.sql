select * from labels order by id

-- args: first
select id, label from labels where label = $1

select id from labels where label = 'trailing'

select id from labels where label = 'trailing  '

select id from labels where label = 'a value of more than twenty characters'

-- args: a value of more than twenty characters
select id from labels where label < $1 order by id

select id from labels where label like 'f%'

-- args: %i%
select id from labels where label like $1 order by id

-- args: %I%
select id from labels where label ilike $1 order by id

select id from labels where label ~ '^f'

select id from labels where label similar to 'f%'

select id from labels where label not like 'f%' order by id

-- args: {first,Second}
select id from labels where label = any($1) order by id

select id from labels where label = any(array['first', 'Second']) order by id

select id from labels where label in ('first', 'Second') order by id

select label || '!', upper(label), length(label), label::text, label::char(3) from labels order by id

select label, label as l from labels order by label

select label from labels order by label desc nulls last limit 2

select min(label), max(label) from labels

select pg_typeof(label), pg_typeof(max(label)), pg_typeof(coalesce(label, 'x')) from labels group by label order by label

select distinct label from labels order by label

select label, count(*) from labels group by label order by label

select l.id from labels l join others o on o.label = l.label

select l.id from labels l where label collate "C" < 'a' order by id

select label collate "C" from labels order by 1

select label from labels order by label collate "C"

-- args: first|1
select id from labels where (label, id) > ($1, $2) order by label, id

select coalesce(label, 'none'), nullif(label, 'first') from labels order by id

select label from labels union select title from others order by 1

select case label when 'first' then 1 else 2 end from labels order by id

insert into labels (id) values (9) returning label

insert into labels (id, label) values (9, 'a value'), (10, default) returning *

-- error: 22001
insert into labels (id, label) values (9, 'a value of more than twenty characters')

-- error: 22001
-- args: a value of more than twenty characters
insert into labels (id, label) values (9, $1)

-- error: 22001
insert into labels (id, label) select 9, 'a value of more than ' || 'twenty characters'

-- error: 22001
update labels set label = 'a value of more than twenty characters'

-- error: 22001
update labels set label = label || label || label || label || label || label where id = 1

-- error: 22001
update labels set label = call_text('a value of more than twenty characters') where id = 1

-- error: 22001
insert into labels (id, label) values (1, 'a value of more than twenty characters') on conflict (id) do update set label = excluded.label

-- error: 22001
insert into labels (id, label) values (1, 'x') on conflict (id) do update set label = 'a value of more than twenty characters'

-- error: 22001
merge into labels l using (values (1)) v(id) on l.id = v.id when matched then update set label = 'a value of more than twenty characters'

insert into labels (id, label) values (9, 'twenty characters...     ') returning label, length(label)

insert into labels (id, label) values (9, 5) returning label

update labels set label = 12 where id = 1 returning label

update labels set label = 'x' || id returning label

update labels set label = call_text('c') returning label

-- args: five
update labels set label = $1 where label = 'first' returning label

insert into labels (id, label) values (9, 'first') on conflict (label) do update set label = excluded.label || '!' returning *

insert into labels (id, label) values (9, 'first') on conflict (label) do update set kind = labels.label || excluded.label returning *

insert into labels (id, label) values (9, call_text('q')) on conflict (label) do nothing returning *

update labels set title = 'new' where id = 1 returning label, title

select * from moods order by id

select id from moods where mood = 'happy'

-- args: sad
select id from moods where mood = $1

select id from moods where mood = 'no such mood'

select id from moods where mood < 'p' order by id

select id from moods where mood in ('sad', 'ok', 'other') order by id

select id, mood from moods order by mood

select distinct mood from moods order by mood desc

select max(mood), min(mood) from moods

select mood || '!', upper(mood), mood like 'h%' from moods order by id

select mood, since from moods group by id order by id

-- args: ok
insert into moods (id, mood) values (9, $1) returning *

insert into moods (id, mood) values (9, 'o' || 'k') returning mood

insert into moods values (9, 'sad') returning *

insert into moods select id + 10, mood from moods where id < 3

update moods set mood = case mood when 'sad' then 'happy' else 'sad' end returning mood

update moods set mood = lower('OK') where mood = 'happy'

update moods set feeling = 'ok' where id = 1 returning mood, feeling

update moods set mood = null

-- args: {sad,ok}
delete from moods where mood = any($1) returning mood

select * from badges order by id

select badge || 'x', length(badge) from badges order by id

select id from badges where badge = '7'

select id from badges where badge = '07'

select id from badges where badge = 'seven'

select id from badges where badge > '2' order by id

-- args: 7
select id from badges where badge = $1

-- args: {7,x}
select id from badges where badge = any($1)

select badge from badges order by badge

select max(badge) from badges

insert into badges (id, badge) values (9, '90') returning *

insert into badges (id, badge) values (9, '7') on conflict (badge) do update set note = excluded.badge || badges.note returning *

-- args: 8
insert into badges (id, badge) values (9, $1) on conflict (badge) do nothing returning badge

update badges set badge = badge || '0' returning badge

update badges set (badge, note) = (select '5', 'five') where id = 1 returning badge

update badges set badge = nextval('calls') where id = 1 returning badge

update badges set badge = nextval('calls')::text where id < 3 returning badge

select * from codes order by id

select id from codes where code = 9

select id from codes where code = '9'

-- args: 9
select id from codes where code = $1

-- args: 9
select id from codes where $1 = code

-- error: 22P02
select id from codes where code = 'nine'

select id from codes where code = ' 09 '

select id from codes where code in ('9', '10') order by id

-- args: 9|-1
select id from codes where code in ($1, $2) order by id

select id from codes where code in ('9', 10) order by id

-- args: {9,-1}
select id from codes where code = any($1) order by id

select id from codes where code > 9 order by id

-- args: 9
select id from codes where code > $1 order by id

-- args: 9
select id from codes where code <> $1 order by id

-- args: 9
select id from codes where not code = $1 order by id

-- args: 9|1
select id from codes where (code, id) = ($1, $2)

-- args: 9|1
select id from codes where (code, id) > ($1, $2) order by code, id

-- args: 9|1
select id from codes where (code, id) in (($1, $2))

select id, code from codes order by code

select max(code), min(code), sum(code) from codes

select c.id from codes c join others o on o.code = c.code order by 1

select c.id from codes c join codes d on d.code = c.code order by 1

select code, count(*) from codes group by code order by code

select code + 1 from codes order by 1

insert into codes (id, code) values (9, 90) returning *

insert into codes (id, code) values (9, 9) on conflict (code) do update set note = 'again' returning *

-- args: 9
insert into codes (id, code) values ($1::int, $1) on conflict (code) do update set code = excluded.code + codes.code returning *

update codes set code = code + 2 where code = 9 returning code

update codes set sign = '77' where id = 1 returning code, sign

delete from codes where code = '9'

select * from aliases order by id

select id from aliases order by alias

select id, alias from aliases order by alias desc nulls last

select id from aliases where alias < 'a' order by id

-- args: b
select id from aliases where alias < $1 order by id

-- error: 42P22
select id from aliases where alias < motto

select alias || motto from aliases order by id

select alias || 'x' from aliases order by 1

select coalesce(alias, motto) from aliases order by id

select case when id = 1 then alias else motto end from aliases order by id

-- error: 42P22
select id from aliases where alias = motto

select id from aliases where alias = motto collate "POSIX"

select id from aliases where alias collate "POSIX" = motto

select alias || motto collate "POSIX" as x from aliases order by x

select alias || motto collate "POSIX" || alias as x from aliases order by x

select max(alias || motto collate "POSIX") from aliases

select coalesce(alias, motto collate "POSIX") < 'm' from aliases order by id

-- error: 42P21
select alias || motto as x from aliases order by x

select alias || motto as x from aliases order by (alias || motto) collate "C"

-- error: 42P22
select alias from aliases union all select motto from aliases order by 1

-- error: 42P22
select max(coalesce(alias, motto)) from aliases

select max(alias), min(alias) from aliases

select lower(alias), upper(alias || '!') from aliases order by id

-- error: 42P22
select lower(alias || motto) from aliases order by id

select id from aliases where alias collate "POSIX" < motto order by id

select alias collate "POSIX" from aliases order by 1

select pg_collation_for(alias) from aliases where id = 1

select pg_collation_for(a.alias || 'x') from aliases a where id = 1

select distinct alias from aliases order by alias

select alias, count(*) from aliases group by alias order by alias

select a.id from aliases a join others o on a.alias = o.label order by 1

select x from (select alias as x, motto from aliases) s where x < 'b' order by x

select x || motto as y from (select alias as x, motto from aliases) s order by (x || motto) collate "C"

update aliases set alias = alias || motto, motto = alias returning *

update aliases set alias = motto returning alias

insert into aliases (id, alias) select id + 10, motto from aliases returning *

-- error: 22001
update aliases set alias = repeat(alias || motto, 10)

-- args: 9
select id from codes where code = $1::int

-- args: 9
select id from codes where code = $1::bigint

-- args: 9
select id from codes where code = $1::smallint

select id from codes where code = 9::int and code <> -1

select id from codes where code in (9, 10, -1) order by id

select id from codes where code = any(array[9, -1]) order by id

select id from codes where code = any('{9,-1}'::int[]) order by id

select id from codes where code <> all('{9}') order by id

-- args: null
select code = any($1) from codes order by id

select id from codes where code = 9.0

select id from codes where code = 99999999999

select id from codes where code = - 1 and code = -'1'::int or code < - (1) order by id

insert into labels (id, label, kind) values (9, 'FIRST', 'a') on conflict (lower(label)) where kind <> 'x' and label <> '' do update set label = excluded.label returning *

insert into codes (id, code) values (1, 9) on conflict (id, (code + 1)) where code > 5 do nothing returning *

insert into codes (id, code) values (1, 9) on conflict (id, (code + 1)) where code > 6 do nothing returning *

-- error: 42P10
insert into codes (id, code) values (1, 9) on conflict (id, (code + 1)) where code > 4 do nothing returning *

select lower(label), length(label), pg_typeof(upper(label)), left(label, 2) || right(label, 2), md5(label) from labels order by id

select lower(label), count(*) from labels group by lower(label) order by lower(label)

select lower(label), label from labels group by label order by 1

-- args: first
select id from labels where label not in ($1, 'x') order by id

-- args: first|b
select id from labels where label in ($1, $2) order by id

-- args: first
select id from labels where label in ('x', $1, kind) order by id

-- args: first
select id from labels where label in ($1) order by id

-- args: first
select id from labels where label in ($1, kind) order by id

select o.id, c.crew, crew is null from others o left join crews c on c.id = o.id order by o.id

select c.*, o.id from crews c full join others o on c.id = o.id order by c.id, o.id

select o.id, c.head, c.tail from others o left join crews c on c.id = o.id order by o.id

select o.id, row(c.*), to_jsonb(c), (c).crew from others o left join crews c on c.id = o.id order by o.id

select crew, count(*) from others o left join crews c using (id) group by crew order by crew

select c.crew, count(*) from others o left join crews c using (id) group by c.id order by 1

select * from others o left join crews c using (id) order by id

select id from others o left join crews c using (id) where crew is null order by id

update crews c set crew = d.crew || 'x' from others o left join crews d on d.id = o.id where c.id = o.id returning c.*, d.*
