package logical

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// mark is the comment on a publication that may be altered and dropped.
const mark = "made by github.com/pgcrossfade/crossfade/logical"

// setupPublication makes the publication, or makes it what it should be.
func (t *Tailer) setupPublication(ctx context.Context, conn *pgx.Conn) error {
	if len(t.config.Tables) == 0 {
		return nil
	}
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := lockSetup(ctx, tx); err != nil {
			return err
		}
		// Publishing a table waits for those who write it, and others would
		// queue up behind the wait.
		if _, err := tx.Exec(ctx, `set local lock_timeout = '2s'`); err != nil {
			return err
		}
		exists, own, err := t.findPublication(ctx, tx)
		if err != nil {
			return err
		}
		if exists && !own {
			return &Refusal{Code: Publication, Message: fmt.Sprintf("publication %q was made by somebody else", t.config.Publication),
				Hint: "choose another Config.Publication, or leave Config.Tables empty to use it as it is"}
		}
		tables, err := t.publishedTables(ctx, tx)
		if err != nil {
			return err
		}
		name := pgx.Identifier{t.config.Publication}.Sanitize()
		statements := []string{
			"create publication " + name + " for table " + tables + " with (" + t.publicationOptions() + ")",
			"comment on publication " + name + " is '" + mark + "'",
		}
		if exists {
			statements = []string{
				"alter publication " + name + " set (" + t.publicationOptions() + ")",
				"alter publication " + name + " set table " + tables,
			}
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("set up publication %q: %w", t.config.Publication, err)
	}
	return nil
}

// lockSetup keeps two processes from making the same thing at once: IF NOT
// EXISTS does not.
func lockSetup(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('crossfade_logical'), hashtext('setup'))`)
	return err
}

func (t *Tailer) publicationOptions() string {
	return fmt.Sprintf("publish = 'insert, update, delete, truncate', publish_via_partition_root = %t", !t.config.NameLeaves)
}

func (t *Tailer) findPublication(ctx context.Context, tx pgx.Tx) (exists, own bool, err error) {
	err = tx.QueryRow(ctx, `select true, coalesce(obj_description(oid, 'pg_publication') = $2, false)
		from pg_catalog.pg_publication where pubname = $1`, t.config.Publication, mark).Scan(&exists, &own)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return exists, own, err
}

// publishedTables lists the tables as FOR TABLE takes them: from PostgreSQL 15
// on with the columns of the replica identity only, as nothing else is read.
func (t *Tailer) publishedTables(ctx context.Context, tx pgx.Tx) (string, error) {
	version, err := serverVersion(ctx, tx.Conn())
	if err != nil {
		return "", err
	}
	var list []string
	for _, table := range t.config.Tables {
		entry := table.String()
		if version >= 150000 {
			columns, err := t.columnList(ctx, tx, table)
			if err != nil {
				return "", err
			}
			entry += columns
		}
		list = append(list, entry)
	}
	return strings.Join(list, ", "), nil
}

// columnList is empty where the server would not take a list: under REPLICA
// IDENTITY FULL, and of a partitioned table whose leaves are named.
func (t *Tailer) columnList(ctx context.Context, tx pgx.Tx, table Table) (string, error) {
	rows, err := tx.Query(ctx, `
		select a.attname
		from pg_catalog.pg_class c
		join pg_catalog.pg_index i on i.indrelid = c.oid
			and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident else false end
		cross join lateral unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality as k (attnum, place)
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
		where c.oid = to_regclass($1) and not (c.relkind = 'p' and $2)
			and not exists (select from pg_catalog.pg_partition_tree(c.oid) t
				join pg_catalog.pg_class leaf on leaf.oid = t.relid and leaf.relreplident <> c.relreplident)
		order by k.place`, table.String(), t.config.NameLeaves)
	if err != nil {
		return "", err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return "", err
	}
	for i, name := range names {
		names[i] = pgx.Identifier{name}.Sanitize()
	}
	return " (" + strings.Join(names, ", ") + ")", nil
}

// published reads the OIDs of the publication and of its entries for the
// tables; missing says what changes are not sent of any more. Dropped tables
// count too: what had them has changed.
func (t *Tailer) published(ctx context.Context, conn *pgx.Conn) (oids []uint32, missing string, err error) {
	names := make([]string, len(t.config.Tables))
	for i, table := range t.config.Tables {
		names[i] = table.String()
	}
	rows, err := conn.Query(ctx, `
		select oid, null from pg_catalog.pg_publication where pubname = $1
		union all
		select r.oid, name from unnest($2::text[]) as name
		left join pg_catalog.pg_publication p on p.pubname = $1 and p.pubinsert and p.pubupdate and p.pubdelete
		left join pg_catalog.pg_publication_rel r on r.prpubid = p.oid and r.prrelid = to_regclass(name)`,
		t.config.Publication, names)
	if err != nil {
		return nil, "", fmt.Errorf("look up publication: %w", err)
	}
	var without []string
	var oid *uint32
	var name *string
	found := false
	_, err = pgx.ForEachRow(rows, []any{&oid, &name}, func() error {
		found = found || name == nil
		if oid != nil {
			oids = append(oids, *oid)
		} else {
			without = append(without, *name)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("look up publication: %w", err)
	case !found:
		missing = fmt.Sprintf("there is no publication %q", t.config.Publication)
	case len(without) > 0:
		missing = fmt.Sprintf("publication %q does not have %s, or not all of its changes", t.config.Publication, strings.Join(without, ", "))
	}
	return oids, missing, nil
}

// dropPublication drops the publication if Setup has made it.
func (t *Tailer) dropPublication(ctx context.Context, conn *pgx.Conn) error {
	if len(t.config.Tables) == 0 {
		return nil
	}
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, own, err := t.findPublication(ctx, tx)
		if err != nil || !own {
			return err
		}
		if _, err := tx.Exec(ctx, `set local lock_timeout = '2s'`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "drop publication if exists "+pgx.Identifier{t.config.Publication}.Sanitize())
		return err
	})
	if err != nil {
		return fmt.Errorf("drop publication %q: %w", t.config.Publication, err)
	}
	return nil
}

// publicationNames is the plugin's option: a list of identifiers in a literal.
func publicationNames(name string) string {
	return "'" + strings.ReplaceAll(pgx.Identifier{name}.Sanitize(), "'", "''") + "'"
}
