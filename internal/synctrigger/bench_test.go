package synctrigger_test

import (
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// BenchmarkWrite compares updates of a table with the trigger and of one without:
// a hooked write of both sides, one of neither, one of the source alone. The
// statements take turns in one session, a hundred rows each, and the median of
// the ratios is reported beside the microseconds that a row costs.
func BenchmarkWrite(b *testing.B) {
	identity := renamed("text")
	change := transform.Move{Kind: transform.Change,
		Sources: []transform.Column{column("s", "text", "lower(t)")}, Targets: []transform.Column{column("t", "text", "upper(s)")}}
	for _, c := range []struct {
		name  string
		move  transform.Move
		write string
	}{
		{"hooked/rename", identity, "s = 'v' || %[1]d, t = 'v' || %[1]d"},
		{"hooked/change", change, "s = 'v' || %[1]d, t = 'V' || %[1]d"},
		{"neither", identity, "note = 'v' || %[1]d"},
		{"legacy/rename", identity, "s = 'v' || %[1]d"},
		{"legacy/change", change, "s = 'v' || %[1]d"},
	} {
		b.Run(c.name, func(b *testing.B) {
			const rows = 100
			const table = "create table %[1]s (id int primary key, s text, t text, note text) with (fillfactor = 50); " +
				"insert into %[1]s select i, 'v', 'v' from generate_series(1, 100) i; "
			db := pgtest.NewFrom(b, fmt.Sprintf(table, "x")+fmt.Sprintf(table, "plain"))
			install(b, db, "x", c.move, synctrigger.Sync)
			conn := db.Conn(b)
			_, err := conn.Exec(b.Context(), "set synchronous_commit = off")
			require.NoError(b, err)
			n := 0
			write := func(table string) time.Duration {
				n++
				began := time.Now()
				_, err := conn.Exec(b.Context(), "update "+table+" set "+fmt.Sprintf(c.write, n))
				require.NoError(b, err)
				return time.Since(began)
			}
			var with, without time.Duration
			var ratios []float64
			for b.Loop() {
				w, p := write("x"), write("plain")
				with, without, ratios = with+w, without+p, append(ratios, float64(w)/float64(p))
			}
			sort.Float64s(ratios)
			b.ReportMetric(0, "ns/op") // of both, which says nothing
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			perRow := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(len(ratios)*rows) }
			b.ReportMetric(perRow(with), "trigger-µs/row")
			b.ReportMetric(perRow(without), "none-µs/row")
		})
	}
}
