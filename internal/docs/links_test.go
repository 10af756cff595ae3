// Package docs has the tests of the manuals: what they say is tried.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fence     = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	notInSlug = regexp.MustCompile(`[^a-z0-9_ -]`)
)

// root is the repository.
const root = "../../"

// TestLinks: every link to a file of the repository, and to a heading of it, leads somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(prose(t, page), -1) {
			target := found[1]
			if strings.Contains(target, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			path := page
			if file != "" {
				path = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(path); !assert.NoError(t, err, "%s: %s", page, target) || anchor == "" {
				continue
			}
			assert.Contains(t, slugs(prose(t, path)), anchor, "%s: %s", page, target)
		}
	}
}

// TestPagesAreLinked: the README leads to every page.
func TestPagesAreLinked(t *testing.T) {
	t.Parallel()
	readme := prose(t, root+"README.md")
	for _, page := range pages(t) {
		if name := filepath.Base(page); page != root+name {
			assert.Contains(t, readme, "](docs/"+name+")")
		}
	}
}

// TestLibraries: the lines of adopting.md for libraries on *sql.DB stand in the tests
// of those libraries too.
func TestLibraries(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(root + "internal/compat/*_test.go")
	require.NoError(t, err)
	var tests strings.Builder
	for _, path := range paths {
		tests.WriteString(read(t, path))
	}
	lines := regexp.MustCompile("(?m)^\\| (GORM|bun|ent) \\| (`[^`]*`) \\| (`[^`]*`|the same), db from").FindAllStringSubmatch(read(t, root+"docs/adopting.md"), -1)
	require.Len(t, lines, 3)
	for _, line := range lines {
		code := line[3]
		if code == "the same" {
			code = line[2]
		}
		assert.Contains(t, tests.String(), strings.Trim(code, "`"), line[1])
	}
}

func pages(t *testing.T) []string {
	t.Helper()
	manuals, err := filepath.Glob(root + "docs/*.md")
	require.NoError(t, err)
	above, err := filepath.Glob(root + "*.md")
	require.NoError(t, err)
	return append(manuals, above...)
}

// prose is a page without its blocks of code.
func prose(t *testing.T, page string) string {
	t.Helper()
	return fence.ReplaceAllString(read(t, page), "")
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	return string(text)
}

// slugs are the anchors that GitHub gives to headings.
func slugs(text string) (anchors []string) {
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		slug := notInSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(found[1])), "")
		anchors = append(anchors, strings.ReplaceAll(slug, " ", "-"))
	}
	return anchors
}
