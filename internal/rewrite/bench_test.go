package rewrite

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// Texts of three lengths that must be rewritten.
var touching = []struct{ name, sql string }{
	{"short", "select id, full_name from users where id = $1"},
	{"2KB", report(2 << 10)},
	{"10KB", report(10 << 10)},
}

// report is a query of about n bytes.
func report(n int) string {
	var b strings.Builder
	b.WriteString("with recent as (select * from users where created_at > $1)\nselect u.id, u.full_name, count(*) as total")
	for i := 0; b.Len() < n-200; i++ {
		fmt.Fprintf(&b, ",\n  sum(case when o.kind = 'k%d' and o.amount > %d then o.amount else 0 end) as sum_%d", i, i*10, i)
	}
	b.WriteString("\nfrom recent u left join orders o on o.user_id = u.id where lower(u.full_name) like $2 group by u.id, u.full_name order by 2")
	return b.String()
}

// alien is a text of n bytes that mentions no table in transition, and does not
// repeat itself: a processor soon knows by heart what does.
func alien(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("from join where and or not null is in exists between case when then else end order group by sum count " +
		"posts authors title body display published tags created_at user_id status amount currency warehouse reference persons used")
	b := []byte("select id")
	for len(b) < n {
		switch word := words[random.IntN(len(words))]; random.IntN(6) {
		case 0:
			b = fmt.Appendf(b, ", %d", random.IntN(100_000))
		case 1:
			b = fmt.Appendf(b, " = '%s %s'", words[random.IntN(len(words))], word)
		default:
			b = append(append(b, ' '), word...)
		}
	}
	return string(b[:n])
}

// side is one of several ways to do something, measured against each other.
type side struct {
	name string
	do   func()
	took []float64 // nanoseconds a call
}

// interleaved runs the sides by turns, in random order, so that what else the
// machine does hits all alike. It reports each side's median and, for all but
// the first, the median of the ratios of its turns to those of the first.
func interleaved(b *testing.B, calls int, sides ...*side) {
	for _, s := range sides {
		s.do()
	}
	for b.Loop() {
		for _, i := range rand.Perm(len(sides)) {
			start := time.Now()
			for range calls {
				sides[i].do()
			}
			sides[i].took = append(sides[i].took, float64(time.Since(start).Nanoseconds())/float64(calls))
		}
	}
	b.ReportMetric(0, "ns/op") // of all sides together: it says nothing
	for _, s := range sides {
		b.ReportMetric(median(s.took), s.name+"-ns")
		if s == sides[0] {
			continue
		}
		ratios := make([]float64, len(s.took))
		for i := range ratios {
			ratios[i] = s.took[i] / sides[0].took[i]
		}
		b.ReportMetric(median(ratios), s.name+"/"+sides[0].name)
	}
}

func median(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

// A text that is seen for the first time, against parsing it once: what any
// tool that understands it must do.
func BenchmarkRewrite(b *testing.B) {
	r := sampleRewriter(b)
	for _, c := range touching {
		b.Run(c.name, func(b *testing.B) {
			parse := func() { _, _ = r.parser.parse(c.sql) }
			rewrite := func() {
				if r.Rewrite(c.sql).Outcome != Rewritten {
					b.Fatal("not rewritten")
				}
			}
			interleaved(b, 1+2000/len(c.sql),
				&side{name: "parse", do: parse},
				&side{name: "rewrite", do: rewrite},
				&side{name: "control", do: parse})
			b.ReportMetric(testing.AllocsPerRun(10, parse), "parse-allocs")
			b.ReportMetric(testing.AllocsPerRun(10, rewrite), "rewrite-allocs")
		})
	}
}

// Where a rewrite spends its time. What is missing from the whole is the walk
// over the tree and the editing.
func BenchmarkStages(b *testing.B) {
	r := sampleRewriter(b)
	for _, c := range touching {
		b.Run(c.name, func(b *testing.B) {
			buffer := scan(c.sql, nil)
			tokens := slices.Clone(buffer)
			rewritten := r.Rewrite(c.sql).SQL
			interleaved(b, 1+2000/len(c.sql),
				&side{name: "whole", do: func() { r.Rewrite(c.sql) }},
				&side{name: "prescan", do: func() { r.prescan.hit(c.sql) }},
				&side{name: "scan", do: func() { scan(c.sql, buffer[:0]) }},
				&side{name: "session", do: func() { session(c.sql, tokens) }},
				&side{name: "mentions", do: func() { r.mentions(c.sql, tokens) }},
				&side{name: "guard", do: func() { guard(c.sql, tokens) }},
				&side{name: "parse", do: func() { _, _ = r.parser.parse(c.sql) }},
				&side{name: "reparse", do: func() { _, _ = r.parser.parse(rewritten) }})
		})
	}
}

var sizes = []struct {
	name string
	n    int
}{{"short", 44}, {"1KB", 1 << 10}, {"4KB", 4 << 10}, {"64KB", 64 << 10}}

// The bytes of a text that mentions no table in transition, against the
// standard library's search for the words, one by one and in this case only,
// and for a byte; each by itself, and all by turns.
func BenchmarkPrescan(b *testing.B) {
	r := sampleRewriter(b)
	words := append([]string{"users"}, sessionNames...)
	for _, size := range sizes {
		sql := alien(size.n)
		ways := []struct {
			name string
			find func() bool
		}{
			{"Contains", func() bool {
				return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(sql, word) })
			}},
			{"prescan", func() bool { return r.prescan.hit(sql) }},
			{"whole", func() bool { return r.Rewrite(sql).Outcome != Passed }},
			{"IndexByte", func() bool { return strings.IndexByte(sql, 0) >= 0 }},
		}
		var sides []*side
		for _, way := range ways {
			find := func() {
				if way.find() {
					b.Fatal("found")
				}
			}
			sides = append(sides, &side{name: way.name, do: find})
			b.Run(size.name+"/"+way.name, func(b *testing.B) {
				b.SetBytes(int64(len(sql)))
				b.ReportAllocs()
				for b.Loop() {
					find()
				}
			})
		}
		b.Run(size.name+"/paired", func(b *testing.B) {
			interleaved(b, 1+20_000/len(sql), sides...)
			for _, s := range sides {
				b.ReportMetric(float64(len(sql))/median(s.took), s.name+"-GB/s")
			}
		})
	}
}

// A text that mentions the word but not the table is decided by its tokens.
func BenchmarkTokens(b *testing.B) {
	r := sampleRewriter(b)
	for _, size := range sizes {
		const mention = " /* users */"
		sql := alien(size.n-len(mention)) + mention
		if !r.prescan.hit(sql) {
			b.Fatal("not hit")
		}
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(len(sql)))
			b.ReportAllocs()
			for b.Loop() {
				if r.Rewrite(sql).Outcome != Passed {
					b.Fatal("not passed")
				}
			}
		})
	}
}
