package sweep

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A partitioned table is walked leaf by leaf, in the order of the leaves' names:
// along the key of the root each batch would have to look into every leaf. A
// part is such a leaf, by its quoted and qualified name; "" is the table itself,
// where it has no partitions.
//
// Leaves come and go meanwhile. One that is created is written by statements that
// keep both columns. One that is attached with rows in it is walked if its name
// lies ahead, and one that is detached, dropped or renamed is left behind; a row
// that an UPDATE moves to another leaf may hop over the position. What was
// missed so a later sweep meets.

// nextPart is the query for the leaf of a table ($1) that comes after a part
// ($2). The catalog is read without a lock on the leaves.
const nextPart = `
with recursive tree as (
	select to_regclass($1)::oid as oid
	union all
	select i.inhrelid from tree t join pg_catalog.pg_class p on p.oid = t.oid and p.relkind = 'p'
	join pg_catalog.pg_inherits i on i.inhparent = t.oid
), leaf as (
	select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as name
	from tree t join pg_catalog.pg_class c on c.oid = t.oid and c.relkind = 'r' and c.relispartition
	join pg_catalog.pg_namespace n on n.oid = c.relnamespace
)
select name from leaf where name collate "C" > $2 order by name collate "C" limit 1`

// isPart tells whether a part ($2) is a leaf of a table ($1).
const isPart = `
with recursive above as (
	select to_regclass($2)::oid as oid
	union all
	select i.inhparent from above a join pg_catalog.pg_inherits i on i.inhrelid = a.oid
)
select exists (select from above where oid = to_regclass($1))`

// on are the statements for a part.
func (q statements) on(part string) statements {
	if part != "" {
		q.table = part
	}
	return q
}

// nextPart finds the part after another, or after "", that has rows, and its
// greatest key; nil for none.
func (w *walk) nextPart(ctx context.Context, tx pgx.Tx, part string) (string, []string, error) {
	for {
		err := tx.QueryRow(ctx, nextPart, w.q.table, part).Scan(&part)
		if errors.Is(err, pgx.ErrNoRows) {
			return "", nil, nil
		}
		if err != nil {
			return "", nil, err
		}
		upper, err := queryKey(ctx, tx, len(w.q.key), w.q.on(part).upper())
		if err != nil || upper != nil {
			return part, upper, err
		}
	}
}

// gone tells whether a part is not one of the table any more.
func (w *walk) gone(ctx context.Context, tx pgx.Tx, part string) (bool, error) {
	if part == "" {
		return false, nil
	}
	var there bool
	err := tx.QueryRow(ctx, isPart, w.q.table, part).Scan(&there)
	return !there, err
}

// dropped tells whether a batch failed since its part went away under it. The
// next attempt sees that.
func (w *walk) dropped(err error) bool {
	var pgErr *pgconn.PgError
	return w.partitioned && errors.As(err, &pgErr) && pgErr.Code == "42P01" && !w.forbidden(pgErr)
}

// isPartitioned tells whether a table has partitions.
func isPartitioned(ctx context.Context, conn *pgx.Conn, table string) (partitioned bool, err error) {
	err = conn.QueryRow(ctx, `select relkind = 'p' from pg_catalog.pg_class where oid = to_regclass($1)`, table).Scan(&partitioned)
	return partitioned, err
}
