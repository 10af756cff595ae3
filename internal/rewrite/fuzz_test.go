package rewrite_test

import (
	"strings"
	"sync"
	"testing"

	pg "github.com/sqlc-dev/oliphant"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// FuzzRewrite checks what must hold for any text: no panic, no refusal that
// blames crossfade itself, nothing between passed and parseable.
func FuzzRewrite(f *testing.F) {
	for _, c := range corpus(f, "testdata/corpus*/*.sql") {
		f.Add(c.sql)
	}
	for _, sql := range []string{"", ";", ";;select * from users", "select * from users;;", "\x00users", "users", "(((", "select * from u&\"users\""} {
		f.Add(sql)
	}
	var rewriters []*rewrite.Rewriter
	for _, p := range phase.All() {
		rewriters = append(rewriters, newRewriter(f, p), newRewriter(f, p, moreTables, synced))
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, r := range rewriters {
			check(t, r, sql)
		}
	})
}

func check(t *testing.T, r *rewrite.Rewriter, sql string) {
	t.Helper()
	result := r.Rewrite(sql)
	switch result.Outcome {
	case rewrite.Passed:
		require.Equal(t, sql, result.SQL)
		require.Empty(t, result.Edits)
	case rewrite.Refused:
		require.NotContains(t, result.Refusal.Message, "cannot rewrite", "%q", sql)
		require.NotEmpty(t, result.Refusal.Hint)
		require.Less(t, result.Refusal.Offset, len(sql)+1)
	case rewrite.Rewritten:
		tree, err := pg.Parse(result.SQL)
		require.NoError(t, err)
		require.Greater(t, len(tree.Stmts), result.Leading)
		require.Equal(t, result.SQL, applied(sql, result.Edits))
		for _, offset := range []int{0, len(result.SQL) / 2, len(result.SQL)} {
			original := result.OriginalOffset(offset)
			require.True(t, original >= 0 && original <= len(sql))
		}
	}
}

// applied applies edits in the plainest way.
func applied(sql string, edits []rewrite.Edit) string {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(sql[at:e.Start] + e.Text)
		at = e.End
	}
	return b.String() + sql[at:]
}

func TestConcurrentUse(t *testing.T) {
	r := newRewriter(t, phase.Live)
	cases := corpus(t, "testdata/corpus/*.sql")
	want := make([]rewrite.Result, len(cases))
	for i, c := range cases {
		want[i] = r.Rewrite(c.sql)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i, c := range cases {
				if got := r.Rewrite(c.sql); got.SQL != want[i].SQL || got.Outcome != want[i].Outcome {
					t.Errorf("another result for %s", c.sql)
				}
			}
		})
	}
	group.Wait()
}
