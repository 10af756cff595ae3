-- A table with children that have columns of their own, and a parent above it
-- that does not have the column.
create table beings (id bigint);
create table animals (id bigint primary key, full_name text default 'nobody', kind int);
alter table animals inherit beings;
create table birds (wings int default 2) inherits (animals);
create table owls (eyes text) inherits (birds);
create table fish (fins text, kind int, full_name text default 'nobody', id bigint not null);
alter table fish inherit animals;
insert into animals values (1, 'Ann', 1), (2, null, 2);
insert into birds values (11, 'Jay', 1, 2), (12, 'Emu', 2, 0);
insert into owls values (21, 'Oro', 1, 2, 'big'), (22, null, 2, 2, 'small');
insert into fish values ('many', 1, 'Eel', 31);
