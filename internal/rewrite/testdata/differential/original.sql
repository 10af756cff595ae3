-- The database as the application knows it.
create schema archive;
create sequence codes;
create function gen_code() returns text language sql volatile as $$ select 'code ' || nextval('public.codes') $$;
create function gen(text) returns text language sql volatile as $$ select $1 || ' ' || nextval('public.codes') $$;
create function pairs() returns table (a int, b text) language sql as $$ values (1, 'one'), (2, 'two') $$;

create table users (
	id bigint primary key, email text, full_name text, balance numeric default 0,
	created_at timestamptz default '2020-01-01'
);
create unique index on users (full_name);
create unique index on users (email);
create table accounts (id bigint primary key default 900, owner text default 'nobody', kind varchar(10), code char(3));
create table vouchers (id bigint primary key default 900, code text default (gen_code())::text, amount int);
create table orders (id bigint primary key, user_id bigint, a text, b text);
create table products (id bigint primary key, name text, price numeric);
create table devices (id bigint primary key, full_name text, name text);
create table archive.users (id bigint primary key, email text, full_name text);
create table docs (id bigserial primary key, body jsonb default '{}', note text);
create table sets (id bigint primary key, tags text[], nums int[] default '{1}');
create table events (id bigint primary key, at timestamptz default '2020-01-01', kind varchar(5));
create table flags (id bigint primary key, active boolean default false);
create table pairs_of_text (id bigint, email text);

insert into users values
	(1, 'ann@x', 'Ann', 10, '2021-01-01'), (2, 'bob@x', 'Bob', 20, '2021-01-02'),
	(3, 'cyd@x', null, 30, '2021-01-03'), (4, 'dan@x', 'Dan', 40, '2021-01-04');
insert into accounts values (1, 'Ann', 'gold', 'abc'), (2, 'nobody', 'silver', 'd'), (3, null, null, null);
insert into vouchers values (1, 'first', 5), (2, 'second', 7), (3, null, 9);
insert into orders values (1, 1, 'a1', 'b1'), (2, 1, 'a2', 'b2'), (3, 2, 'a3', 'b3'), (4, null, 'Ann', 'b4');
insert into products values (1, 'lamp', 3), (2, 'Ann', 4), (3, 'desk', 5);
insert into devices values (1, 'Phone', 'ph'), (2, 'Bob', 'x');
insert into archive.users values (1, 'old@x', 'Old'), (7, 'older@x', 'Older');
insert into pairs_of_text values (11, 'p1'), (12, 'p2');
insert into docs values (-1, '{"a": 1}', 'n'), (-2, '[1,2]', null);
insert into sets values (1, '{a,b}', '{1,2}'), (2, null, null);
insert into events values (1, '2021-05-05', 'sad'), (2, null, 'happy');
insert into flags values (1, true), (2, false);
