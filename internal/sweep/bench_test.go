package sweep_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// envRows is the number of rows in the tables of the benchmarks.
const envRows = "CROSSFADE_BENCH_ROWS"

// pairs is how often each figure is measured beside its baseline, in
// alternating order; the benchmarks report medians.
const pairs = 3

// benchKeys are kinds of keys: in the order of the table, in no order, and of
// two columns.
var benchKeys = []struct {
	name, ddl, value string
	key              []string
}{
	{"bigint", "id bigint", "i", []string{"id"}},
	{"uuid", "id uuid", "md5(i::text)::uuid", []string{"id"}},
	{"composite", "tenant int, id bigint", "i % 100, i", []string{"tenant", "id"}},
}

// bench is a durable server with one table, model, of which each measurement
// gets a fresh copy, item.
type bench struct {
	*testing.B
	conn  *pgx.Conn
	rows  int64
	table sweep.Table
	to    ledger.Transition
}

func newBench(b *testing.B, ddl, value string, key []string) *bench {
	rows := int64(300_000)
	if s := os.Getenv(envRows); s != "" {
		var err error
		rows, err = strconv.ParseInt(s, 10, 64)
		require.NoError(b, err)
	}
	server := pgtest.Server(b, map[string]string{
		"fsync": "on", "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
	})
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close(ctx) })
	require.NoError(b, ledger.Migrate(ctx, conn, nil))
	m := &bench{B: b, conn: conn, rows: rows, table: sweep.Table{Schema: "public", Name: "item", Key: key}}
	m.to = ledger.Transition{Name: "move", Schema: "public", Table: "item",
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: "src"}, "dst")}}
	event := ledger.Event{Actor: "bench", Event: "register"}
	require.NoError(b, ledger.Register(ctx, conn, &m.to, event))
	require.NoError(b, ledger.Move(ctx, conn, &m.to, phase.DualWrite, event))
	m.exec(`update crossfade.transition set draining = null`)
	m.exec(fmt.Sprintf(`create table model (%s, src text, email text, created_at timestamptz, dst text)`, ddl))
	m.exec(fmt.Sprintf(`insert into model select %s, 'Name of number ' || i, 'user' || i || '@example.com', now()
		from generate_series(1, %d) i`, value, rows))
	return m
}

func (m *bench) exec(sql string) {
	m.Helper()
	_, err := m.conn.Exec(ctx, sql)
	require.NoError(m, err)
}

// fresh makes item anew, as a table that has been in use for a while.
func (m *bench) fresh() {
	m.exec(`drop table if exists item`)
	m.exec(`create table item (like model)`)
	m.exec(`insert into item select * from model`)
	m.exec(`alter table item add primary key (` + strings.Join(m.table.Key, ", ") + `)`)
	m.exec(`vacuum analyze item`)
	m.exec(`checkpoint`)
}

func (m *bench) copy() time.Duration {
	token, err := ledger.Allow(ctx, m.conn, m.to, ledger.Backfill)
	require.NoError(m, err)
	require.NoError(m, ledger.ForgetProgress(ctx, m.conn, m.to.ID, ledger.Backfill))
	batches := 0
	start := time.Now()
	p, err := sweep.Copy(ctx, m.conn, sweep.Options{
		Transition: m.to, Job: ledger.Backfill, Table: m.table, Token: token,
		OnProgress: func(sweep.Report) { batches++ },
	})
	took := time.Since(start)
	require.NoError(m, err)
	require.Equal(m, m.rows, p.RowsScanned)
	m.Logf("copied %d of %d rows in %d batches, %v", p.RowsChanged, p.RowsScanned, batches, took)
	return took
}

func (m *bench) compare() time.Duration {
	require.NoError(m, ledger.ForgetProgress(ctx, m.conn, m.to.ID, ledger.Verify))
	start := time.Now()
	p, err := sweep.Compare(ctx, m.conn, sweep.Options{Transition: m.to, Job: ledger.Verify, Table: m.table})
	took := time.Since(start)
	require.NoError(m, err)
	require.Equal(m, m.rows, p.RowsScanned)
	return took
}

func (m *bench) statement(sql string) time.Duration {
	start := time.Now()
	m.exec(sql)
	return time.Since(start)
}

// cpu is the processor time that the server process has used; 0 where the
// system does not tell. On a busy machine it says more than the clock.
func (m *bench) cpu() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", m.conn.PgConn().PID()))
	if err != nil {
		return 0
	}
	ns, _ := strconv.ParseFloat(strings.Fields(string(stat))[0], 64)
	return ns / 1e9
}

// sideBySide measures ours and the baseline in alternating order, and reports
// the rows per second of ours, and as a share of the baseline's.
func (m *bench) sideBySide(prepare func(), ours, baseline func() time.Duration) {
	var rates, shares, cpuShares []float64
	for m.Loop() {
		for i := range pairs {
			var a, b time.Duration
			var cpuA, cpuB float64
			for _, mine := range []bool{i%2 == 0, i%2 != 0} {
				prepare()
				before := m.cpu()
				if mine {
					a = ours()
					cpuA = m.cpu() - before
				} else {
					b = baseline()
					cpuB = m.cpu() - before
				}
			}
			m.Logf("ours %v (cpu %.3fs), baseline %v (cpu %.3fs)", a, cpuA, b, cpuB)
			if cpuA > 0 {
				cpuShares = append(cpuShares, 100*cpuB/cpuA)
			}
			rates = append(rates, float64(m.rows)/a.Seconds())
			shares = append(shares, 100*b.Seconds()/a.Seconds())
		}
	}
	slices.Sort(rates)
	slices.Sort(shares)
	slices.Sort(cpuShares)
	if len(cpuShares) > 0 {
		m.ReportMetric(cpuShares[len(cpuShares)/2], "%of_baseline_by_cpu")
	}
	m.ReportMetric(rates[len(rates)/2], "rows/s")
	m.ReportMetric(shares[len(shares)/2], "%of_baseline")
	m.ReportMetric(shares[0], "%min")
	m.ReportMetric(0, "ns/op")
}

// BenchmarkBackfill compares with one UPDATE of the whole table.
func BenchmarkBackfill(b *testing.B) {
	for _, k := range benchKeys {
		b.Run(k.name, func(b *testing.B) {
			m := newBench(b, k.ddl, k.value, k.key)
			m.sideBySide(m.fresh, m.copy, func() time.Duration {
				return m.statement(`update item set dst = src`)
			})
		})
	}
}

// BenchmarkBackfillAlreadyRight compares with one UPDATE that finds nothing to
// do.
func BenchmarkBackfillAlreadyRight(b *testing.B) {
	for _, k := range benchKeys {
		b.Run(k.name, func(b *testing.B) {
			m := newBench(b, k.ddl, k.value, k.key)
			m.exec(`update model set dst = src`)
			m.fresh()
			m.sideBySide(func() {}, m.copy, func() time.Duration {
				return m.statement(`update item set dst = src where dst is distinct from src`)
			})
		})
	}
}

// BenchmarkVerify compares with a sequential count(*).
func BenchmarkVerify(b *testing.B) {
	for _, k := range benchKeys {
		b.Run(k.name, func(b *testing.B) {
			m := newBench(b, k.ddl, k.value, k.key)
			m.exec(`update model set dst = src`)
			m.fresh()
			m.sideBySide(func() {}, m.compare, func() time.Duration {
				return m.statement(`begin; set local enable_indexonlyscan = off; set local max_parallel_workers_per_gather = 0;
					select count(*) from item; commit`)
			})
		})
	}
}
