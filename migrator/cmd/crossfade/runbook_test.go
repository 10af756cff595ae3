package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestRunbook plays docs/runbook.md. Each section is a situation that a function
// brings about; then the blocks of the section are played in their order: commands
// must print what stands below them, apart from numbers, times and names of
// machines, and a line ... stands for any lines.
func TestRunbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "runbook.md"))
	require.NoError(t, err)
	played := map[string]bool{}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		blocks := blocksOf(body)
		played[title] = true
		if len(blocks) == 0 {
			continue
		}
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			arrange := situations[title]
			require.NotNil(t, arrange, "nobody plays this section")
			s := &situation{shell: newShell(t), blocks: blocks}
			arrange(s)
			require.Empty(t, s.blocks, "blocks that were not played")
		})
	}
	for title := range situations {
		require.True(t, played[title], "there is no section %q", title)
	}
}

// block is a piece of code of a page.
type block struct{ language, text string }

var fenced = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

func blocksOf(markdown string) (blocks []block) {
	for _, found := range fenced.FindAllStringSubmatch(markdown, -1) {
		blocks = append(blocks, block{found[1], found[2]})
	}
	return blocks
}

// situation is one section of the runbook under way.
type situation struct {
	*shell
	blocks []block
}

// next takes a block, of this language.
func (s *situation) next(language string) string {
	s.t.Helper()
	require.NotEmpty(s.t, s.blocks, "a block of %s is missing", language)
	b := s.blocks[0]
	s.blocks = s.blocks[1:]
	require.Equal(s.t, language, b.language, b.text)
	return b.text
}

// play runs the commands of the next block.
func (s *situation) play() {
	s.t.Helper()
	text := s.next("console")
	require.True(s.t, strings.HasPrefix(text, "$ "), text)
	for _, part := range strings.Split("\n"+text, "\n$ ")[1:] {
		command, wanted, _ := strings.Cut(part, "\n")
		command, _, _ = strings.Cut(command, " #")
		args := words(command)
		require.Equal(s.t, "crossfade", args[0])
		if i := slices.Index(args, "users-name.yaml"); i > 0 {
			args[i] = s.file
		}
		var screen bytes.Buffer // both streams, as on a terminal
		Main(s.t.Context(), append([]string{"--database-url", s.db.URL}, args[1:]...), strings.NewReader(""), &screen, &screen)
		requireLike(s.t, wanted, screen.String(), command)
	}
}

// sql runs the next block, with the real pid in the place of the example's.
func (s *situation) sql(pid uint32) {
	s.t.Helper()
	s.db.Exec(s.t, strings.ReplaceAll(s.next("sql"), "4711", strconv.Itoa(int(pid))))
}

// says: the next block is this text.
func (s *situation) says(text string) {
	s.t.Helper()
	requireLike(s.t, s.next("text"), text, "the message")
}

// session opens a connection without the hook, which has the application's name.
func (s *situation) session(application string) *pgx.Conn {
	s.t.Helper()
	config := s.db.Config(s.t)
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(s.t.Context(), config)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(s.t.Context())) })
	return conn
}

// quiet runs a command that only leads to the situation.
func (s *situation) quiet(args ...string) {
	s.t.Helper()
	s.must(exitOK, args...)
}

var quoted = regexp.MustCompile(`'[^']*'|\S+`)

// words splits a command line as a shell does; quotes enclose whole words.
func words(command string) []string {
	list := quoted.FindAllString(command, -1)
	for i, word := range list {
		list[i] = strings.Trim(word, "'")
	}
	return list
}

var (
	variable = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\b(\d+(\.\d+)?(h|m|s|ms|µs))+\b|` +
		`\b\d+(,\d{3})*(\.\d+)?( ?(B|kB|MB|GB|KiB|MiB|GiB)(/s)?)?\b|(client|role) [^,\s]+|\w+@[\w.-]+|\d+`)
	space = regexp.MustCompile(`[ \t]+`)
)

// plain leaves out what differs from run to run.
func plain(text string) string {
	text = variable.ReplaceAllString(text, "~")
	return strings.TrimSpace(space.ReplaceAllString(text, " "))
}

// requireLike: the text has these lines.
func requireLike(t *testing.T, wanted, text, what string) {
	t.Helper()
	var pattern strings.Builder
	pattern.WriteString(`(?s)^`)
	for line := range strings.Lines(wanted) {
		if strings.TrimSpace(line) == "..." {
			pattern.WriteString(`(.*\n)?`)
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(plain(line)) + `\n`)
	}
	var lines strings.Builder
	for line := range strings.Lines(text) {
		lines.WriteString(plain(line) + "\n")
	}
	if !regexp.MustCompile(pattern.String() + `$`).MatchString(lines.String()) {
		t.Fatalf("%s prints\n%s\nand the page says\n%s", what, text, wanted)
	}
}
