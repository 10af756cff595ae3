package main

import "testing"

// TestKeepNameFromTheShell: what is said of a name that passes on, from the plan
// to the removal.
func TestKeepNameFromTheShell(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	file := writeFile(t, "email.yaml", `name: users-email
table: users
change: {from: full_name, to: full_name_short, type: varchar(200), lossy: [forward], keep_name: true}
`)
	contains(t, s.must(exitOK, "plan", file).stdout,
		"users-email: table users, column full_name becomes full_name_short, in the end called full_name again",
		"warn [name-passes-on] column public.users.full_name",
		`rename column "full_name_short" to "full_name"`, `drop table "crossfade".t<id>_contracted_<epoch>`)
	explained := s.must(exitOK, "explain", "--transition", file, "--phase", "named", "select full_name_short from users where full_name = 'a'")
	contains(t, explained.stdout, `full_name AS full_name_short`, "where full_name = 'a'")
	contains(t, s.must(exitOK, "explain", "--transition", file, "select full_name_short from users").stdout, "contracted", "named")
	s.must(exitOK, "run", file)
	contains(t, s.must(exitUsage, "contract", "users-email").stderr, "drops column full_name", "and gives its name to full_name_short")
	contract := s.must(exitOK, "contract", "users-email", "--yes", "--no-snapshot")
	contains(t, contract.stdout, "users-email is in phase named, after step name", "crossfade remove users-email")
	contains(t, s.must(exitOK, "status", "users-email").stdout, "phase      named", "in the end called full_name again", "contracted -> named")
	s.must(exitOK, "contract", "users-email") // it is done already, so nothing is asked
	s.must(exitOK, "explain", "-t", "users-email", "select full_name_short from users")
	contains(t, s.must(exitOK, "remove", "users-email").stdout, "users-email is removed")
}
