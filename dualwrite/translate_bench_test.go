package dualwrite

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// unique is the n-th of texts with a value inlined: one that touches a column
// in transition, or not.
func unique(buffer []byte, touches bool, n int) []byte {
	if touches {
		return fmt.Appendf(buffer[:0], "update users set full_name = 'name %d' where id = %d", n, n)
	}
	return fmt.Appendf(buffer[:0], "update accounts set balance = %d where id = %d", n, n)
}

// Texts that come again and again while another goroutine sends texts that never
// come again, against the same while that goroutine is as busy without the
// cache. The hot ones are looked up by as many goroutines as there are
// processors, less that one.
func BenchmarkTranslateFlooded(b *testing.B) {
	for _, touches := range []bool{true, false} {
		b.Run(map[bool]string{true: "touching", false: "unrelated"}[touches], func(b *testing.B) {
			texts := knownTexts(b)
			hot := make([][]byte, 200)
			for i := range hot {
				hot[i] = fmt.Appendf(nil, "select full_name, %d from users where id = $1", i)
				texts.translate(hot[i])
				texts.translate(hot[i])
			}
			var sent, flooding int
			var spent time.Duration
			beside := map[string]func(text []byte){
				"busy":    func(text []byte) { texts.rewriter.Rewrite(string(text)) },
				"flooded": func(text []byte) { texts.translate(text) },
			}
			took := map[string][]float64{}
			names := []string{"alone", "busy", "flooded"}
			for b.Loop() {
				for _, i := range rand.Perm(len(names)) {
					name := names[i]
					before := sent
					var stop atomic.Bool
					var other sync.WaitGroup
					if do := beside[name]; do != nil {
						other.Go(func() {
							var buffer []byte
							start := time.Now()
							for n := sent; !stop.Load(); n++ {
								buffer = unique(buffer, touches, n)
								do(buffer)
								sent = n + 1
							}
							if name == "flooded" {
								spent += time.Since(start)
							}
						})
					}
					took[name] = append(took[name], lookUp(texts, hot, 20_000))
					stop.Store(true)
					other.Wait()
					if name == "flooded" {
						flooding += sent - before
					}
				}
			}
			for _, name := range names {
				b.ReportMetric(median(took[name]), name+"-ns")
			}
			b.ReportMetric(ratio(took["flooded"], took["busy"]), "flooded/busy")
			b.ReportMetric(float64(flooding)/spent.Seconds(), "flood-texts/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func lookUp(texts *translator, hot [][]byte, times int) (nanoseconds float64) {
	var group sync.WaitGroup
	start := time.Now()
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		group.Go(func() {
			for i := range times {
				texts.translate(hot[i%len(hot)])
			}
		})
	}
	group.Wait()
	return float64(time.Since(start).Nanoseconds()) / float64(times)
}

func ratio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

func median(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

// A million texts, each of them once, or twice and so kept, under one search_path
// or many; and what is left of them.
func BenchmarkMillionTexts(b *testing.B) {
	const million = 1_000_000
	for _, c := range []struct {
		name         string
		touches      bool
		times, paths int
	}{
		{"touching-once", true, 1, 1}, {"touching-twice", true, 2, 1}, {"touching-twice-64-paths", true, 2, 64},
		{"unrelated-once", false, 1, 1}, {"unrelated-twice", false, 2, 1}, {"unrelated-twice-64-paths", false, 2, 64},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				before := heap()
				texts := []*translator{knownTexts(b)}
				for range c.paths - 1 {
					texts = append(texts, beside(b, texts[0]))
				}
				var buffer []byte
				for n := range million {
					buffer = unique(buffer, c.touches, n)
					for range c.times {
						texts[n%c.paths].translate(buffer)
					}
				}
				b.ReportMetric(float64(heap()-before)/1e6, "MB")
				runtime.KeepAlive(texts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*million*c.times), "ns/text")
		})
	}
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
