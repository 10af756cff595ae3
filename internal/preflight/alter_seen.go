package preflight

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkAlteredKey reads the primary key. What walks over the rows needs one.
func checkAlteredKey(ctx context.Context, in *inspection) error {
	a := in.report.Definition.Alteration
	if a == nil {
		return nil
	}
	if err := readKey(ctx, in); err != nil || len(in.report.Definition.Key) > 0 {
		return err
	}
	switch {
	case a.Fills():
		in.refuse("no-primary-key", in.tableName(), "it has no primary key, along which it could be filled",
			"add one: create unique index concurrently ..., then alter table ... add primary key using index ...")
	case a.Violated != "":
		in.info("no-primary-key", in.tableName(), "it has no primary key, so rows are not looked at before the constraint is validated, and none is listed", "")
	}
	return nil
}

// checkFilled looks at what stands in the way of a backfill, or goes on because of
// it.
func checkFilled(ctx context.Context, in *inspection) error {
	a := in.report.Definition.Alteration
	if a == nil || !a.Fills() {
		return nil
	}
	return errors.Join(checkRules(ctx, in), checkTriggers(ctx, in))
}

// seenRows is how many rows are looked at before anything begins.
const seenRows = 10_000

// checkViolated looks at some of the rows. All of them are a step of its own.
func checkViolated(ctx context.Context, in *inspection) error {
	d := in.report.Definition
	a := d.Alteration
	if a == nil || a.Violated == "" || in.Move.Kind == ledger.AddColumn || a.Fills() {
		return nil
	}
	keys := "null::text[]"
	if len(d.Key) > 0 {
		keys = "(array_agg(array[" + columnsOf("t.", d.Key, "::text") + "]) filter (where " + a.Violated + "))[1:5]"
	}
	var seen, violated int64
	var samples [][]string
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = '10s'`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, fmt.Sprintf("select count(*), count(*) filter (where %s), %s from (select * from %s limit %d) as t",
			a.Violated, keys, pgx.Identifier{in.Schema, in.Table}.Sanitize(), seenRows)).Scan(&seen, &violated, &samples)
	})
	if err != nil {
		return fmt.Errorf("look at rows: %w", err)
	}
	if refused != nil && refused.Code == "42501" { // insufficient_privilege
		in.refuse("no-select", in.tableName(), refused.Message, "grant select on what the constraint reads to the role of the migrator")
		return nil
	}
	if refused != nil {
		in.warn("rows-not-seen", in.tableName(), "its rows could not be looked at: "+refused.Message, "the step count looks at all of them")
		return nil
	}
	if violated > 0 {
		message := fmt.Sprintf("%d of %d rows stand in the way", violated, seen)
		if len(samples) > 0 {
			message += ", with the keys (" + strings.Join(d.Key, ", ") + ")"
		}
		for _, key := range samples {
			message += " (" + strings.Join(key, ", ") + ")"
		}
		in.refuse("rows-violate", in.tableName(), message, "put them right first: select * from "+
			pgx.Identifier{in.Schema, in.Table}.Sanitize()+" as t where "+a.Violated)
	}
	return nil
}

// columnsOf lists columns, each between two texts.
func columnsOf(before string, names []string, after string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = before + ident(name) + after
	}
	return strings.Join(list, ", ")
}

// checkAlteredSize foretells what filling costs.
func checkAlteredSize(ctx context.Context, in *inspection) error {
	a := in.report.Definition.Alteration
	if a == nil {
		return nil
	}
	if a.Fills() {
		return checkSize(ctx, in)
	}
	found, err := query[struct{ Rows, Table, Indexes int64 }](ctx, in, `
		select coalesce(sum(greatest(c.reltuples::bigint, 0)), 0)::bigint, coalesce(sum(pg_table_size(c.oid)), 0)::bigint,
			coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint
		from pg_class c where c.oid = $1 or c.oid in (select relid from pg_partition_tree($1))`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read size: %w", err)
	}
	in.report.Size.Rows, in.report.Size.TableBytes, in.report.Size.IndexBytes = found[0].Rows, found[0].Table, found[0].Indexes
	in.info("size", in.tableName(), fmt.Sprintf("about %d rows, %s and %s of indexes", found[0].Rows, bytes(found[0].Table), bytes(found[0].Indexes)), "")
	return nil
}
