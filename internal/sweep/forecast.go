package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Bytes of WAL beside the contents: the headers of the records that write one
// row, and that put it into one index.
const (
	rowRecord   = 100
	indexRecord = 100
)

// Forecast tells what it costs at most to write every row of a table once more,
// by a rule of thumb. The new row version and its entries in the indexes go to
// the WAL, and after each checkpoint the first change of a page brings the whole
// page: the table and its indexes once as pages, and once again as records.
// Until vacuum frees the former versions, the table and its indexes grow by what
// they hold, and a quarter more: the new values, and index pages that split.
func Forecast(rows, tableBytes, indexBytes int64, indexes int) ledger.Forecast {
	content := tableBytes + indexBytes
	growth := content + content/4
	return ledger.Forecast{
		WALBytes:    content + growth + rows*(rowRecord+indexRecord*int64(indexes)),
		GrowthBytes: growth,
	}
}

// dimensions are how large a table is, its partitions taken together.
type dimensions struct {
	table, indexes int64 // bytes
	count          int   // of indexes
}

func (d dimensions) bytes() int64 { return d.table + d.indexes }

func measure(ctx context.Context, tx pgx.Tx, table string) (d dimensions, err error) {
	err = tx.QueryRow(ctx, `
		select coalesce(sum(pg_table_size(oid)), 0)::bigint, coalesce(sum(pg_indexes_size(oid)), 0)::bigint,
			coalesce(max((select count(*) from pg_catalog.pg_index where indrelid = oid)), 0)
		from (select to_regclass($1)::oid union
			select relid from pg_catalog.pg_partition_tree(to_regclass($1))) parts (oid)`, table).
		Scan(&d.table, &d.indexes, &d.count)
	if err != nil {
		err = fmt.Errorf("read the size of %s: %w", table, err)
	}
	return d, err
}

const (
	// foreseeAfter is when the first batches have told enough to foresee the
	// duration, at the latest: earlier when foreseeShare of the rows is done.
	foreseeAfter = 10 * time.Second
	foreseeShare = 0.05
)

// foresee writes down, once, how long the whole will take.
func (w *walk) foresee(ctx context.Context) error {
	p, took := &w.progress, time.Since(w.began)
	enough := float64(p.RowsScanned) >= foreseeShare*float64(p.Estimate) || took >= foreseeAfter
	if w.foreseen || p.Finished() || p.Forecast.Seconds > 0 || !enough {
		return nil
	}
	r := w.current("")
	if r.Left < 0 {
		return nil
	}
	w.foreseen = true
	p.Forecast.Seconds = (took + r.Left).Seconds()
	return ledger.ForeseeProgress(ctx, w.conn, w.o.Transition.ID, w.o.Job, p.Forecast.Seconds)
}
