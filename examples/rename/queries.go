package main

import "strings"

// queries is the SQL of the application. It is the same workload on both
// names: {name} stands for the column that this process was written against.
// An ordinary application has just the one name in its SQL.
type queries struct {
	column string

	byKey, byName, list, page, orders, shout string

	rename, extend, both, several                 string
	insert, insertDefault, insertRow, insertCopy  string
	upsert, delete, addOrder                      string
	increment, readForUpdate, setCounter, visited string
	counterByEmail                                string
	report                                        string
	held                                          string
}

func newQueries(column string) queries {
	sql := func(text string) string { return strings.ReplaceAll(text, "{name}", column) }
	return queries{
		column: column,

		// Reads.
		byKey:  sql(`select {name} from users where id = $1`),
		byName: sql(`select id from users where {name} = $1`),
		list:   sql(`select * from users where id between $1 and $2 order by id`),
		page: sql(`select u.id, u.{name} from users as u
			where u.country = $1 and u.{name} >= $2 order by u.{name}, u.id limit 20`),
		orders: sql(`select u.{name}, count(o.id) from users u left join orders o on o.user_id = u.id
			where u.id = $1 group by u.id, u.{name}`),
		shout: sql(`select upper({name}) as shouted from users where id = $1`),

		// Writes to rows that the process owns.
		rename: sql(`update users set {name} = $1 where id = $2`),
		extend: sql(`update users set {name} = split_part({name}, ' #', 1) || $1::text, visits = visits + 1
			where id = $2 returning {name}`),
		both: sql(`update users as u set {name} = v.label
			from (values ($1::bigint, $2::text), ($3::bigint, $4::text)) as v (user_id, label)
			where u.id = v.user_id`),
		several: sql(`update users set ({name}, country) = ($1, $2) where id = $3`),
		insert:  sql(`insert into users (email, {name}, country) values ($1, $2, $3) returning id`),
		insertDefault: sql(`insert into users (email, country) values ($1, $2)
			returning id, {name}`),
		insertRow: sql(`insert into users values (default, $1, $2, $3, 0, now()) returning *`),
		insertCopy: sql(`insert into users (email, {name}, country)
			select $1::text, {name}, country from users where id = $2 returning id, {name}`),
		upsert: sql(`insert into users (email, {name}, country) values ($1, $2, $3)
			on conflict (email) do update set {name} = excluded.{name}, visits = users.visits + 1
			returning id, {name}`),
		delete:   sql(`delete from users where id = $1 returning {name}`),
		addOrder: `insert into orders (user_id, cents) values ($1, $2)`,

		// Writes to rows that all processes share: the number in the name
		// counts how often somebody has added to it.
		increment: sql(`update users set {name} = 'counter ' || (split_part({name}, ' ', 2)::bigint + 1)
			where id = $1 returning {name}`),
		readForUpdate: sql(`select {name} from users where id = $1 for update`),
		setCounter:    sql(`update users set {name} = $1 where id = $2`),
		visited: sql(`insert into users (email, {name}, country) values ($1, 'counter 1', 'NO')
			on conflict (email) do update
			set {name} = 'counter ' || (split_part(users.{name}, ' ', 2)::bigint + 1)
			returning {name}`),
		counterByEmail: sql(`select {name} from users where email = $1`),

		// A report reads the same rows twice in one snapshot.
		report: sql(`select id, {name} from users where id = any($1) order by id`),

		// The write that is held back: see unsafe.go.
		held: sql(heldMark + ` update users set {name} = $1 where id = $2`),
	}
}
