package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for sql, unfit := range map[string]Unfit{
		`select a from t`: "",
		`table t`:         "",
		`values (1), (2)`: "",
		`select a from t where b in (select c from u) union all select 1`:  "",
		`with w as (select 1) select * from w, t`:                          "",
		`insert into t values (1)`:                                         UnfitWrite,
		`select 1; select 2`:                                               UnfitWrite,
		`select a into b from t`:                                           UnfitWrite,
		`with w as (delete from t returning a) select * from w`:            UnfitWrite,
		`select a from t for share`:                                        UnfitWrite,
		`select a from (select a from t for update) x`:                     UnfitLock,
		`select a from t tablesample bernoulli (1)`:                        UnfitVolatile,
		`select current_setting('a')`:                                      UnfitSession,
		`select a from t limit 1`:                                          "", // the catalog decides, by the columns
		`select a from t, u order by a limit 1`:                            UnfitOrder,
		`select a from t group by a limit 1`:                               UnfitOrder,
		`(select a from t) union (select b from u) limit 1`:                UnfitOrder,
		`select 1 from t, u limit 1`:                                       "",
		`select distinct a from t limit 1`:                                 UnfitOrder,
		`select sum(a) over (order by b rows 1 preceding) from t`:          UnfitOrder,
		`select lag(a) over (order by b) from t`:                           UnfitOrder,
		`select sum(a) over (order by b), rank() over (order by b) from t`: "",
		`explain select a from t`:                                          UnfitWrite,
		`select a from`:                                                    UnfitUnknown,
		"select a from t where b = '\x00'":                                 UnfitUnknown,
	} {
		require.Equal(t, unfit, Read(sql).Unfit, sql)
	}
	r := Read(`with w as (select s.f(a) from s.t) select lower(b)::s.kind from w join u on w.a @@ u.a and not exists (select from v where x ~~ 'a')`)
	require.ElementsMatch(t, []Name{{"s", "f"}, {"", "lower"}}, r.Functions)
	require.Equal(t, []Name{{"s", "kind"}}, r.Types)
	require.ElementsMatch(t, []Name{{"s", "t"}, {"", "w"}, {"", "u"}, {"", "v"}}, r.Relations)
	require.ElementsMatch(t, []string{"@@", "~~"}, r.Operators)
	require.Equal(t, []string{"w"}, r.CTEs)
}

func TestReadCuts(t *testing.T) {
	t.Parallel()
	for sql, columns := range map[string][]string{
		`select a from t where id = 1 limit 1`:                                 {"id"},
		`select a from t where $1::int = t.id and (b = 'x' and c > 1) limit 1`: {"id", "b"},
		`select a from t where id = 1 or b = 2 limit 1`:                        nil,
		`select a from t where id = b limit 1`:                                 nil,
		`select a from t where id = f(1) limit 1`:                              nil,
		`select a from t order by b, t.id desc limit 1`:                        {"b", "id"},
		`select a as id from t order by id limit 1`:                            nil,
		`select id from t order by id limit 1`:                                 {"id"},
		`select a from t order by 1, lower(b) offset 3`:                        nil,
		`select distinct on (b) a from t order by b, id`:                       {"b", "id"},
	} {
		r := Read(sql)
		require.Empty(t, r.Unfit, sql)
		require.Len(t, r.Cuts, 1, sql)
		require.Equal(t, Name{"", "t"}, r.Cuts[0].Relation)
		require.Equal(t, columns, r.Cuts[0].Columns, sql)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"select  a\nfrom t -- 'secret'\nwhere b = 'it''s' and c=$1 /* 7 */ and d > 1.5e3": "select a from t where b = ? and c=$1 and d > ?",
		`select a from t where b in (1, 2,3, 'x') and c in ($1, $2) or f(1, a, 2)`:        "select a from t where b in (?) and c in ($1, $2) or f(?, a, ?)",
		`select $$secret$$, E'secret\'', U&'secret', "kept"`:                              `select ?, "kept"`,
		"select 'secret": "select ?",
	} {
		require.Equal(t, want, Redact(sql))
	}
}
