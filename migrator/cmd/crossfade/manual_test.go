package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// TestManual: docs/cli.md says what --help does. Write it anew with -update.
func TestManual(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("# The command crossfade\n\nWhat `--help` says, in one page. A test keeps it so.\n")
	root := newRoot(&app{})
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		cmd.InitDefaultHelpFlag()
		b.WriteString("\n## " + cmd.CommandPath() + "\n\n")
		about := cmd.Long
		if about == "" {
			about = cmd.Short
		}
		usage, _, _ := strings.Cut(cmd.UsageString(), "\nGlobal Flags:") // they stand with crossfade itself
		b.WriteString("```\n" + strings.TrimSpace(about) + "\n\n" + strings.TrimSpace(usage) + "\n```\n")
	}
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	text := strings.Join(lines, "\n")
	file := filepath.Join("..", "..", "..", "docs", "cli.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644)) //nolint:gosec // a document
	}
	written, err := os.ReadFile(file)
	require.NoError(t, err, "write it with: go test ./migrator/cmd/crossfade -run Manual -update")
	require.Equal(t, string(written), text, "write it anew with: go test ./migrator/cmd/crossfade -run Manual -update")
}
