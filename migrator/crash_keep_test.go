package migrator_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestCrashOfKeeping is TestCrashAnywhere from complete until the target has the
// source's name. Whoever joins after a death, also one while joins were held, goes
// on at once and finds the column under the name that its phase has for it.
func TestCrashOfKeeping(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	base := completed(t)
	total := countChanges(t, task{URL: clone(t, admin, base, "count").URL, Keep: true})
	require.Greater(t, total, 10)
	held := make(chan bool, total)
	t.Run("deaths", func(t *testing.T) {
		for death := 1; death <= total; death++ {
			t.Run(strconv.Itoa(death), func(t *testing.T) {
				t.Parallel()
				db := clone(t, admin, base, strconv.Itoa(death))
				die(t, task{URL: db.URL, Keep: true, Death: death})
				row := assertProtocol(t, db)
				conn := audit(t, db)
				held <- scan[bool](t, conn, `select exists (select from crossfade.join_v1 where held_ms > 0)`)
				began := time.Now()
				app, view := join(t, db)
				require.Less(t, time.Since(began), time.Second, "nobody waits for the dead")
				require.Equal(t, row.Phase, view.Transitions[0].Phase)
				column := keeping.Change.To
				if row.Phase == phase.Named {
					column = keeping.Change.From
				}
				statement := fmt.Sprintf(`with cf as (select from crossfade.%s) update users set %s = 3000000000 where id = 7`, row.Token, column)
				_, err := app.Exec(ctx, statement)
				require.NoError(t, err)
				require.NoError(t, app.Close(ctx))

				p, err := newMigrator(t, db, migrator.Config{}).Contract(ctx, keeping.Name, withoutSnapshot)
				require.NoError(t, err)
				require.Equal(t, migrator.Named, p.Phase)
				require.Equal(t, kept, shape(t, conn))
				require.Len(t, tokens(t, conn), 1)
				require.EqualValues(t, 3000000000, scan[int64](t, conn, `select visits from users where id = 7`))
				require.Equal(t, 299, scan[int](t, conn, `select count(*) from users where visits = id`))
			})
		}
	})
	close(held)
	during := 0
	for h := range held {
		if h {
			during++
		}
	}
	require.Positive(t, during, "some died while joins were held")
}
