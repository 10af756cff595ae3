package lockstep_test

import "strings"

// justified are the refusals of statements that PostgreSQL accepts which the
// documentation announces (docs/statements.md), each with its reason. Any other
// refusal is a finding.
var justified = []struct{ message, reason string }{
	{"the result has the whole row of", "the application would get a value of a type that has the columns of both sides"},
	{"a value that MERGE inserts into", "MERGE has no place to evaluate a value once for a row"},
	{"the row type of", "a value of the table's type would have the columns of both sides"},
}

func isJustified(message string) bool {
	for _, j := range justified {
		if strings.Contains(message, j.message) {
			return true
		}
	}
	return false
}
