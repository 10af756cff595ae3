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
	readme := prose(t, "../README.md")
	for _, page := range pages(t) {
		if filepath.Dir(page) == "." {
			assert.Contains(t, readme, "](docs/"+page+")")
		}
	}
}

func pages(t *testing.T) []string {
	t.Helper()
	here, err := filepath.Glob("*.md")
	require.NoError(t, err)
	above, err := filepath.Glob("../*.md")
	require.NoError(t, err)
	return append(here, above...)
}

// prose is a page without its blocks of code.
func prose(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page) //nolint:gosec // a page of this repository
	require.NoError(t, err)
	return fence.ReplaceAllString(string(text), "")
}

// slugs are the anchors that GitHub gives to headings.
func slugs(text string) (anchors []string) {
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		slug := notInSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(found[1])), "")
		anchors = append(anchors, strings.ReplaceAll(slug, " ", "-"))
	}
	return anchors
}
