package migrator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// BenchmarkTail measures how long a row that somebody without the hook has written
// stays half written, at some rates of such writes, and how long it takes after the
// last of them until none is left.
func BenchmarkTail(b *testing.B) {
	const lasting = 5 * time.Second
	for _, rate := range []int{20, 200, 1000} {
		b.Run(fmt.Sprintf("%d_per_second", rate), func(b *testing.B) {
			db := pgtest.NewFrom(b, users)
			m := newMigrator(b, db, migrator.Config{})
			require.NoError(b, m.Init(ctx, migrator.InitOptions{}))
			_, err := m.Start(ctx, withTail(rename))
			require.NoError(b, err)
			advanceTo(b, m, rename.Name, "backfill")
			startTail(b, m, rename.Name)
			legacy, probe := connect(b, db, "legacy"), audit(b, db)
			write := func(n int) {
				_, err := legacy.Exec(ctx, `update users set full_name = $2 where id = $1`, 1+n%300, fmt.Sprint("legacy ", n))
				require.NoError(b, err)
			}
			write(0)
			converged(b, probe)
			for b.Loop() {
				written := make(chan time.Time, 1)
				go func() {
					began, n := time.Now(), 0
					for ; time.Since(began) < lasting; n++ {
						write(n)
						time.Sleep(time.Until(began.Add(time.Duration(n+1) * time.Second / time.Duration(rate))))
					}
					b.ReportMetric(float64(n)/time.Since(began).Seconds(), "writes/s")
					written <- time.Now()
				}()
				// The age of the oldest half-written row, or 0, at moments.
				since, lags, ended := map[int64]time.Time{}, []float64{}, time.Time{}
				for {
					differ := list[int64](b, probe, `select id from users where name is distinct from full_name`)
					now := time.Now()
					for id, at := range since {
						if !slices.Contains(differ, id) {
							lags = append(lags, float64(now.Sub(at).Microseconds())/1000)
							delete(since, id)
						}
					}
					for _, id := range differ {
						if _, known := since[id]; !known {
							since[id] = now
						}
					}
					select {
					case ended = <-written:
					default:
					}
					if !ended.IsZero() && len(differ) == 0 {
						b.ReportMetric(float64(now.Sub(ended).Microseconds())/1000, "ms-to-convergence")
						break
					}
				}
				slices.Sort(lags)
				if n := len(lags); n > 0 {
					b.ReportMetric(lags[n/2], "ms-p50")
					b.ReportMetric(lags[n*99/100], "ms-p99")
				}
			}
		})
	}
}
