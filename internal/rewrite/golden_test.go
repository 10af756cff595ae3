package rewrite_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

var update = flag.Bool("update", false, "write what the rewriter gives to the golden files")

// A golden is a file testdata/<kind>/<case>.txtar: a sentence on what it
// shows, options, the input, and what becomes of it phase by phase.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			comment, sections := readArchive(string(data))
			require.NotEmpty(t, sections)
			require.Equal(t, "input", sections[0].name)
			got := writeArchive(comment, append(sections[:1:1], outcomes(t, comment, sections[0].text)...))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(data), got)
		})
	}
}

// outcomes are what becomes of a text, phases with one outcome together.
func outcomes(t *testing.T, comment, input string) (list []section) {
	phases := phase.All()
	if strings.Contains(comment, "\nnamed\n") {
		phases = append(phases, phase.Named)
	}
	for _, p := range phases {
		text := describe(newRewriter(t, p, options(comment)...).Rewrite(strings.TrimSuffix(input, "\n")))
		if n := len(list); n > 0 && list[n-1].text == text {
			list[n-1].name += " " + string(p)
			continue
		}
		list = append(list, section{name: string(p), text: text})
	}
	if len(list) == 1 {
		list[0].name = "every phase"
	}
	return list
}

// options are what a golden's comment asks for by a line of its own.
func options(comment string) (list []func(*rewrite.Catalog)) {
	for line := range strings.Lines(comment) {
		switch strings.TrimSpace(line) {
		case "catalog: kinds":
			list = append(list, func(c *rewrite.Catalog) { *c = kindsCatalog(c.Transitions[0].Phase) })
		case "identity: items":
			list = append(list, func(c *rewrite.Catalog) {
				for i, tr := range c.Transitions {
					if tr.Table.Name == "items" {
						c.Transitions[i].Sources = slices.Clone(tr.Sources)
						c.Transitions[i].Sources[0].Identity = "always"
					}
				}
			})
		case "stars: target":
			list = append(list, func(c *rewrite.Catalog) { c.Stars = rewrite.StarsTarget })
		case "synced":
			list = append(list, synced)
		case "tables: more":
			list = append(list, moreTables)
		case "path: archive":
			list = append(list, func(c *rewrite.Catalog) { c.SearchPath = []string{"archive", "public"} })
		case "path: unknown":
			list = append(list, func(c *rewrite.Catalog) { c.PathUnknown = true })
		case "own default":
			list = append(list, func(c *rewrite.Catalog) { c.Tables[1].OwnDefaults = []string{"owner"} })
		case "unordered":
			list = append(list, func(c *rewrite.Catalog) { c.Tables[0].Unordered = true })
		case "opaque text: report":
			list = append(list, func(c *rewrite.Catalog) { c.OpaqueText = rewrite.PolicyReport })
		case "opaque calls: refuse":
			list = append(list, func(c *rewrite.Catalog) { c.OpaqueCalls = rewrite.PolicyRefuse })
		}
	}
	return list
}

func describe(r rewrite.Result) string {
	var b strings.Builder
	switch r.Outcome {
	case rewrite.Passed:
		b.WriteString("passed\n")
	case rewrite.Refused:
		fmt.Fprintf(&b, "refused: %s\nhint: %s\n", r.Refusal.Message, r.Refusal.Hint)
	default:
		b.WriteString(r.SQL + "\n")
	}
	for _, reported := range r.Reported {
		fmt.Fprintf(&b, "reports: %s\n", reported.Message)
	}
	if r.Resets {
		b.WriteString("resets the session\n")
	}
	if r.MovesPath {
		b.WriteString("moves the path\n")
	}
	return b.String()
}

// section is one file of an archive in the txtar format.
type section struct{ name, text string }

func readArchive(data string) (comment string, sections []section) {
	for line := range strings.Lines(data) {
		name, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "-- ")
		name, marked := strings.CutSuffix(name, " --")
		switch n := len(sections); {
		case ok && marked:
			sections = append(sections, section{name: name})
		case n == 0:
			comment += line
		default:
			sections[n-1].text += line
		}
	}
	return comment, sections
}

func writeArchive(comment string, sections []section) string {
	var b strings.Builder
	b.WriteString(comment)
	for _, s := range sections {
		fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
	}
	return b.String()
}
