package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// altering is a transition of public.users that moves no column.
func altering(name string, kind transform.Kind, a ledger.Alteration) ledger.Transition {
	return ledger.Transition{Name: name, Schema: "public", Table: "users", Phase: phase.Off,
		Definition: ledger.Definition{Move: transform.Move{Kind: kind}, Alteration: &a}}
}

func TestOverlapOfAlterations(t *testing.T) {
	column := func(name string) *transform.Column { return &transform.Column{Name: name} }
	moving := func(from, to string, p phase.Phase) ledger.Transition {
		return ledger.Transition{Name: "move", Schema: "public", Table: "users", Phase: p,
			Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: from}, to)}}
	}
	drop := altering("drop", ledger.DropColumn, ledger.Alteration{Column: column("email"), Hidden: "email__crossfade_dropped"})
	index := altering("index", ledger.AddIndex, ledger.Alteration{Index: "i", Columns: []string{"email", "age"}})
	check := altering("check", ledger.AddCheck, ledger.Alteration{Constraint: "c", Columns: []string{"age"}})
	fill := altering("fill", ledger.SetNotNull, ledger.Alteration{Column: column("team"), Columns: []string{"age"}})
	foreign := altering("foreign", ledger.AddForeignKey, ledger.Alteration{Constraint: "f", Columns: []string{"user_id"},
		References: &ledger.Reference{Schema: "public", Table: "users", Columns: []string{"id"}}})
	foreign.Table = "orders"
	for _, c := range []struct {
		name   string
		a, b   ledger.Transition
		column string // in both hands; empty when they do not overlap
	}{
		{"one drops what the other reads", drop, index, "email"},
		{"both read", index, check, ""},
		{"one fills from what the other reads", fill, check, ""},
		{"one fills what the other drops", fill, altering("x", ledger.DropColumn, ledger.Alteration{Column: column("team")}), "team"},
		{"one drops what the other fills from", fill, altering("x", ledger.DropColumn, ledger.Alteration{Column: column("age")}), "age"},
		{"the name of an index", index, altering("x", ledger.AddUnique, ledger.Alteration{Index: "i", Constraint: "i", Columns: []string{"id"}}), "i"},
		{"a referenced key is dropped", foreign, altering("x", ledger.DropColumn, ledger.Alteration{Column: column("id")}), "id"},
		{"a referenced key moves", foreign, moving("id", "id_big", phase.Off), "id"},
		{"a column of another table", foreign, drop, ""},
		{"a source is indexed", index, moving("age", "years", phase.Live), "age"},
		{"a target is indexed", index, moving("years", "age", phase.Live), "age"},
		{"a target that has come to stay", index, moving("years", "age", phase.Contracted), ""},
		{"a source that has gone", index, moving("age", "years", phase.Contracted), "age"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, pair := range [][2]ledger.Transition{{c.a, c.b}, {c.b, c.a}} {
				overlap := ledger.Overlap(pair[0], pair[1])
				if c.column == "" {
					require.Nil(t, overlap)
					continue
				}
				require.NotNil(t, overlap)
				require.Equal(t, c.column, overlap.Column)
				require.Equal(t, pair[1].Name, overlap.Other)
				require.ErrorIs(t, overlap, ledger.ErrActive)
				require.Contains(t, overlap.Error(), c.column)
			}
		})
	}
	fill.ID = 3
	require.Nil(t, ledger.Overlap(fill, fill), "itself")
}

// What moves no column has no token, raises no epoch, and is nothing to join by.
func TestRegisterAlteration(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	ctx := t.Context()
	require.NoError(t, ledger.Migrate(ctx, conn, nil))
	a := altering("index", ledger.AddIndex, ledger.Alteration{Index: "i", Columns: []string{"email"}})
	e := ledger.Event{Actor: "test", Event: "register"}
	require.NoError(t, ledger.Register(ctx, conn, &a, e))
	require.Equal(t, ledger.Transition{ID: a.ID, CreatedAt: a.CreatedAt, Name: "index", Schema: "public", Table: "users", Definition: a.Definition, Phase: phase.Off,
		Epoch: 1, RegisteredEpoch: 1, Ramp: ledger.FullRamp}, a)
	again := altering("other", ledger.AddIndex, ledger.Alteration{Index: "i"})
	require.ErrorIs(t, ledger.Register(ctx, conn, &again, e), ledger.ErrActive)

	got, err := ledger.Get(ctx, conn, "index")
	require.NoError(t, err)
	require.False(t, got.Definition.Moves())
	require.Equal(t, a.Definition.Alteration, got.Definition.Alteration)
	var epoch int
	var joined string
	require.NoError(t, conn.QueryRow(ctx, `select epoch, transitions::text from crossfade.join_v1`).Scan(&epoch, &joined))
	require.Equal(t, 1, epoch)
	require.Equal(t, "[]", joined)

	require.NoError(t, ledger.Remove(ctx, conn, &a, ledger.Event{Actor: "test", Event: "remove"}))
	require.Empty(t, a.Draining)
	removing, err := ledger.Removing(ctx, conn)
	require.NoError(t, err)
	require.Empty(t, removing)
	require.NoError(t, ledger.Register(ctx, conn, &again, e))
	require.Equal(t, 1, again.Epoch)
}
