package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// forecast adds what the move costs: the backfill, and new indexes on top.
func forecast(s Size) Size {
	s.Backfill = sweep.Forecast(s.Rows, s.TableBytes, s.IndexBytes, s.Indexes)
	s.WALBytes = s.Backfill.WALBytes + s.NewIndexBytes
	s.GrowthBytes = s.Backfill.GrowthBytes + s.NewIndexBytes
	return s
}

// deadShare is the share of dead rows that is worth a word.
const deadShare = 0.2

// manyPartitions is from when on DDL holds its locks for longer than somebody
// should notice.
const manyPartitions = 500

func checkSize(ctx context.Context, in *inspection) error {
	found, err := query[struct {
		Rows, Table, Indexes, Dead int64
		Count                      int
		FillFactor                 string
	}](ctx, in, `
		select coalesce(sum(greatest(c.reltuples::bigint, s.n_live_tup, 0)), 0)::bigint, coalesce(sum(pg_table_size(c.oid)), 0)::bigint,
			coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint, coalesce(sum(s.n_dead_tup), 0)::bigint,
			coalesce(max((select count(*) from pg_index where indrelid = c.oid)), 0),
			coalesce(max((select option_value from pg_options_to_table(c.reloptions) where option_name = 'fillfactor')), '100')
		from pg_class c left join pg_stat_all_tables s on s.relid = c.oid
		where c.oid = any($1) and c.relkind = 'r'`, in.tree())
	if err != nil {
		return fmt.Errorf("read size: %w", err)
	}
	if n := len(in.partitions()); n >= manyPartitions {
		in.warn("many-partitions", in.tableName(), fmt.Sprintf("%d partitions: each DDL statement stops the traffic of all of them for up to a millisecond "+
			"for each", n), "detach what is old first, or choose a quiet hour for expand, constrain, enforce and contract")
	} else if n > 0 {
		in.info("partitions", in.tableName(), fmt.Sprintf("%d partitions: DDL locks all of them at once, the backfill one after the other", n),
			"a transaction that uses any of them keeps DDL waiting")
	}
	size := &in.report.Size
	size.Rows, size.TableBytes, size.IndexBytes = found[0].Rows, found[0].Table, found[0].Indexes
	size.Indexes = found[0].Count
	*size = forecast(*size)
	message := fmt.Sprintf("about %d rows, %s and %s of indexes", size.Rows, bytes(size.TableBytes), bytes(size.IndexBytes))
	d := in.report.Definition
	builds := len(d.Indexes)
	if d.PrimaryKey != nil {
		builds++
	}
	if builds > 0 {
		message += fmt.Sprintf("; indexes to build: %d (%s)", builds, bytes(size.NewIndexBytes))
	}
	in.info("size", in.tableName(), message, "")
	in.info("forecast", in.tableName(), fmt.Sprintf("up to %s of WAL and %s more on disk", bytes(size.WALBytes), bytes(size.GrowthBytes)),
		"PostgreSQL does not tell how much space is free: look at the disk")
	if found[0].FillFactor == "100" {
		in.info("fillfactor", in.tableName(), "its pages have no room for new row versions, so the backfill writes every index too",
			"where that matters set a fillfactor of 90 and let the pages be rewritten first")
	}
	if dead := found[0].Dead; float64(dead) > deadShare*float64(size.Rows+dead) {
		in.warn("bloat", in.tableName(), fmt.Sprintf("%d of its rows are dead", dead), "vacuum it before the backfill, which leaves as many again")
	}
	return nil
}
