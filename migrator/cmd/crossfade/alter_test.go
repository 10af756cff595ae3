package main

import "testing"

// TestAlterFromTheShell goes with what moves no column as an operator would.
func TestAlterFromTheShell(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	file := writeFile(t, "index.yaml", "name: users-index\ntable: users\nadd_index: {name: users_lower_idx, on: (lower(full_name))}\n")
	contains(t, s.must(exitOK, "plan", file).stdout, "users-index: table users, add_index users_lower_idx", "build  no column moves",
		`CREATE INDEX CONCURRENTLY "users_lower_idx" ON "public"."users" USING btree (lower(full_name))`)
	contains(t, s.must(exitOK, "run", file).stdout, "users-index stands after step build", "next: crossfade remove users-index")
	contains(t, s.must(exitOK, "status").stdout, "add_index users_lower_idx", "all done")
	contains(t, s.must(exitOK, "status", "users-index").stdout, "table public.users, add_index users_lower_idx", "last step  build")
	contains(t, s.must(exitRefused, "contract", "users-index").stderr, "it drops nothing")
	contains(t, s.must(exitUsage, "explain", "--transition", file, "select 1").stderr, "moves no column")
	s.must(exitOK, "remove", "users-index")

	file = writeFile(t, "drop.yaml", "name: users-drop\ntable: users\ndrop_column: {name: full_name}\naccept: [drops-with-column]\n")
	contains(t, s.must(exitOK, "run", file).stdout, "next, after a soak: crossfade contract users-drop")
	contains(t, s.must(exitUsage, "contract", "users-drop").stderr, "drops column full_name of table public.users")
	s.must(exitOK, "rollback", "users-drop")
	s.must(exitOK, "run", "users-drop", "--until", "contracted", "--yes", "--no-snapshot")
	s.must(exitRefused, "rollback", "users-drop")

	file = writeFile(t, "check.yaml", "name: users-check\ntable: users\nadd_check: {name: no, check: id < 0}\n")
	contains(t, s.must(exitRefused, "start", file).stderr, "[rows-violate]", "stand in the way")
}
