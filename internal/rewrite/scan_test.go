package rewrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	pg "github.com/sqlc-dev/oliphant"
	"github.com/stretchr/testify/require"
)

var scanCases = []string{
	"select a.b,c[1:2]::int from t where x>=-1 and y<>+2 -- c\n;",
	"select 1.5e10, .5, 1., 1..2, 0x1F, 0b10, 0o17, 1_000, 1e5, 1e, $1, $12",
	"select 'a''b', E'a\\'b', e'\\\\', B'01', x'1f', N'n', U&'\\0061', u&\"d\\0061t\" uescape '!'",
	"select 'a'\n  'b', 'a' -- c\n 'b', 'c' 'd'",
	"select $$a$$, $x$a$$b$x$, $x_1$;$x_1$, a$b",
	"select /* a /* b */ c */ 1 /**/ + /* */2",
	"select a@-b, a->-1, a<-1, a||-b, a*-b, a!=-1, a=>b, a:=b, a?|b, @@a, a-- x\n-b",
	"select \"a\"\"b\", \"ta\tble\", été, Ünïcode",
	"a/**/b//*c*/d", "x:=1", "a..b", "a:b", "::", "#-", "<->", "&&&", "~-~", "-+-", "1 -- \r 2",
	"select '\\' , e'\\n''x'", "'unterminated", "\"unterminated", "$$unterminated", "/* unterminated", "$ 1", "$é$x$é$", "a$$b$$",
	"U&x u& b e x n'x' b\"q\"", "$1a", "1a", "0xg", "\\",
}

func TestScan(t *testing.T) {
	for _, sql := range scanCases {
		checkScan(t, sql)
	}
	for _, sql := range sampleTexts(t) {
		checkScan(t, sql)
	}
}

// checkScan compares token ends with those of the parser's scanner, where that
// accepts the text.
func checkScan(t *testing.T, sql string) {
	t.Helper()
	want, err := pg.Scan(sql)
	if err != nil || strings.IndexByte(sql, 0) >= 0 {
		return // a text ends at its first zero byte
	}
	var ends [][2]int32
	for _, token := range want.Tokens {
		if token.Token != pg.Token_SQL_COMMENT && token.Token != pg.Token_C_COMMENT {
			ends = append(ends, [2]int32{token.Start, token.End})
		}
	}
	var got [][2]int32
	for _, token := range scan(sql, nil) {
		got = append(got, [2]int32{token.start, token.end})
	}
	require.Equal(t, ends, got, "%q", sql)
}

// sampleTexts are the texts of goldens and corpus.
func sampleTexts(t testing.TB) (texts []string) {
	t.Helper()
	for _, pattern := range []string{"testdata/corpus/*.sql", "testdata/*/*.txtar"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			text := string(data)
			if _, rest, ok := strings.Cut(text, "-- input --\n"); ok {
				input, _, _ := strings.Cut(rest, "\n-- ")
				texts = append(texts, input)
				continue
			}
			for part := range strings.SplitSeq(text, "\n\n") {
				texts = append(texts, strings.TrimSpace(part))
			}
		}
	}
	require.NotEmpty(t, texts)
	return texts
}

func FuzzScan(f *testing.F) {
	for _, sql := range scanCases {
		f.Add(sql)
	}
	for _, sql := range sampleTexts(f) {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) { checkScan(t, sql) })
}
