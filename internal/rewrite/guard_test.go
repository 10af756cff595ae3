package rewrite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Texts made to exhaust a parser are refused or done with soon.
func TestGuards(t *testing.T) {
	r := newRewriter(t, phase.Live)
	const limit = 1 << 18
	fill := func(before, repeated, after string) string {
		return before + strings.Repeat(repeated, (limit-len(before)-len(after))/len(repeated)) + after
	}
	nested := func(open, close string, n int) string {
		return "select " + strings.Repeat(open, n) + "1" + strings.Repeat(close, n) + " from users"
	}
	for name, sql := range map[string]string{
		"parentheses": nested("(", ")", 200000),
		"brackets":    nested("array[", "]", 80000),
		"functions":   nested("f(", ")", 200000),
		"subqueries":  nested("(select ", ")", 100),
		"double":      nested("((select ", ")+1)", 20),
		"triple":      nested("(((select ", ")+1)+1)", 12),
		"not":         nested("not ", "", 200000),
		"minus":       nested("- ", "", 300000),
		"case":        nested("case when true then ", " end", 30000),
		"cast":        nested("", "::int", 200000),
		"plus":        nested("", "+1", 300000),
		"and":         fill("select id from users where true", " and true", ""),
		"union":       fill("select id from users", " union select 1", ""),
		"except":      fill("select id from users", " except all select 1", ""),
		"joins":       fill("select 1 from users", " join a on true", ""),
		"right joins": fill("select 1 from users", " join a", ""),
		"collate":     nested("", ` collate "C"`, 80000),
		"is null":     nested("", " is null", 100000),
		"in list":     fill("select full_name from users where id in (1", ",1", ")"),
		"rows":        fill("insert into users (id, full_name) values (1, 'x')", ",(1,'x')", ""),
		"statements":  fill("", "select full_name from users;", ""),
		"columns":     fill("select full_name", ",full_name", " from users"),
		"with":        fill("with a as (select 1)", ",a as (select 1)", " select full_name from users"),
		"from":        fill("select full_name from users", ",users", ""),
		"indirection": fill("select (full_name)", "[1]", " from users"),
		"not null":    nested("", " notnull", 100000),
		"intervals":   nested("", " at time zone 'x'", 50000),
		"long":        "select full_name from users --" + strings.Repeat("x", 1<<20),
		"windows":     fill("select full_name from users window w as ()", ",w as ()", ""),
		"exists":      nested("exists (select ", ")", 99),
		"dots":        fill("select a", ".a", " from users"),
		"between":     nested("", " between 1 and 1", 60000),
		"prefix case": nested("case ", "", 200000),
		"qualified":   nested("", " operator(pg_catalog.+) 1", 30000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			result := r.Rewrite(sql)
			require.Less(t, time.Since(start), time.Minute)
			if result.Outcome == rewrite.Refused {
				require.NotContains(t, result.Refusal.Message, "bug")
			}
		})
	}
}
