package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m, err := migrator.New(db.Config(t), migrator.Config{})
	require.NoError(t, err)
	p, err := m.Preview(ctx, rename)
	require.NoError(t, err)
	require.Equal(t, "public", p.Schema)
	require.Equal(t, []string{"name"}, p.Definition.TargetNames())
	require.Len(t, p.Definition.Indexes, 3)

	missing := rename
	missing.Rename = &migrator.Rename{From: "nick", To: "name"}
	p, err = m.Preview(ctx, missing)
	require.NoError(t, err)
	require.Empty(t, p.Definition.Sources)
	require.True(t, p.Findings[0].Refuses)

	_, err = m.Preview(ctx, migrator.Transition{})
	require.Error(t, err)
}
