package dualwrite_test

import "github.com/stretchr/testify/require"

// pathCases are ways to move search_path. Each begins with a connection on
// which it leads to public.
var pathCases = map[string]func(*session){
	"set": func(s *session) {
		for _, tenant := range []string{"tenant_1", "tenant_2", "tenant_3", "tenant_1", "tenant_1"} {
			s.do(`set search_path = ` + tenant)
			s.reaches(tenant)
			s.do(`set search_path to nowhere, "tenant_2"`)
			s.reaches("tenant_2")
		}
		s.do(`reset search_path`)
		s.reaches("public")
	},
	"set local": func(s *session) {
		for _, end := range []string{`commit`, `rollback`, `end`, `abort`, `/* done */ commit and no chain;`} {
			for _, tenant := range []string{"tenant_1", "tenant_3", "tenant_2"} {
				s.do(`begin`, `set local search_path = `+tenant)
				s.reaches(tenant)
				s.do(end)
				s.reaches("public")
			}
		}
	},
	"commit and chain": func(s *session) {
		s.do(`begin`, `set local search_path = tenant_1`)
		s.reaches("tenant_1")
		s.do(`commit and chain`)
		s.reaches("public")
		s.do(`commit`)
	},
	"set rolled back": func(s *session) {
		s.do(`begin`)
		s.reaches("public")
		s.do(`set search_path = tenant_1`)
		s.reaches("tenant_1")
		s.do(`rollback`)
		s.reaches("public")
		s.do(`begin`, `set search_path = tenant_3`, `commit`)
		s.reaches("tenant_3")
	},
	"savepoints": func(s *session) {
		s.do(`begin`, `set local search_path = tenant_1`, `savepoint a`, `set local search_path = tenant_3`)
		s.reaches("tenant_3")
		s.do(`savepoint b`, `set search_path = tenant_2`)
		s.reaches("tenant_2")
		s.do(`rollback to b`)
		s.reaches("tenant_3")
		s.do(`release b`)
		s.reaches("tenant_3")
		s.do(`rollback work to savepoint a`)
		s.reaches("tenant_1")
		s.do(`commit`)
		s.reaches("public")
	},
	"failed transactions": func(s *session) {
		s.do(`begin`, `savepoint a`, `set search_path = tenant_1`)
		s.reaches("tenant_1")
		require.Error(s.t, s.exec(`select 1 / 0`))
		_, err := s.query(usersWrite, "nothing")
		require.Equal(s.t, "25P02", pgError(s.t, err).Code)
		s.do(`rollback to a`)
		s.reaches("public")
		s.do(`set search_path = tenant_3`)
		require.Error(s.t, s.exec(`select 1 / 0`))
		_, err = s.query(usersRead, "nothing")
		require.Equal(s.t, "25P02", pgError(s.t, err).Code)
		s.do(`commit`)
		s.reaches("public")
	},
	"failed set": func(s *session) {
		s.do(`set search_path = tenant_1`)
		require.Error(s.t, s.exec(`set search_path = $$`))
		s.reaches("tenant_1")
		require.Error(s.t, s.exec(`set role nobody_of_that_name`))
		s.reaches("tenant_1")
	},
	"functions": func(s *session) {
		_, err := s.query(`select set_config('search_path', $1, false)`, "tenant_1")
		require.NoError(s.t, err)
		s.reaches("tenant_1")
		s.do(`begin`)
		_, err = s.query(`select set_config('search_path', $1, true)`, "tenant_3")
		require.NoError(s.t, err)
		s.reaches("tenant_3")
		s.do(`commit`)
		s.reaches("tenant_1")
		s.do(`do $$ begin perform set_config('search_path', 'tenant_2', false); end $$`)
		s.reaches("tenant_2")
		s.do(`update pg_settings set setting = 'tenant_3' where name = 'search_path'`)
		s.reaches("tenant_3")
		s.do(`reset all`)
		s.reaches("public")
		s.do(`set schema 'tenant_1'`)
		s.reaches("tenant_1")
	},
	// What does not rest on search_path is not preceded by a query of the hook's.
	"before the first query": func(s *session) {
		s.do(`begin`, `set local search_path = tenant_1`, `set transaction isolation level repeatable read`)
		s.reaches("tenant_1")
		s.do(`commit`)
	},
}
