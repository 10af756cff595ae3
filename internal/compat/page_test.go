package compat

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pageFile = "../../docs/compatibility.md"

const pageHead = `# Compatibility

Written by the tests in ` + "`internal/compat`" + `: do not edit. Each line is a test that ran against a real PostgreSQL.

The libraries are tested with one application, written as one would write it with each of them: insert, read by id, a
list filtered and ordered by the moving column, update, upsert, delete, a join with sums, count, a transaction. It runs
while one column gets another name (` + "`users.full_name`" + `) and one another type (` + "`orders.cents`" + `, int to bigint): through
all phases, back to off, forward again, and contract. Works means: no error, and every row as it must be.
`

// checkPage compares the page with what was seen, or writes it.
func checkPage(t *testing.T, seen map[string]outcome) {
	page := page(t, seen)
	if *update {
		require.NoError(t, os.WriteFile(pageFile, []byte(page), 0o644)) //nolint:gosec // a page for everybody
		return
	}
	is, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	require.Equal(t, page, string(is), "go test -run TestCompatibility . -update writes the page anew")
}

func page(t *testing.T, seen map[string]outcome) string {
	versions := versions(t)
	var b strings.Builder
	b.WriteString(pageHead)
	section := ""
	for _, s := range subjects {
		if s.section != section {
			section = s.section
			fmt.Fprintf(&b, "\n## %s\n\n| | version | | |\n| --- | --- | --- | --- |\n", section)
		}
		version := ""
		if s.module != "" {
			version = versions[s.module]
			require.NotEmpty(t, version, "%s is not in go.mod", s.module)
		}
		o := seen[s.name]
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.name, version, o.verdict, strings.ReplaceAll(o.note, "|", `\|`))
	}
	return b.String()
}

// versions reads go.mod.
func versions(t *testing.T) map[string]string {
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	versions := map[string]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			versions[fields[0]] = fields[1]
		}
	}
	return versions
}
