package ddl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// findPart gives the name of the part that a partition has of its parent's index,
// and tells whether it is attached. Otherwise it is the name to build it under,
// where an earlier attempt may have left one. Empty: there is no such partition.
func (x TreeIndex) findPart(ctx context.Context, conn *pgx.Conn, m Member, parent string) (part string, attached bool, err error) {
	var oid *uint32
	var found *string
	err = conn.QueryRow(ctx, `
		select to_regclass($2)::oid, (
			select c.relname from pg_catalog.pg_inherits i
			join pg_catalog.pg_index x on x.indexrelid = i.inhrelid and x.indrelid = to_regclass($2)
			join pg_catalog.pg_class c on c.oid = x.indexrelid
			where i.inhparent = to_regclass($1))`, pgx.Identifier{m.Parent.Schema, parent}.Sanitize(), m.String()).Scan(&oid, &found)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("read the part of index %s that %s has: %w", ident(x.Name), m, err)
	case oid == nil:
		return "", false, nil
	case found != nil:
		return *found, true, nil
	}
	return fmt.Sprint(x.prefix(), *oid), false, nil
}

// prefix begins the names of the parts of this index, as long as they are not
// attached; the partition's OID ends them.
func (x TreeIndex) prefix() string { return x.Mark + "_" + digest(x.Name) + "_" }

// markedPart is a part that still bears the name under which it was built.
type markedPart struct {
	Table Name
	Name  string
	// Whole: it is of a partition that has partitions.
	Whole, Constraint bool
}

// marked lists the parts with such names, those that are attached or those that
// are not; the ones that others are attached to first.
func (x TreeIndex) marked(ctx context.Context, conn *pgx.Conn, attached bool) ([]markedPart, error) {
	rows, err := conn.Query(ctx, `
		select n.nspname, t.relname, c.relname, c.relkind = 'I', k.oid is not null
		from pg_catalog.pg_class c
		join pg_catalog.pg_index x on x.indexrelid = c.oid
		join pg_catalog.pg_class t on t.oid = x.indrelid
		join pg_catalog.pg_namespace n on n.oid = t.relnamespace
		left join pg_catalog.pg_constraint k on k.conindid = c.oid and k.conrelid = t.oid and k.contype = 'u'
		where starts_with(c.relname, $1) and $2 = exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)
		order by c.relkind <> 'I', 1, 2`, x.prefix(), attached)
	if err != nil {
		return nil, fmt.Errorf("list parts of index %s: %w", ident(x.Name), err)
	}
	parts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p markedPart, err error) {
		err = row.Scan(&p.Table.Schema, &p.Table.Table, &p.Name, &p.Whole, &p.Constraint)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list parts of index %s: %w", ident(x.Name), err)
	}
	return parts, nil
}

// nameOf is the name that the part of a partition keeps: that of the index, with
// the partition's in the place of the root's, and numbered until it is free.
func (x TreeIndex) nameOf(ctx context.Context, conn *pgx.Conn, partition Name) (string, error) {
	wish := partition.Table + "_" + x.Name
	if rest, ok := strings.CutPrefix(x.Name, x.Root.Table+"_"); ok {
		wish = partition.Table + "_" + rest
	}
	for n := 0; ; n++ {
		name := wish
		if n > 0 {
			name = fmt.Sprint(wish, "_", n)
		}
		name = fit(name)
		free, err := NameIsFree(ctx, conn, partition.Schema, name)
		if err == nil && free && x.Constraint {
			var c Constraint
			c, err = ReadConstraint(ctx, conn, partition, name)
			free = !c.Exists
		}
		if err != nil || free {
			return name, err
		}
	}
}

// fit cuts a name to PostgreSQL's length, and tells it from others that begin alike.
func fit(name string) string {
	const most = 63
	if len(name) <= most {
		return name
	}
	end := most - 9
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "_" + digest(name)
}

// digest tells a name from others, in eight letters.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:4])
}
