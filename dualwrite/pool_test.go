package dualwrite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

func TestPoolRewritesByPhase(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	for i, p := range phase.All()[:6] { // contracted needs the migrator
		f.to(p)
		f.drained()
		name := "written in " + string(p)
		tag, err := pool.Exec(ctx, `update users set full_name = $1 where id = $2`, name, i+1)
		require.NoError(t, err)
		require.EqualValues(t, 1, tag.RowsAffected())
		var got string
		require.NoError(t, pool.QueryRow(ctx, `select full_name from users where id = $1`, i+1).Scan(&got))
		require.Equal(t, name, got)

		var source, target *string
		require.NoError(t, f.admin.QueryRow(ctx, `select full_name, name from users where id = $1`, i+1).Scan(&source, &target))
		b := p.Behaviour()
		require.Equal(t, b.WriteSource, source != nil && *source == name, "source in %s", p)
		require.Equal(t, b.WriteTarget, target != nil && *target == name, "target in %s", p)
	}
	require.Zero(t, hook.Stats().Stale)
}

func TestStars(t *testing.T) {
	f := moving(t)
	pool := f.pool(f.hook())
	rows, err := pool.Query(t.Context(), `select * from users where id = 1`)
	require.NoError(t, err)
	defer rows.Close()
	var names []string
	for _, d := range rows.FieldDescriptions() {
		names = append(names, d.Name)
	}
	require.Equal(t, []string{"id", "full_name", "age"}, names)
}
