package sweep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// The ranges of a span hold what the comparison of whole keys holds, also
// where equal values have different texts.
func TestSpanOfACompositeKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.NewFrom(t, `create table item (a numeric, b int, c numeric, primary key (a, b, c));
		insert into item select a, b, c from generate_series(0, 3) a, generate_series(0, 3) b, generate_series(0, 3) c`)
	conn := db.Conn(t)
	q := statements{table: "item", key: []column{{name: "a", typ: "numeric"}, {name: "b", typ: "int"}, {name: "c", typ: "numeric"}}}
	random := rand.New(rand.NewPCG(1, 2))
	number := func() string { return []string{"%d", "%d.0", "%d.00"}[random.IntN(3)] }
	end := func() []string {
		return []string{fmt.Sprintf(number(), random.IntN(4)), fmt.Sprint(random.IntN(4)), fmt.Sprintf(number(), random.IntN(4))}
	}
	for i := range 400 {
		s := span{lower: end(), upper: end()}
		wanted := `select count(*) from item where (a, b, c) <= ($1::text::numeric, $2::text::int, $3::text::numeric)`
		args := []any{s.upper[0], s.upper[1], s.upper[2]}
		if i%10 == 0 {
			s.lower = nil
		} else {
			wanted += ` and (a, b, c) > ($4::text::numeric, $5::text::int, $6::text::numeric)`
			args = append(args, s.lower[0], s.lower[1], s.lower[2])
		}
		var expected, got int
		require.NoError(t, conn.QueryRow(ctx, wanted, args...).Scan(&expected))
		sql, found := q.count(s)
		require.NoError(t, conn.QueryRow(ctx, sql, found...).Scan(&got))
		require.Equal(t, expected, got, "%v\n%s", s, sql)
	}
}
