package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// result is how long something took, and what writers saw meanwhile.
type result struct {
	took    time.Duration
	cpu     float64         // seconds of the server
	latency []time.Duration // sorted
}

// beside runs something beside writers, each of which updates single rows, both
// columns, as fast as it can.
func (b *bench) beside(ctx context.Context, writers int, run func(context.Context) error) (result, error) {
	writing, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	seen := make([][]time.Duration, writers)
	errs := make([]error, writers)
	for i := range writers {
		conn, err := pgx.Connect(ctx, b.url)
		if err != nil {
			return result{}, err
		}
		group.Go(func() {
			defer func() { _ = conn.Close(ctx) }()
			for writing.Err() == nil {
				began := time.Now()
				_, errs[i] = conn.Exec(ctx, `update item set src = $2, dst = $2 where id = $1`, 1+rand.IntN(b.rows), "written")
				if errs[i] != nil {
					return
				}
				seen[i] = append(seen[i], time.Since(began))
			}
		})
	}
	began, cpu := time.Now(), b.cpu()
	err := run(ctx)
	r := result{took: time.Since(began), cpu: b.cpu() - cpu}
	stop()
	group.Wait()
	for i := range writers {
		if err == nil {
			err = errs[i]
		}
		r.latency = append(r.latency, seen[i]...)
	}
	slices.Sort(r.latency)
	return r, err
}

func (r result) print(w io.Writer, writers int, name string, rows int, whole result) {
	line := fmt.Sprintf("%d\t%s\t%.2f\t", writers, name, r.took.Seconds())
	if rows > 0 {
		line += fmt.Sprintf("%.0f\t%.0f\t%.0f\t", float64(rows)/r.took.Seconds(),
			100*whole.took.Seconds()/r.took.Seconds(), 100*whole.cpu/r.cpu)
	} else {
		line += "\t\t\t"
	}
	if n := len(r.latency); n > 0 {
		at := func(share float64) time.Duration {
			return r.latency[min(int(share*float64(n)), n-1)].Round(10 * time.Microsecond)
		}
		line += fmt.Sprintf("%.0f\t%v\t%v\t%v\t", float64(n)/r.took.Seconds(), at(0.5), at(0.99), at(1))
	} else {
		line += "\t\t\t\t"
	}
	fmt.Fprintln(w, line)
}

// cpu is the processor time that the two sessions have used on the server, in
// seconds; 0 where the system does not tell. On a busy machine it says more than
// the clock.
func (b *bench) cpu() (seconds float64) {
	for _, conn := range []*pgx.Conn{b.conn, b.more} {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", conn.PgConn().PID()))
		if err != nil {
			return 0
		}
		ns, _ := strconv.ParseFloat(strings.Fields(string(stat))[0], 64)
		seconds += ns / 1e9
	}
	return seconds
}

// sampleMemory begins to sample what the runtime has taken of the system, and
// returns what tells the least and the most of it. Latencies of writers are kept,
// so it is the migrator's alone only without writers.
func sampleMemory() func() string {
	stop, stopped := make(chan struct{}), make(chan struct{})
	least, most := uint64(1<<63), uint64(0)
	go func() {
		defer close(stopped)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			taken := m.Sys - m.HeapReleased
			least, most = min(least, taken), max(most, taken)
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() string {
		close(stop)
		<-stopped
		return fmt.Sprintf("%.1f to %.1f MB", float64(least)/(1<<20), float64(most)/(1<<20))
	}
}
