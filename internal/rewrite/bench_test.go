package rewrite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/phase"
	pg "github.com/sqlc-dev/oliphant"
)

// Texts of three lengths that must be rewritten, and one that need not be.
var (
	short  = "select id, full_name from users where id = $1"
	medium = report(2 << 10)
	long   = report(10 << 10)
	alien  = strings.Repeat("select p.id, p.title, p.body, a.display from posts p join authors a on a.id = p.author_id\n"+
		"where p.published and p.tags @> $1 and p.created_at > now() - interval '7 days' order by p.created_at desc limit 50;\n", 20)
)

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

func BenchmarkRewrite(b *testing.B) {
	r := newRewriter(b, phase.Live)
	for _, c := range []struct{ name, sql string }{{"short", short}, {"2KB", medium}, {"10KB", long}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.sql)))
			b.ReportAllocs()
			for b.Loop() {
				r.Rewrite(c.sql)
			}
		})
	}
}

// BenchmarkPass is the cost for a text that mentions no table in transition.
func BenchmarkPass(b *testing.B) {
	r := newRewriter(b, phase.Live)
	for _, c := range []struct{ name, sql string }{{"short", "select id, title from posts where id = $1"}, {"4KB", alien}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.sql)))
			b.ReportAllocs()
			for b.Loop() {
				r.Rewrite(c.sql)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, sql string }{{"short", short}, {"2KB", medium}, {"10KB", long}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = pg.Parse(c.sql)
			}
		})
	}
}
