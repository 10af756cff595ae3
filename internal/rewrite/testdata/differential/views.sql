create table people (id bigint primary key, full_name text, email text);
create table orders (id bigint primary key, person_id bigint);
create view names as select id, full_name as label from people;
create view labels as select label from names;
create view emails as select id, email from people;
create view named as select id, email from people where full_name is not null;
create materialized view cached as select * from people;
insert into people values (1, 'Ann', 'ann@x'), (2, 'Bob', null), (3, null, 'cyd@x');
insert into orders values (1, 1), (2, 3);
