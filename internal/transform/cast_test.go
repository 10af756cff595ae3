package transform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestCast compares with what PostgreSQL does where a value is stored.
func TestCast(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	for _, c := range []struct{ typ, value string }{
		{"text", "'abc'"},
		{"integer", "'12'"},
		{"numeric(6,2)", "1.005"},
		{"numeric(3,2)", "123"},
		{"character varying(3)", "'abc'"},
		{"character varying(3)", "'abc  '"},
		{"character varying(3)", "'abcd'"},
		{"character varying", "'abcd'"},
		{"character(3)", "'ab'"},
		{"character(3)", "'abcd'"},
		{"bit(3)", "b'101'"},
		{"bit(3)", "b'10'"},
		{"bit varying(3)", "b'1011'"},
		{"bit varying(3)", "b'1'"},
		{"timestamp(0) without time zone", "'2020-01-01 00:00:00.7'"},
		{"character varying(3)[]", "array['abc']"},
	} {
		_, err := conn.Exec(t.Context(), `drop table if exists stored; create table stored (v `+c.typ+`)`)
		require.NoError(t, err)
		var want string
		_, failure := conn.Exec(t.Context(), `insert into stored values (`+c.value+`)`)
		if failure == nil {
			require.NoError(t, conn.QueryRow(t.Context(), `select v::text || ' ' || pg_typeof(v) from stored`).Scan(&want))
		}
		cast := transform.Column{Type: c.typ}.Cast(c.value)
		var got string
		err = conn.QueryRow(t.Context(), `select v::text || ' ' || pg_typeof(v) from (select `+cast+` as v) x`).Scan(&got)
		if failure != nil {
			require.Error(t, err, c)
			require.Equal(t, failure.Error(), err.Error(), c)
			continue
		}
		require.NoError(t, err, c)
		require.Equal(t, want, got, c)
		left, err := conn.PgConn().Prepare(t.Context(), "", `select v from stored`, nil)
		require.NoError(t, err)
		right, err := conn.PgConn().Prepare(t.Context(), "", `select `+cast, nil)
		require.NoError(t, err)
		require.Equal(t, left.Fields[0].TypeModifier, right.Fields[0].TypeModifier, c)
	}
	collated := transform.Column{Type: "text", Collation: `pg_catalog."C"`}.Cast("a")
	require.Equal(t, `((a)::text) COLLATE pg_catalog."C"`, collated)
}
