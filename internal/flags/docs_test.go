package flags_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocs: the adapter in docs/flags.md is the one that the tests here run.
func TestDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/flags.md")
	require.NoError(t, err)
	source, err := os.ReadFile("launchdarkly_test.go")
	require.NoError(t, err)
	_, recipe, found := strings.Cut(string(page), "### LaunchDarkly")
	require.True(t, found)
	_, recipe, found = strings.Cut(recipe, "```go\n")
	require.True(t, found)
	recipe, _, found = strings.Cut(recipe, "```")
	require.True(t, found)
	_, code, _ := strings.Cut(string(source), "is in docs/flags.md as it is here.\n")
	code, _, found = strings.Cut(code, "// What is in docs/flags.md ends here.")
	require.True(t, found)
	require.Equal(t, strings.TrimSpace(code), strings.TrimSpace(recipe))
}
