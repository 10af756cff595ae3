package preflight

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// treeOnTrial is an empty partitioned table, on which PostgreSQL says whether an
// index can be one of the whole.
const treeOnTrial = "pg_temp.crossfade_tree"

// tryOnTree tries the index that is asked for on a table that is partitioned as
// the table is, and so on as each partition that has partitions. False: it has
// refused.
func (in *inspection) tryOnTree(ctx context.Context, object string) (bool, error) {
	keys, err := query[struct{ Table, Key string }](ctx, in,
		`select partrelid::regclass::text, pg_get_partkeydef(partrelid) from pg_partitioned_table where partrelid = any($1) order by partrelid <> $2, 1`,
		in.tree(), in.table.OID)
	if err != nil {
		return false, fmt.Errorf("read partition keys: %w", err)
	}
	create := "create index on "
	if in.Alteration.Unique {
		create = "create unique index on "
	}
	for _, k := range keys {
		_, err := in.tx.Exec(ctx, "create temporary table "+strings.TrimPrefix(treeOnTrial, "pg_temp.")+
			" (like "+rowsOnTrial+") partition by "+k.Key)
		if err != nil {
			return false, fmt.Errorf("try the index on a partitioned table: %w", err)
		}
		refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, create+treeOnTrial+" "+in.Alteration.Create) })
		if err != nil {
			return false, err
		}
		if refused != nil {
			in.refuse("index-partitioned", object, fmt.Sprintf("table %s is partitioned by %s: %s", k.Table, k.Key, refused.Message),
				"an index of the whole is one of each partition, which knows nothing of the others: where it is unique, its columns must be "+
					"those of the partition key and more")
			return false, nil
		}
		if _, err := in.tx.Exec(ctx, "drop table "+treeOnTrial); err != nil {
			return false, err
		}
	}
	return true, nil
}

// checkForeignTree looks at what keeps a foreign key from being added to each
// partition first, and becoming one of the whole then.
func (in *inspection) checkForeignTree(ctx context.Context, r referenced, object string) (bool, error) {
	if !in.report.Definition.Partitioned {
		return true, nil
	}
	if r.Kind == "p" {
		in.refuse("referenced-table", object, "both tables are partitioned, and there is no way to add it without a scan of all partitions under a lock on both",
			"add one to each partition; partitions that come later need theirs as well")
		return false, nil
	}
	own, err := query[struct{ Name, Table, Definition string }](ctx, in, `
		select quote_ident(k.conname), k.conrelid::regclass::text, pg_get_constraintdef(k.oid)
		from pg_constraint k
		where k.contype = 'f' and k.conrelid = any($1) and k.conrelid <> $2 and k.conparentid = 0 and k.confrelid = $3 and array(
			select a.attname::text from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any(k.conkey) order by 1)
			= array(select n from unnest($4::text[]) n order by 1)
		order by 2, 1`, in.tree(), in.table.OID, r.OID, in.Alteration.Columns)
	if err != nil {
		return false, fmt.Errorf("read foreign keys of partitions: %w", err)
	}
	for _, k := range own {
		in.refuse("partition-depends", "constraint "+k.Name+" on table "+k.Table, "this partition has one of its own: "+k.Definition+
			"; it might become part of the whole, and would go with it in a rollback", "drop it")
	}
	leaves := 0
	for _, m := range in.partitions() {
		if m.Kind != "p" {
			leaves++
		}
	}
	in.checkHold(object, leaves)
	return len(own) == 0, nil
}

// The foreign keys of leaves become parts of the whole one after the other, under a
// lock on both tables that lasts until the end.
const (
	attachTime = 600 * time.Microsecond // of a processor, on versions 13, 15 and 18
	mostHeld   = 200 * time.Millisecond
)

// checkHold foretells that.
func (in *inspection) checkHold(object string, leaves int) {
	if held := time.Duration(leaves) * attachTime; held > mostHeld {
		in.refuse("foreign-key-holds", object, fmt.Sprintf("with %d partitions the statement that makes it one of the whole takes about %s, "+
			"and stops every statement on the referenced table for that long", leaves, held.Round(10*time.Millisecond)),
			"where that is no harm, accept foreign-key-holds")
	}
}
