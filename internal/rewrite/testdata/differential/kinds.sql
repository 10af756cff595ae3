-- The database of the second catalog as the application knows it.
create sequence calls;
create sequence item_ids;
create type feeling as enum ('sad', 'ok', 'happy');
create function call_int() returns int language sql volatile as $$ select nextval('public.calls')::int $$;
create function call_text(text) returns text language sql volatile as $$ select $1 || ' ' || nextval('public.calls') $$;

create table counters (id bigint primary key, n integer default 0 constraint counters_n_key unique, note text);
create unique index on counters (note) where n > 8 and n < 11;
create table keys (key text primary key, owner text, rank integer);
create table stamps (id bigint primary key, at timestamp default '2020-01-01', kind varchar(5));
create unique index on stamps (at);
create table labels (id bigint primary key, label varchar(20) default 'none', kind text);
create unique index on labels (label);
create unique index on labels (lower(label)) where kind <> 'x' and label <> '';
create table moods (id bigint primary key, mood text, since date);
create table prices (id bigint primary key, price numeric(12,4) default 0, qty int);
create table papers (id bigint primary key, body json default '{}', note text);
create table codes (id bigint primary key, code integer, note text);
create unique index on codes (code);
create unique index on codes (id, (code + 1)) where code > 5;
create table badges (id bigint primary key, badge text, note text);
create unique index on badges (badge);
create table people (id bigint primary key, full_name text collate "C" default 'No One', age int);
create table families (id bigint primary key, first_name text collate "C" default 'No', last_name text collate "POSIX", age int);
create table pairs (id bigint primary key, n integer default 7, label varchar(20));
create table authors (id bigint primary key, full_name text default 'Anon', age int);
create table items (id integer primary key default nextval('item_ids'), name text, parent integer);
create table aliases (id bigint primary key, alias varchar(20) collate "C", motto text collate "POSIX");
create table crews (id bigint primary key, crew text, ship text);
create table others (id bigint primary key, n integer, label text, code integer, name text, full_name text, title text);

insert into counters values (1, 10, 'ten'), (2, -5, 'minus five'), (3, null, 'none'), (4, 40, null);
insert into keys values
	('11111111-1111-1111-1111-111111111111', 'ann', 1), ('22222222-2222-2222-2222-222222222222', 'bob', 2),
	('33333333-3333-3333-3333-333333333333', 'ann', 3);
insert into stamps values (1, '2021-05-05 12:00:00', 'a'), (2, '2021-03-28 02:30:00.123456', 'b'), (3, null, 'c'), (4, 'infinity', 'd');
insert into labels values (1, 'first', 'a'), (2, 'Second', 'b'), (3, null, 'c'), (4, 'trailing  ', 'd');
insert into moods values (1, 'happy', '2021-01-01'), (2, 'sad', '2021-01-02'), (3, null, null), (4, 'ok', '2021-01-04');
insert into prices values (1, 10.5, 1), (2, 3, 2), (3, null, 3), (4, -7.25, 4);
insert into papers values (1, '{"a": 1}', 'one'), (2, '[1, 2]', 'two'), (3, null, 'three');
insert into codes values (1, 9, 'nine'), (2, 10, 'ten'), (3, null, 'none'), (4, -1, 'minus');
insert into badges values (1, '7', 'seven'), (2, '12', 'twelve'), (3, null, 'none');
insert into people values (1, 'Ann Lee', 30), (2, 'Bob Ray', 40), (3, null, 50), (4, 'Cyd Lee', 20);
insert into families values (1, 'Ann', 'Lee', 30), (2, 'Bob', 'Ray', 40), (3, null, null, 50), (4, 'Cyd', 'Lee', 20);
insert into pairs values (1, 10, 'ten'), (2, 20, 'twenty'), (3, null, null);
insert into authors values (1, 'Ann', 30), (2, 'Bob', 40), (3, null, 50);
insert into items values (1, 'root', null), (2, 'leaf', 1), (3, 'twig', 1), (4, 'bud', 2);
insert into aliases values (1, 'Zed', 'last'), (2, 'ann', 'first'), (3, null, null), (4, 'Éva', 'mid');
insert into crews values (1, 'Ann Lee', 'Argo'), (7, 'Bob Ray', 'Beagle');
insert into others values (1, 10, 'first', 9, 'root', 'Ann Lee', 't1'), (2, 20, 'twenty', 10, 'x', 'Bob', 't2'), (3, null, null, null, null, null, null);
