package ddl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// findPart gives the name of the part that a partition has of its parent's index,
// and tells whether it is attached. Otherwise it is the name to build it under,
// where an earlier attempt may have left one: the index's name, with the
// partition's in the place of the root's, and numbered until nobody else has it.
func (x TreeIndex) findPart(ctx context.Context, conn *pgx.Conn, m Member, parent string) (part string, attached bool, err error) {
	err = conn.QueryRow(ctx, `
		select c.relname from pg_catalog.pg_inherits i
		join pg_catalog.pg_index x on x.indexrelid = i.inhrelid and x.indrelid = to_regclass($2)
		join pg_catalog.pg_class c on c.oid = x.indexrelid
		where i.inhparent = to_regclass($1)`, pgx.Identifier{m.Parent.Schema, parent}.Sanitize(), m.String()).Scan(&part)
	if err == nil {
		return part, true, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return "", false, fmt.Errorf("read the part of index %s that %s has: %w", ident(x.Name), m, err)
	}
	wish := m.Table + "_" + x.Name
	if rest, ok := strings.CutPrefix(x.Name, x.Root.Table+"_"); ok {
		wish = m.Table + "_" + rest
	}
	for n := 0; ; n++ {
		part = wish
		if n > 0 {
			part = fmt.Sprint(wish, "_", n)
		}
		part = fit(part)
		free, err := x.mayName(ctx, conn, m.Name, part)
		if err != nil || free {
			return part, false, err
		}
	}
}

// mayName tells whether a name is free for a part, or an earlier attempt has it.
func (x TreeIndex) mayName(ctx context.Context, conn *pgx.Conn, partition Name, part string) (may bool, err error) {
	err = conn.QueryRow(ctx, `
		select not exists (
			select from pg_catalog.pg_class c
			where c.relnamespace = to_regnamespace($1) and c.relname = $2 and not exists (
				select from pg_catalog.pg_index x
				join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attname = any($4) and not a.attisdropped
				where x.indexrelid = c.oid and x.indrelid = to_regclass($3)
					and not exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)
					and (a.attnum = any(x.indkey::int2[]) or exists (
						select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
							and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = x.indrelid and d.refobjsubid = a.attnum))))`,
		ident(partition.Schema), part, partition.String(), x.Columns).Scan(&may)
	if err != nil {
		err = fmt.Errorf("name the part of index %s that %s gets: %w", ident(x.Name), partition, err)
	}
	return may, err
}

// fit cuts a name to PostgreSQL's length, and tells it from others that begin alike.
func fit(name string) string {
	const most = 63
	if len(name) <= most {
		return name
	}
	digest := sha256.Sum256([]byte(name))
	end := most - 9
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "_" + hex.EncodeToString(digest[:4])
}
