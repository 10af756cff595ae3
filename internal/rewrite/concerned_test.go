package rewrite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// A text concerns the transitions of what it names, however that leads to their rows.
func TestConcerned(t *testing.T) {
	t.Parallel()
	r := newRewriter(t, phase.Off)
	for sql, want := range map[string][]int64{
		`select 1, 'superusers', users_1.id from users_1 -- users`: nil,
		`select * from USERS`:                              {1},
		`select * from accounts, "users" u`:                {1, 2},
		`select * from holdings`:                           {1, 2},
		`delete from people`:                               {1},
		`select tidy_users(7)`:                             {1},
		`do $$ begin delete from "sets"; end $$`:           {5},
		`select 'accounts`:                                 {2},
		`select * from u&"user\0073" join docs using (id)`: {1, 4},
	} {
		require.Equal(t, want, r.Concerned(sql), sql)
	}
}

// What a refusal quotes of a text is not in its redacted message.
func TestRedactedMessage(t *testing.T) {
	t.Parallel()
	r := newRewriter(t, phase.Off)
	refusal := r.Rewrite(`select full_name from users where id = 7 'password'`).Refusal
	require.Contains(t, refusal.Message, "password")
	require.Equal(t, "crossfade: the text cannot be parsed", refusal.Redacted())
	refusal = r.Rewrite(`select u from users u`).Refusal
	require.Equal(t, refusal.Message, refusal.Redacted())
}
