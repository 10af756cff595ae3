-- Partitions whose columns stand as in the parent and otherwise, one of them
-- attached with a column dropped before.
create table readings (
	id bigint not null, full_name text default 'nobody', kind int not null default 1, note text, primary key (id, kind)
) partition by range (id);
create table low partition of readings for values from (0) to (100);
create table mid partition of readings for values from (100) to (200) partition by list (kind);
create table mid_1 partition of mid for values in (1);
create table mid_rest (note text, kind int not null default 1, id bigint not null, full_name text default 'nobody');
alter table mid attach partition mid_rest default;
create table high (note text, full_name text default 'nobody', junk int, id bigint not null, kind int not null default 1);
alter table high drop column junk;
alter table readings attach partition high for values from (200) to (300);
insert into readings values
	(1, 'Ann', 1, 'n1'), (2, 'Bob', 2, null), (3, null, 1, 'n3'), (101, 'Cyd', 1, 'n101'), (102, 'Dan', 2, 'n102'),
	(201, 'Eve', 1, 'n201'), (202, 'Fay', 2, null);
