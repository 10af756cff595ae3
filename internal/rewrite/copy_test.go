package rewrite_test

import (
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// The tables of moreTables on the server, and users with a child.
const (
	moreOriginal = `
create table users_child () inherits (users);
insert into users_child (id, full_name) values (50, 'Child');
create view names as select id, full_name from users;
create table readings (id bigint primary key, n int, note text);
create table people (id bigint primary key, whole text);
create table labels (id bigint primary key, tag text, size int generated always as (id * 2) stored);
create table parts (id bigint, kind text) partition by range (id);
create table parts_one (kind text, id bigint);
alter table parts attach partition parts_one for values from (0) to (1000);
insert into readings values (1, 10, 'a'), (2, null, null), (3, -7, E'tab\tand "quote"');
insert into people values (1, 'Ann Lee'), (2, 'Bob Ray');
insert into labels values (1, 'x'), (2, null);
insert into parts values (1, 'k'), (2, E'l\n');`
	moreExpand = `
alter table users add name text; alter table accounts add holder text;
alter table readings add big bigint; alter table people add first text, add last text;
alter table labels add label text; alter table parts add sort text;`
	moreFill = `
update users set name = full_name; update accounts set holder = owner;
update readings set big = n; update people set first = split_part(whole, ' ', 1), last = split_part(whole, ' ', 2);
update labels set label = tag; update parts set sort = kind;`
	moreSpoil = `
update users set full_name = id; update accounts set owner = id; update readings set n = -1;
update people set whole = '-'; update labels set tag = '-'; update parts set kind = '-';`
	moreContract = `
drop view names;
alter table users drop full_name; alter table accounts drop owner; alter table readings drop n;
alter table people drop whole; alter table labels drop tag; alter table parts drop kind;`
	// moreSync is what a sync trigger does with a new row.
	moreSync = `
create function sync_users() returns trigger language plpgsql as $$ begin
	if new.name is null then new.name := new.full_name; else new.full_name := new.name; end if; return new; end $$;
create function sync_accounts() returns trigger language plpgsql as $$ begin
	if new.holder is null then new.holder := new.owner; else new.owner := new.holder; end if; return new; end $$;
create function sync_readings() returns trigger language plpgsql as $$ begin
	if new.big is null then new.big := new.n; else new.n := new.big; end if; return new; end $$;
create function sync_people() returns trigger language plpgsql as $$ begin
	if new.first is null then new.first := split_part(new.whole, ' ', 1); new.last := split_part(new.whole, ' ', 2);
	else new.whole := new.first || ' ' || new.last; end if; return new; end $$;
create function sync_labels() returns trigger language plpgsql as $$ begin
	if new.label is null then new.label := new.tag; else new.tag := new.label; end if; return new; end $$;
create function sync_parts() returns trigger language plpgsql as $$ begin
	if new.sort is null then new.sort := new.kind; else new.kind := new.sort; end if; return new; end $$;
create trigger zz before insert on labels for each row execute function sync_labels();
create trigger zz before insert on parts for each row execute function sync_parts();
create trigger zz before insert on users for each row execute function sync_users();
create trigger zz before insert on accounts for each row execute function sync_accounts();
create trigger zz before insert on readings for each row execute function sync_readings();
create trigger zz before insert on people for each row execute function sync_people();`
)

// synced gives every transition a trigger that keeps both sides.
func synced(c *rewrite.Catalog) {
	for i := range c.Transitions {
		c.Transitions[i].Synced = true
	}
}

// moreTables adds a table whose column changes its type, one whose column is
// split, one with a generated column, and a partitioned one with a partition.
func moreTables(c *rewrite.Catalog) {
	text := func(name, value string) transform.Column {
		return transform.Column{Name: name, Type: "text", BaseType: "text", Value: value}
	}
	add := func(id int64, table, kind string, move transform.Move, columns ...rewrite.Column) {
		name := rewrite.Name{Schema: "public", Name: table}
		c.Transitions = append(c.Transitions, rewrite.Transition{
			ID: id, Table: name, Move: move, Phase: c.Transitions[0].Phase, Token: table + "_token",
		})
		c.Tables = append(c.Tables, rewrite.Table{Name: name, Of: name, Kind: kind, Columns: columns})
		c.Homonyms = append(c.Homonyms, name)
	}
	add(11, "readings", "r", transform.Move{
		Kind:    transform.Change,
		Sources: []transform.Column{{Name: "n", Type: "integer", BaseType: "integer", Value: "big::integer"}},
		Targets: []transform.Column{{Name: "big", Type: "bigint", BaseType: "bigint", Value: "n::bigint"}},
	}, rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "n", Type: "integer"}, rewrite.Column{Name: "note", Type: "text"})
	add(12, "people", "r", transform.Move{
		Kind:    transform.Split,
		Sources: []transform.Column{text("whole", "first || ' ' || last")},
		Targets: []transform.Column{text("first", "split_part(whole, ' ', 1)"), text("last", "split_part(whole, ' ', 2)")},
	}, rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "whole", Type: "text"})
	c.Tables = append(c.Tables, rewrite.Table{Name: rewrite.Name{Schema: "public", Name: "users_child"}, Of: c.Tables[0].Name, Columns: c.Tables[0].Columns})
	add(13, "labels", "r", transform.Renamed(text("tag", ""), "label"),
		rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "tag", Type: "text"},
		rewrite.Column{Name: "size", Type: "integer", Generated: true})
	add(14, "parts", "p", transform.Renamed(text("kind", ""), "sort"),
		rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "kind", Type: "text"})
	part := rewrite.Name{Schema: "public", Name: "parts_one"}
	c.Tables = append(c.Tables, rewrite.Table{Name: part, Of: c.Tables[len(c.Tables)-1].Name, Kind: "r", Columns: []rewrite.Column{
		{Name: "kind", Type: "text"}, {Name: "id", Type: "bigint"}}})
}
