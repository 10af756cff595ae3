package migrator_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestKindsThroughTheHook: in every phase, what one name has written the other
// one reads, and the migrator finds every row consistent.
func TestKindsThroughTheHook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, columns, row, operation string
		// Each pair writes row 1 under one name and reads it under the other.
		writeSource, readTarget, writeTarget, readSource string
		target, source                                   string
		// index is what readSource goes by once reads go to the target.
		index string
	}{
		{
			name: "int to bigint", row: "40", index: "users_age_big_key", columns: "age int not null default 7 unique", operation: "change: {from: age, to: age_big, type: bigint}",
			writeSource: "update users set age = 41 where age = 40", readTarget: "select age_big::text from users where age_big = 41", target: "41",
			writeTarget: "update users set age_big = age_big - 1 where age_big = 41", readSource: "select age::text from users where age < 41", source: "40",
		},
		{
			name: "text to enum", row: "'good'", columns: "mood text not null default 'good'", operation: "change: {from: mood, to: humour, type: mood}",
			writeSource: "update users set mood = 'good'", readTarget: "select humour::text from users", target: "good",
			writeTarget: "update users set humour = 'bad'", readSource: "select mood from users where mood = 'bad'", source: "bad",
		},
		{
			name: "split", row: "'Jane Doe'", index: "users_first_name_last_name_key", columns: "full_name text unique", operation: `split: {from: full_name, backward: "first_name || ' ' || last_name",
				lossy: [forward, backward], to: [{name: first_name, type: text, value: "split_part(full_name, ' ', 1)"},
				{name: last_name, type: varchar(40), value: "split_part(full_name, ' ', 2)"}]}`,
			writeSource: "update users set full_name = 'Ada King'", readTarget: "select first_name || '|' || last_name from users", target: "Ada|King",
			writeTarget: "update users set first_name = 'Grace', last_name = 'Hopper'", readSource: "select full_name from users where full_name = 'Grace Hopper'",
			source: "Grace Hopper",
		},
		{
			name: "length and collation", row: "'a'", index: "users_tag_key", columns: `label varchar(20) collate "C" unique`,
			operation:   `change: {from: label, to: tag, type: text, forward: "'x' || label", backward: "substr(tag, 2)"}`,
			writeSource: "update users set label = 'b'", readTarget: "select tag from users where tag = 'xb'", target: "xb",
			writeTarget: "update users set tag = 'xc'", readSource: "select label from users where label = 'c'", source: "c",
		},
		{
			name: "merge", row: "'Jane', 'Doe'", columns: "first_name text not null, last_name text not null",
			operation: `merge: {to: full_name, type: text, forward: "first_name || ' ' || last_name", lossy: [forward, backward], from: [
				{name: first_name, value: "split_part(full_name, ' ', 1)"}, {name: last_name, value: "split_part(full_name, ' ', 2)"}]}`,
			writeSource: "update users set first_name = 'Ada', last_name = 'King'", readTarget: "select full_name from users", target: "Ada King",
			writeTarget: "update users set full_name = 'Grace Hopper'", readSource: "select first_name || '|' || last_name from users", source: "Grace|Hopper",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, m := begun(t, "create type mood as enum ('good', 'bad'); create table users (id bigint primary key, "+c.columns+
				"); insert into users values (1, "+c.row+")")
			tr, err := migrator.ParseTransition([]byte("name: move\ntable: users\nignore_applications: [auditor]\n" + c.operation))
			require.NoError(t, err)
			_, err = m.Start(ctx, tr)
			require.NoError(t, err)
			_, pool := hooked(t, db, dualwrite.StarsSource)
			both := func() {
				t.Helper()
				for _, turn := range [][3]string{{c.writeSource, c.readTarget, c.target}, {c.writeTarget, c.readSource, c.source}} {
					tag, err := pool.Exec(ctx, turn[0])
					require.NoError(t, err)
					require.EqualValues(t, 1, tag.RowsAffected(), turn[0])
					var got string
					require.NoError(t, pool.QueryRow(ctx, turn[1]).Scan(&got), turn[1])
					require.Equal(t, turn[2], got)
				}
			}
			for _, p := range []migrator.Phase{migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown,
				migrator.Complete, migrator.Off, migrator.Contracted} {
				at, err := m.Status(ctx, migrator.StatusOptions{Name: tr.Name})
				require.NoError(t, err)
				if p.Before(at[0].Phase) {
					_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{To: p})
				} else {
					_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
				}
				require.NoError(t, err, p)
				both()
				if c.index != "" && p.Behaviour().Read == phase.Target {
					require.Contains(t, explained(t, pool, c.readSource), c.index, p)
				}
			}
		})
	}
}

// explained is the plan of a statement when no table is too small for an index.
func explained(t *testing.T, pool *pgxpool.Pool, statement string) string {
	t.Helper()
	var lines []string
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local enable_seqscan = off`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "explain "+statement)
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}))
	return strings.Join(lines, "\n")
}
