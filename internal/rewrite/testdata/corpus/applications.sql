select upper(email) as name, count(*) from users group by (name, id)

select upper(email) as name, count(*) from users group by (name)

select upper(email) as name, count(*) from users group by grouping sets ((name, id), (id, name))

select upper(email) as name, count(*) from users group by rollup (name, (id, name))

select upper(email) as name, count(*) from users group by cube ((name), id)

select full_name, count(*) from users group by (full_name, id)

select full_name, email, count(*) from users group by cube (full_name, (email, id)) order by 1, 2, 3

select upper(email) as name, count(*) from users group by name, name

select name as x, upper(full_name) as full_name from users group by full_name

-- args: Eve|10
INSERT INTO "users" ("full_name","id") VALUES ($1,$2) RETURNING "id"

-- args: Eve|10
INSERT INTO "users" ("full_name","id") VALUES ($1,$2) ON CONFLICT ("id") DO UPDATE SET "full_name"="excluded"."full_name" RETURNING "id"

-- args: Eve|e@x|1
INSERT INTO "users" ("full_name","email","id") VALUES ($1,$2,$3) ON CONFLICT ("id") DO UPDATE SET "full_name"="excluded"."full_name","email"="excluded"."email" RETURNING "id","full_name"

INSERT INTO "users" AS "user" ("id", "email", "full_name", "balance", "created_at") VALUES (12, 'x@y', 'Zoe', DEFAULT, DEFAULT) RETURNING "balance", "created_at"

INSERT INTO "users" AS "user" ("id", "full_name") VALUES (1, 'Zoe'), (13, 'Yan') ON CONFLICT (id) DO UPDATE SET full_name = EXCLUDED.full_name, balance = "user".balance + 1 RETURNING "user"."id", "user"."full_name"

SELECT "u"."id", "u"."email", "u"."full_name" FROM "users" AS "u" WHERE ("u"."full_name" = 'Ann') AND (id > 0) ORDER BY "u"."id" LIMIT 10

SELECT * FROM "users" WHERE "users"."id" = 1 ORDER BY "users"."id" LIMIT 1

SELECT count(*) FROM (SELECT "users"."full_name" FROM "users" WHERE full_name IS NOT NULL) AS "t"

SELECT count(*) FROM (SELECT * FROM users) t

SELECT count(DISTINCT("full_name")) FROM "users"

WITH "_data" ("id", "full_name") AS (VALUES (1::BIGINT, 'x'::VARCHAR), (2::BIGINT, 'y'::VARCHAR)) UPDATE "users" AS "u" SET "full_name" = "_data"."full_name" FROM "_data" WHERE ("u"."id" = "_data"."id") RETURNING "u"."id"

-- args: 1|Ann|2|Bob
SELECT id, full_name FROM users WHERE (id, full_name) IN (($1, $2), ($3, $4)) ORDER BY id

-- args: {Ann,Bob}
SELECT id FROM users WHERE full_name = ANY($1) ORDER BY id

-- args: {Ann,Bob}
SELECT id FROM users WHERE full_name = ANY($1::text[]) order by id

-- args: {Ann,Bob}
SELECT id FROM users WHERE NOT full_name = ALL($1) order by id

-- args: %n%
SELECT id FROM users WHERE full_name ILIKE $1 OR email ILIKE $1 order by id

-- args: %n%
SELECT id FROM users WHERE full_name ILIKE '%' || $1 || '%' ESCAPE '\' order by id

SELECT id, full_name FROM users ORDER BY full_name COLLATE "C" DESC NULLS LAST LIMIT 2

-- args: Ann|1|2
SELECT id, full_name FROM users WHERE (full_name, id) > ($1, $2) ORDER BY full_name, id LIMIT $3

-- args: Ann|1|2
select id, full_name from users where (full_name, id) > ($1, $2) order by full_name asc nulls first, id asc limit $3 offset 0

-- args: 1|X|2|Y
UPDATE users SET full_name = v.full_name FROM (VALUES ($1::bigint, $2::text), ($3, $4)) AS v(id, full_name) WHERE users.id = v.id RETURNING users.id, users.full_name

UPDATE users SET full_name = upper(v.full_name) FROM (VALUES (1, 'x'), (2, 'y')) AS v(id, full_name) WHERE users.id = v.id RETURNING users.*

UPDATE users u SET full_name = name FROM (VALUES (1, 'x'), (2, 'y')) AS v(id, name) WHERE u.id = v.id RETURNING u.*, v.*

UPDATE users u SET full_name = upper(name) FROM (VALUES (1, 'x'), (2, 'y')) AS v(id, name) WHERE u.id = v.id RETURNING name, full_name

-- args: {21,22}|{p,q}
INSERT INTO users (id, full_name) SELECT unnest($1::bigint[]), unnest($2::text[])

-- args: {21,22}|{p,q}
INSERT INTO users (id, full_name) SELECT unnest($1::bigint[]), unnest($2::text[]) RETURNING id, full_name

-- args: {21,22}|{p,q}
INSERT INTO users (id, full_name) SELECT * FROM unnest($1::bigint[], $2::text[]) AS t(id, full_name) RETURNING *

-- args: {21,22}|{p,q}
INSERT INTO users (id, full_name) SELECT i, n FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS t(i, n, o) ORDER BY o ON CONFLICT DO NOTHING

-- args: {1,2}|{p,q}
UPDATE users SET full_name = d.n FROM (SELECT unnest($1::bigint[]) AS i, unnest($2::text[]) AS n) d WHERE id = d.i

-- args: {1,2}|{p,q}
UPDATE users SET full_name = d.full_name FROM unnest($1::bigint[], $2::text[]) AS d(id, full_name) WHERE users.id = d.id

WITH ins AS (INSERT INTO users (id, full_name) VALUES (31, 'I') ON CONFLICT (id) DO NOTHING RETURNING id) SELECT id FROM ins UNION ALL SELECT id FROM users WHERE full_name = 'I' LIMIT 1

WITH ins AS (INSERT INTO users (id, full_name) VALUES (31, 'I') RETURNING *), o AS (INSERT INTO orders (id, user_id, a) SELECT 90, ins.id, ins.full_name FROM ins RETURNING *) SELECT o.*, ins.full_name FROM o, ins

WITH ins AS (INSERT INTO users (id, full_name) VALUES (31, gen('I')) RETURNING *), i2 as (insert into users (id, full_name) values (32, gen('J')) returning full_name) SELECT ins.full_name, i2.full_name from ins, i2

with x as (insert into users (id, full_name) values (31, gen('I')) returning *) insert into users (id, full_name) values (32, gen('J')), (33, 'q' || gen('K')) returning full_name

SELECT json_build_object('n', full_name, 'id', id) FROM users ORDER BY id

SELECT jsonb_build_object('n', u.full_name) AS full_name FROM users u ORDER BY full_name

SELECT json_agg(x) FROM (SELECT full_name, id FROM users ORDER BY id) x

SELECT coalesce(json_agg(x), '[]') FROM (SELECT * FROM users ORDER BY id) x

SELECT row_to_json(x) FROM (SELECT u.full_name, u.id FROM users u) AS x

SELECT array_agg(full_name ORDER BY full_name DESC) FROM users

SELECT array_agg(DISTINCT full_name), string_agg(DISTINCT full_name, ', ' ORDER BY full_name) FROM users

SELECT string_agg(coalesce(full_name, '-'), ',' ORDER BY id) FILTER (WHERE full_name <> 'Bob') FROM users

SELECT full_name FROM users GROUP BY full_name HAVING count(*) > 0 AND max(full_name) >= 'A' ORDER BY full_name

SELECT full_name, count(*) AS n FROM users GROUP BY 1 ORDER BY 2 DESC, 1

SELECT full_name, rank() OVER (PARTITION BY left(full_name, 1) ORDER BY full_name DESC), lag(full_name) OVER w FROM users WINDOW w AS (ORDER BY id)

SELECT full_name, sum(balance) FROM users GROUP BY GROUPING SETS ((full_name), (), (id, full_name)) ORDER BY full_name, 2

SELECT u.full_name, o.a FROM users u LEFT JOIN LATERAL (SELECT a FROM orders WHERE user_id = u.id AND a <> u.full_name ORDER BY a LIMIT 1) o ON true ORDER BY u.id

SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND u.full_name IS NOT NULL) FOR UPDATE SKIP LOCKED

SELECT id, full_name FROM users WHERE full_name = 'Ann' FOR UPDATE OF users NOWAIT

SELECT id, full_name FROM users ORDER BY full_name LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED

UPDATE users SET full_name = 'L' WHERE id = (SELECT id FROM users WHERE full_name IS NOT NULL ORDER BY full_name LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *

DELETE FROM users WHERE id IN (SELECT id FROM users ORDER BY full_name LIMIT 1) RETURNING full_name

DELETE FROM "users" WHERE "users"."full_name" = 'Ann' RETURNING "full_name" AS "n", *

SELECT name FROM users, unnest(ARRAY['a', 'b']) AS t(name) WHERE full_name = 'Ann' ORDER BY 1

SELECT name, ord FROM users, unnest(ARRAY['a', 'b']) WITH ORDINALITY AS t(name, ord) WHERE full_name = 'Ann' ORDER BY 2

SELECT full_name FROM users u CROSS JOIN generate_series(1, 2) AS name ORDER BY name, full_name

SELECT g.name, full_name FROM users u CROSS JOIN generate_series(1, 2) AS g(name) ORDER BY name, full_name

SELECT id, full_name FROM users WHERE id = 1 UNION SELECT id, name FROM products UNION ALL (SELECT id, full_name FROM users ORDER BY full_name LIMIT 1) ORDER BY full_name, id

SELECT CASE WHEN full_name = 'Ann' THEN 'a' WHEN full_name IS NULL THEN 'n' ELSE full_name END FROM users ORDER BY id

SELECT CASE WHEN full_name = 'Ann' THEN 'a' ELSE full_name END full_name FROM users ORDER BY full_name

-- args: dflt
SELECT COALESCE(NULLIF(full_name, ''), $1) FROM users ORDER BY id

-- args: dflt
UPDATE users SET full_name = COALESCE(NULLIF($1, ''), full_name) WHERE id = 1 RETURNING full_name

-- args: dflt|1
UPDATE users SET full_name = COALESCE($1, full_name), email = COALESCE($1, email) WHERE id = $2

SELECT id FROM users WHERE to_tsvector('english', coalesce(full_name, '')) @@ plainto_tsquery('english', 'ann')

SELECT ts_rank(to_tsvector('simple', full_name), to_tsquery('ann')) > 0 AS hit, full_name FROM users WHERE full_name IS NOT NULL ORDER BY 1 DESC, full_name

SELECT (string_to_array(full_name, 'n'))[1], (regexp_match(full_name, '(.)'))[1] FROM users ORDER BY id

SELECT (array_agg(full_name ORDER BY id))[1:2] FROM users

SELECT id FROM users WHERE full_name IS DISTINCT FROM 'Ann' AND full_name IS NOT DISTINCT FROM full_name ORDER BY id

SELECT id FROM users WHERE full_name LIKE 'A!%%' ESCAPE '!' OR full_name NOT LIKE '_o_' ORDER BY id

SELECT id FROM users WHERE full_name BETWEEN 'A' AND 'C' OR full_name NOT BETWEEN SYMMETRIC 'C' AND 'A'

SELECT id FROM users WHERE full_name OPERATOR(pg_catalog.=) 'Ann'

SELECT full_name OPERATOR(pg_catalog.||) '!' FROM users

UPDATE users SET full_name = full_name OPERATOR(pg_catalog.||) '!' WHERE id = 1

SELECT/**/full_name/**/FROM/**/users/**/WHERE/**/full_name/**/=/**/'Ann'

SELECT "users"/* x */./* y */"full_name" FROM public/**/.--z
"users"

INSERT/**/INTO/**/users/**/(/**/full_name/**/,/**/id/**/)/**/VALUES/**/(/**/'x'/**/,/**/40/**/)/**/RETURNING/**/full_name/**/

UPDATE/**/users/**/SET/**/full_name/**/=/**/upper(email)/**/WHERE/**/id=1/**/RETURNING/**/full_name

UPDATE users SET full_name = 'a' -- comment
 , email = 'b' -- , full_name = 'z'
 WHERE id = 1

INSERT INTO users (id, full_name) VALUES (41, 'a' -- first
), (42, /* second */ 'b') -- end

SELECT full_name FROM users;

;;SELECT full_name FROM users;;

SELECT E'\'users', e'full\\_name', U&'\0066', B'01', X'1F', full_name FROM users WHERE full_name <> E'\x41nn' ORDER BY id

SELECT $_$full_name$_$, $a1$ $a2$ users $a2$ $a1$, full_name FROM users ORDER BY id

SELECT U&"\0066ull_name", U&"u"."id" FROM U&"us\0065rs" AS U&"u" ORDER BY 2

SELECT U&"full_nam!0065" UESCAPE '!' FROM users ORDER BY 1

UPDATE users SET U&"full_nam!0065" UESCAPE '!' = upper(email) WHERE id = 1

INSERT INTO users (id, U&"full_nam!0065" UESCAPE '!') VALUES (50, 'u')

INSERT INTO users (id, U&"n\0061me") VALUES (50, 'u') RETURNING U&"n\0061me"

SELECT FULL_NAME, "full_name", Full_Name AS "Full_Name" FROM Users AS U ORDER BY "Full_Name"

SELECT a.id, b.full_name FROM users a LEFT JOIN users b ON a.full_name < b.full_name ORDER BY a.id, b.full_name

SELECT a.full_name, b.full_name FROM users a, public.users b WHERE a.full_name = b.full_name

SELECT * FROM users a JOIN users b ON a.id = b.id ORDER BY 1

SELECT full_name FROM users WHERE full_name > SOME (SELECT full_name FROM users)

SELECT full_name FROM users WHERE id IN (VALUES (1), (2)) ORDER BY full_name

SELECT x.full_name FROM users AS x WHERE x.full_name IN ('Ann', 'Bob') AND (x.full_name || 'z') NOT IN ('q')

SELECT length(full_name), char_length(full_name)::text || 'x', full_name::varchar(2), full_name::char(1), CAST(full_name AS varchar(3)) FROM users ORDER BY id

SELECT full_name::bytea, full_name COLLATE "C", md5(full_name) FROM users ORDER BY id

SELECT DISTINCT full_name, email FROM users ORDER BY email, full_name

SELECT DISTINCT ON (lower(full_name)) full_name FROM users ORDER BY lower(full_name), id DESC

SELECT DISTINCT ON (u.full_name) u.* FROM users u ORDER BY u.full_name, u.id

SELECT max(full_name), min(full_name) AS full_name FROM users

SELECT (SELECT full_name FROM users WHERE id = 1), (SELECT full_name AS x FROM users WHERE id = 2), ARRAY(SELECT full_name FROM users ORDER BY full_name)

SELECT (SELECT u.full_name FROM users u WHERE u.id = o.user_id) AS full_name, o.id FROM orders o ORDER BY full_name NULLS FIRST, o.id

SELECT o.id, (SELECT max(full_name) FROM users WHERE users.id = o.user_id) FROM orders o ORDER BY 2, 1

SELECT t.* FROM (SELECT u.full_name, o.a FROM users u JOIN orders o ON o.user_id = u.id) t ORDER BY t.full_name, t.a

SELECT t.full_name FROM (SELECT full_name, row_number() OVER (PARTITION BY email ORDER BY full_name) rn FROM users) t WHERE rn = 1 ORDER BY full_name

WITH RECURSIVE t(n, full_name) AS (SELECT 1, full_name FROM users WHERE id = 1 UNION ALL SELECT n + 1, t.full_name || n FROM t WHERE n < 3) SELECT full_name FROM t ORDER BY n

WITH t AS (SELECT * FROM users), s AS (SELECT t.full_name, count(*) OVER () FROM t) SELECT * FROM s JOIN t USING (full_name) ORDER BY id

WITH t AS (UPDATE users SET full_name = full_name || 'x' RETURNING id, full_name), d AS (SELECT * FROM t WHERE full_name LIKE 'A%') SELECT d.full_name, t.id FROM d JOIN t ON t.id = d.id

WITH del AS (DELETE FROM users WHERE full_name = 'Ann' RETURNING *) INSERT INTO archive.users (id, email, full_name) SELECT id + 50, email, full_name FROM del RETURNING full_name

WITH del AS (DELETE FROM users WHERE full_name = 'Ann' RETURNING *) INSERT INTO users SELECT id + 50, email || '2', full_name || '2' FROM del

WITH moved AS (DELETE FROM archive.users RETURNING id + 50 AS id, email, full_name) INSERT INTO users (id, email, full_name) SELECT id, email, full_name FROM moved

INSERT INTO archive.users SELECT id + 50, email, full_name FROM users

INSERT INTO archive.users (id, full_name) VALUES (60, (SELECT full_name FROM users WHERE id = 1)) RETURNING full_name

UPDATE archive.users a SET full_name = u.full_name FROM users u WHERE u.id = a.id RETURNING a.full_name, u.full_name

UPDATE users SET full_name = (SELECT full_name FROM archive.users a WHERE a.id = users.id) WHERE id = 1 RETURNING *

UPDATE users SET full_name = (SELECT a FROM orders o WHERE o.user_id = users.id ORDER BY o.id LIMIT 1), balance = balance + 1 WHERE full_name IS NOT NULL

UPDATE users SET full_name = substr(full_name, 1, 2), email = full_name WHERE full_name IS NOT NULL RETURNING full_name, email

UPDATE users SET full_name = CASE id WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE full_name END WHERE id IN (1, 2)

-- args: 1|one|2|two
UPDATE users SET full_name = CASE id WHEN $1 THEN $2 WHEN $3 THEN $4 END WHERE id IN ($1, $3)

-- args: 1|one|2|two
UPDATE users SET full_name = CASE id WHEN $1::bigint THEN $2::text WHEN $3::bigint THEN $4::text ELSE full_name END, balance = CASE id WHEN $1 THEN 1 ELSE 2 END WHERE id IN ($1, $3)

UPDATE users SET full_name = replace(full_name, 'n', 'm') WHERE full_name LIKE '%n%' RETURNING id, full_name AS name

UPDATE users SET (full_name, email) = (upper(full_name), lower(email)) WHERE id = 1 RETURNING *

UPDATE users SET (full_name, email) = (SELECT a, b FROM orders WHERE orders.id = users.id) WHERE id < 3

UPDATE users SET full_name = NULL

UPDATE users SET full_name = '' || NULL WHERE id = 1

UPDATE users SET full_name = full_name, email = email

UPDATE users u SET full_name = p.name FROM products p JOIN orders o ON o.id = p.id WHERE o.user_id = u.id AND p.id = 1 RETURNING u.*, p.name

UPDATE users u SET full_name = p.name || o.a FROM products p, LATERAL (SELECT a FROM orders WHERE orders.id = p.id) o WHERE p.id = u.id RETURNING u.full_name

UPDATE users AS u SET full_name = lower(u.full_name) FROM users AS v WHERE v.id = u.id AND v.full_name > 'A' RETURNING u.full_name, v.full_name

DELETE FROM users u USING (VALUES ('Ann'), ('Bob')) v(full_name) WHERE u.full_name = v.full_name RETURNING u.*, v.*

DELETE FROM users u USING products p WHERE p.name = full_name RETURNING name, full_name

DELETE FROM users WHERE (full_name, id) IN (SELECT full_name, id FROM users WHERE id < 3)

INSERT INTO users (id, full_name) VALUES (60, upper('a')), (61, DEFAULT), (62, NULL), (63, (SELECT max(a) FROM orders)) RETURNING *

INSERT INTO users (id, full_name) VALUES (60, 'a'::text), (61, 'b' || 'c'), (62, CAST('d' AS varchar)), (63, ('e')) RETURNING full_name

-- args: 60|a|61|b
INSERT INTO users (id, full_name, email) VALUES ($1, $2, $2), ($3, $4, $4 || '@') ON CONFLICT (full_name) DO UPDATE SET full_name = EXCLUDED.full_name || '2', email = EXCLUDED.email RETURNING id, full_name, (xmax = 0) AS inserted

INSERT INTO users (id, full_name) VALUES (60, 'Ann') ON CONFLICT (full_name) WHERE full_name IS NOT NULL DO NOTHING

INSERT INTO users (id, full_name) VALUES (60, 'Ann') ON CONFLICT (full_name) DO UPDATE SET balance = 5 WHERE users.full_name = EXCLUDED.full_name RETURNING *

INSERT INTO users AS u (id, full_name) VALUES (1, 'Ann') ON CONFLICT (id) DO UPDATE SET full_name = coalesce(EXCLUDED.full_name, u.full_name) || '3' RETURNING u.full_name

INSERT INTO users (id, full_name) VALUES (1, 'Ann') ON CONFLICT (id) DO UPDATE SET full_name = concat(users.full_name, '/', EXCLUDED.full_name) RETURNING *

INSERT INTO users (id, full_name) VALUES (1, 'Ann') ON CONFLICT (id) DO UPDATE SET full_name = (SELECT max(a) FROM orders WHERE user_id = EXCLUDED.id) RETURNING *

INSERT INTO users (id, full_name) VALUES (1, 'Ann') ON CONFLICT (id) DO UPDATE SET full_name = full_name || 'x'

INSERT INTO users (id, full_name) VALUES (1, 'Ann') ON CONFLICT (id) DO UPDATE SET full_name = DEFAULT, email = DEFAULT RETURNING *

INSERT INTO users (id, full_name) SELECT id + 100, full_name || '2' FROM users ON CONFLICT (id) DO UPDATE SET full_name = EXCLUDED.full_name RETURNING id, full_name

INSERT INTO users (id, full_name) SELECT id, upper(full_name) FROM users u WHERE u.full_name IS NOT NULL ON CONFLICT (id) DO UPDATE SET full_name = EXCLUDED.full_name WHERE users.full_name <> EXCLUDED.full_name RETURNING id, full_name

INSERT INTO users (full_name, id) SELECT DISTINCT lower(a), 70 FROM orders WHERE id = 1

INSERT INTO users (full_name, id) SELECT lower(a), 70 FROM orders WHERE id = 1 GROUP BY 1 HAVING count(*) > 0 ORDER BY 1 LIMIT 1

INSERT INTO users (full_name, id) SELECT lower(a) AS full_name, count(*) + 70 FROM orders WHERE id = 1 GROUP BY full_name

INSERT INTO users (full_name, id) SELECT a, 70 + rank() OVER (ORDER BY id) FROM orders WHERE a LIKE 'a%'

INSERT INTO users (full_name, id) SELECT 'lit', 70 UNION SELECT a, 71 FROM orders WHERE id = 1

INSERT INTO users (full_name, id) SELECT 'lit', 70 INTERSECT SELECT 'lit', 70

INSERT INTO users (full_name, id) WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT 'r' || n, 80 + n FROM t

INSERT INTO users (full_name, id) SELECT x->>'n', (x->>'i')::int FROM jsonb_array_elements('[{"n": "j", "i": 90}]') x RETURNING *

INSERT INTO users (full_name, id) SELECT r.full_name, r.id FROM jsonb_to_recordset('[{"full_name": "j", "id": 90}]') AS r(full_name text, id int) RETURNING *

INSERT INTO users SELECT r.* FROM jsonb_to_recordset('[{"full_name": "j", "id": 90}]') AS r(id int, email text, full_name text) RETURNING *

INSERT INTO users (id, email, full_name) SELECT r.* FROM json_to_recordset('[{"full_name": "j", "id": 90}]') AS r(id int, email text, full_name text) RETURNING *

INSERT INTO users VALUES (90, 'z@z', 'Z', 1, '2020-02-02'), (91, 'y@z', NULL, DEFAULT, DEFAULT)

INSERT INTO users VALUES (90)

INSERT INTO users SELECT 90, 'm@x', 'M', 1, '2020-01-01'

INSERT INTO users SELECT 90, 'm@x', upper('m'), 1, '2020-01-01'

-- args: 90|m|5
INSERT INTO users (id, email, full_name, balance) SELECT $1, 'm@x', upper($2), $3

-- args: 90|m|2020-05-05
INSERT INTO users (id, full_name, created_at) SELECT $1, lower($2), $3 WHERE NOT EXISTS (SELECT 1 FROM users WHERE full_name = $2)

-- args: 90|m
INSERT INTO users (id, full_name) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM users WHERE full_name = $2)

-- args: 90|m
INSERT INTO users (id, full_name) SELECT $1::bigint, $2::text FROM (SELECT 1) s WHERE NOT EXISTS (SELECT 1 FROM users WHERE full_name = $2)

SELECT u.full_name, v.account FROM users u LEFT JOIN (SELECT owner AS account FROM accounts) v ON v.account = u.full_name ORDER BY u.id

SELECT u.*, a.* FROM users u LEFT JOIN accounts a ON a.owner = u.full_name ORDER BY u.id

SELECT u.*, a.id AS account_id, a.owner FROM users u LEFT JOIN accounts a ON a.owner = u.full_name ORDER BY u.id

SELECT owner FROM accounts WHERE kind = 'gold' UNION SELECT full_name FROM users ORDER BY owner

SELECT name, email FROM products LEFT JOIN users USING (id) ORDER BY name

SELECT id, name, users.full_name FROM products FULL JOIN users USING (id) ORDER BY id

SELECT p.name FROM products p WHERE p.name NOT IN (SELECT full_name FROM users WHERE full_name IS NOT NULL) ORDER BY p.name

SELECT name FROM products WHERE id IN (SELECT id FROM users WHERE full_name IS NOT NULL) ORDER BY name

SELECT name FROM products WHERE EXISTS (SELECT FROM users WHERE users.id = products.id AND full_name > name) ORDER BY name

SELECT products.name, count(users.full_name) FROM products LEFT JOIN users ON users.id = products.id GROUP BY products.name, users.full_name ORDER BY name

SELECT name, count(full_name) FROM products LEFT JOIN users ON users.id = products.id GROUP BY name ORDER BY name

SELECT upper(name) AS name, full_name FROM products JOIN users ON users.id = products.id GROUP BY products.name, full_name ORDER BY name

SELECT full_name FROM devices UNION ALL SELECT full_name FROM users ORDER BY full_name

SELECT devices.full_name AS dn, users.full_name, devices.name FROM devices JOIN users ON users.full_name = devices.full_name ORDER BY devices.full_name

SELECT d.* FROM devices d JOIN users u ON u.full_name = d.full_name AND u.full_name <> d.name

SELECT id, extract(epoch FROM created_at)::bigint AS e, full_name FROM users WHERE created_at > '2021-01-01'::timestamptz - interval '1 day' ORDER BY e

SELECT overlay(full_name placing 'zz' from 1 for 2), substring(full_name, 2), substring(full_name from '.$'), trim(leading 'A' from full_name), position('n' in full_name), normalize(full_name), full_name IS NORMALIZED FROM users ORDER BY id

SELECT full_name AS "full name", full_name "x""y", full_name AS full_name FROM users ORDER BY id

SELECT full_name "name" FROM users ORDER BY "name"

SELECT full_name AS value, full_name AS type, full_name AS "select" FROM users ORDER BY id

SELECT FROM users WHERE full_name = 'Ann'

SELECT 1 AS full_name, 2 AS name FROM users ORDER BY users.full_name

SELECT id FROM users ORDER BY CASE WHEN full_name = 'Bob' THEN 0 ELSE 1 END, full_name

SELECT id FROM users WHERE (SELECT full_name) = 'Ann'

SELECT id FROM users WHERE true AND NOT (full_name IS NULL) AND (full_name = 'Ann') IS TRUE

SELECT id FROM users WHERE full_name ~ '^A' OR full_name !~ 'b' OR full_name ~* 'c' OR full_name ^@ 'D' ORDER BY id

SELECT id FROM users WHERE full_name SIMILAR TO '(A|B)%' ESCAPE '!' ORDER BY id

SELECT GREATEST(full_name, 'B'), LEAST(full_name, 'B') AS full_name FROM users ORDER BY 2, 1

SELECT ROW(full_name, id) = ROW('Ann', 1) FROM users ORDER BY id

SELECT id FROM users WHERE ROW(full_name, email) IS NULL OR (full_name, email) IS NOT NULL ORDER BY id

SELECT id FROM users WHERE (full_name, created_at) OVERLAPS (full_name, created_at)

SELECT xmlelement(name u, xmlattributes(full_name AS n, id), full_name)::text FROM users ORDER BY id

SELECT j.* FROM users u, json_each_text(json_build_object('full_name', u.full_name, 'name', u.id)) j ORDER BY u.id, key

SELECT x.a FROM users u, xmltable('/r' passing ('<r>' || coalesce(u.full_name, '') || '</r>')::xml columns a text path '.') x ORDER BY 1

SELECT count(*) FILTER (WHERE full_name IS NULL), avg(length(full_name))::int, bool_and(full_name <> ''), every(full_name > 'A'), mode() WITHIN GROUP (ORDER BY full_name) FROM users

SELECT full_name FROM users LIMIT ALL OFFSET 1 ROWS

SELECT full_name FROM users ORDER BY id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY

BEGIN; INSERT INTO users (id, full_name) VALUES (95, gen('a')); UPDATE users SET full_name = gen(full_name) WHERE id = 95; SELECT full_name FROM users WHERE id = 95; SELECT currval('codes')

INSERT INTO users (id, full_name) VALUES (nextval('codes'), 'n' || currval('codes')), (nextval('codes'), 'n' || currval('codes')), (nextval('codes'), 'n' || currval('codes')) RETURNING id, full_name

INSERT INTO users (id, full_name) VALUES (nextval('codes'), 'n' || currval('codes')) RETURNING id, full_name

INSERT INTO vouchers (id, code) VALUES (nextval('codes') + 100, DEFAULT), (nextval('codes') + 100, DEFAULT) RETURNING id, code

INSERT INTO users (id, full_name) VALUES (60, gen('a')), (61, gen('b')), (62, gen('c')), (63, gen('d')) RETURNING full_name

update users set full_name = upper(v) where id = 1

insert into users (id, full_name) values (10, upper(email))

insert into users (id, full_name) values (10, unnest(array['a', 'b']))

insert into users (id, full_name) values (10, generate_series(1, 1)::text)

insert into users (id, full_name) values (unnest(array[10, 11]), unnest(array['a', 'b']))

insert into users (id, full_name) values (generate_series(10, 12), gen('a'))

insert into users (id, full_name) values (generate_series(10, 12), null)

select upper(email) as name, count(*) from users group by (name, balance)

select upper(email) as name, balance, count(*) from users group by grouping sets ((name, balance), ())

select upper(email) as name, balance, count(*) from users group by rollup ((name, balance))

select upper(email) as name, full_name, count(*) from users group by (full_name, name)

select full_name from users where full_name in (select full_name from orders where a = 'a1')

insert into accounts (id) values (unnest(array[20, 21]))

insert into vouchers (id) values (unnest(array[20, 21])) returning *

-- args: {20,21}|{p,q}
insert into users (id, full_name, balance) values (unnest($1::bigint[]), unnest($2::text[]), '5') returning *

insert into users (id, full_name, email) values (30, gen('a'), gen('b')), (31, gen('c'), gen('d')) returning *

insert into users (id, full_name, email) values (unnest(array[20, 21]), gen('x'), null) returning *

insert into users (id, full_name) (values (generate_series(20, 21), gen('x'))) on conflict do nothing returning *

insert into users values (generate_series(20, 21), 'e' || generate_series(20, 21)) returning *

insert into users values(generate_series(20, 21),null,gen('x'))returning*

insert into users (id, full_name, email) select 20, gen('a'), 'x', 'y'

insert into users (id, full_name, email) select 20, gen('a')

-- refused
insert into users (id, full_name) values (20, 'a') returning users

insert into users (id, full_name) values (20, (with x as (select 'q' as z) select z from x)) returning full_name

insert into users (id, full_name) values (20, (with x as (select full_name from users where id = 1) select full_name || '2' from x)) returning full_name

with x as (select 'q' as z) insert into users (id, full_name) values (20, (select z from x)), (21, (select z || '2' from x)) returning full_name

with recursive x(n) as (select 1 union all select n + 1 from x where n < 3) insert into users (id, full_name) values (20, (select max(n)::text from x)) returning full_name

with x as (select 1 as id) insert into users (id, full_name) select 20 + x.id, gen('a') from x returning full_name

with x as (insert into users (id, full_name) values (20, gen('a')) returning id), y as (update users set full_name = gen('b') where id = 1 returning id), z as (delete from users where full_name = 'Bob' returning full_name) select x.id, y.id, z.full_name from x, y, z

explain (costs off) select full_name from users where full_name = 'x' and false

begin; declare c scroll cursor with hold for select full_name from users order by full_name; fetch last c; close c

begin; declare c cursor for select id from users where full_name = 'Ann' for update; fetch c; delete from users where current of c returning full_name

prepare q(bigint, text) as insert into users (id, full_name) values ($1, upper($2)) on conflict (id) do update set full_name = excluded.full_name returning full_name; execute q(1, 'x'); execute q(30, 'y'); deallocate q

copy (select full_name, id from users order by id) to stdout

copy (select * from users where full_name = 'Ann' order by id) to stdout with (format csv, header)

create temp table tt on commit drop as select full_name, id from users; select * from tt order by id

create temp table tt (a, b) as select full_name, id from users; select * from tt order by b

select full_name into temp tt from users; select * from tt order by 1

select * from users where full_name = 'Ann' union all select * from users where false

select full_name from users where id = 1 union select full_name from users where id = 2 except select name from products order by full_name limit 5

select name from products union all select full_name from users order by name

select 1 as full_name union all select id from users where full_name is not null order by full_name

select (select count(*) from users u2 where u2.full_name < u1.full_name) c, u1.full_name from users u1 order by c, full_name

select u.full_name, sum(x.v) from users u left join lateral (select length(u.full_name) as v, o.a as name from orders o where o.user_id = u.id) x on x.name <> u.full_name group by u.full_name order by full_name

select first_value(full_name) over w as full_name, last_value(full_name) over (w rows between current row and unbounded following) from users window w as (partition by email order by full_name) order by full_name

select * from users where full_name in (select name from products where products.name = users.full_name)

select * from (select full_name as a, name as b from users) x where a = b order by a

select * from (values (1, 'full_name'), (2, 'x')) as t(id, full_name) join users using (id)

select t.full_name, users.full_name from (values (1, 'full_name'), (2, 'x')) as t(id, full_name) join users using (id) order by 1

select id, full_name from users natural join (select 1::bigint as id) x

select x.full_name from users natural join (select 1::bigint as id, 'k' as full_name) x

select j.full_name from (users u join products p on p.id = u.id) as j

select u.id, (u).full_name from users u

select (u.full_name).x from users u

select public.users.full_name, public.users.id from public.users order by public.users.full_name

update public.users set full_name = upper(public.users.full_name) where public.users.id = 1 returning public.users.full_name

update users as "name" set full_name = lower("name".full_name) returning "name".full_name, "name".*

select "name".full_name from users as "name" order by 1

select full_name.full_name, full_name.id from users full_name order by full_name.full_name

select full_name.* from users full_name order by full_name

select full_name from users name order by full_name

delete from users full_name where full_name.full_name = 'Ann' returning full_name.id

update users v set full_name = upper(v.full_name) where v.id = 1 returning v.full_name

update users _v set full_name = upper(_v.full_name), email = lower(email) where _v.id = 1 returning _v.full_name

update users set full_name = upper(v) from (select 'q' as v) _v where id = 1 returning full_name, v

update users set full_name = gen(v.v) from (select 'q' as v) v where id = 1 returning full_name, v

with _v as (select 'q' as v) update users set full_name = upper(_v.v) from _v where id = 1 returning full_name, v

with _crossfade_v as (select 'q' as v) insert into users (id, full_name) values (20, (select v from _crossfade_v)) returning full_name

insert into users (id, full_name) select _1, upper(_2) from (values (20, 'a')) as _v(_1, _2) returning full_name
