package main

import "testing"

const namesFile = `name: users-names
table: users
split:
  from: full_name
  to:
    - {name: first_name, type: text, value: "split_part(full_name, ' ', 1)"}
    - {name: last_name, type: text, value: "split_part(full_name, ' ', 2)"}
  backward: first_name || ' ' || last_name
  lossy: [forward, backward]
`

// TestSplitFromTheShell goes with a split as an operator would.
func TestSplitFromTheShell(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	file := writeFile(t, "names.yaml", namesFile)
	plan := s.must(exitOK, "plan", file)
	contains(t, plan.stdout, "users-names: table users, column full_name becomes first_name, last_name",
		"warn [lossy-forward]", "warn [lossy-backward]", `add column "last_name" text`, "((first_name || ' '::text) || last_name)")
	explained := s.must(exitOK, "explain", "--transition", file, "select full_name from users where first_name = 'a'")
	contains(t, explained.stdout, "split_part", "first_name || ' '")
	s.must(exitOK, "run", file)
	s.must(exitOK, "run", file) // it is there already
	contains(t, s.must(exitOK, "status").stdout, "first_name, last_name")
	contains(t, s.must(exitOK, "status", "users-names").stdout, "column full_name becomes first_name, last_name")
	s.must(exitOK, "contract", "users-names", "--yes", "--no-snapshot")

	backward := writeFile(t, "merge.yaml", `name: again
table: users
merge:
  from: [{name: first_name, value: "split_part(name, ' ', 1)"}, {name: last_name, value: "split_part(name, ' ', 2)"}]
  to: name
  type: text
  forward: first_name || ' ' || last_name
`)
	refused := s.must(exitRefused, "plan", backward)
	contains(t, refused.stdout, "refuse [lossy-undeclared] column public.users.first_name")
}
