package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/scratch"
)

// stdinName is the file that statements from stdin are said to stand in.
const stdinName = "stdin"

// statements are those of the arguments and files, or of stdin.
func (a *app) statements(ctx context.Context, args, files []string) ([]explain.Statement, error) {
	var texts []scratch.File
	for _, arg := range args {
		if isSQLFile(arg) { // a shell has expanded a pattern behind --file
			files = append(files, arg)
			continue
		}
		texts = append(texts, scratch.File{Text: arg})
	}
	fromFiles, err := readSQL(files, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	texts = append(texts, fromFiles...)
	if len(args)+len(files) == 0 {
		text, err := a.readStdin(ctx)
		if err != nil {
			return nil, err
		}
		texts = []scratch.File{{Name: stdinName, Text: text}}
	}
	var statements []explain.Statement
	for _, text := range texts {
		found, skipped := explain.Parse(text.Name, text.Text)
		statements = append(statements, found...)
		for _, s := range skipped {
			a.note(strings.TrimPrefix(s.Place()+": ", ": ") + s.SQL + " is a command of psql, and was left out")
		}
	}
	if len(statements) == 0 {
		return nil, &usageError{cause: errors.New("no statement given, neither as an argument nor in a file nor on stdin"), command: "crossfade explain"}
	}
	return statements, nil
}

func (a *app) readStdin(ctx context.Context) (string, error) {
	if console.IsTerminal(a.stdin) && !a.quiet {
		fmt.Fprintln(a.stderr, "reading statements from stdin, end with Ctrl-D")
	}
	text, err := interruptible(ctx, func() ([]byte, error) { return io.ReadAll(a.stdin) })
	if err != nil {
		return "", fmt.Errorf("read statements: %w", err)
	}
	return string(text), nil
}

// isSQLFile tells a file's name from a statement.
func isSQLFile(argument string) bool {
	if !strings.HasSuffix(argument, ".sql") {
		return false
	}
	_, err := os.Stat(argument)
	return err == nil || !strings.ContainsAny(argument, " \t\n;'\"")
}

// readSQL reads files, and of directories the .sql files that pass, by name.
func readSQL(paths []string, pass func(name string) bool) ([]scratch.File, error) {
	var files []scratch.File
	for _, path := range paths {
		names := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if names, err = filepath.Glob(filepath.Join(path, "*.sql")); err != nil {
				return nil, fmt.Errorf("read directory: %w", err)
			}
			names = slices.DeleteFunc(names, func(name string) bool { return !pass(name) })
			if len(names) == 0 {
				return nil, &usageError{cause: fmt.Errorf("directory %s holds no .sql file", path)}
			}
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read SQL: %w", err)
			}
			files = append(files, scratch.File{Name: name, Text: string(text)})
		}
	}
	return files, nil
}

// leadsUp tells a migration from its way back, where each has a file.
func leadsUp(name string) bool { return !strings.HasSuffix(name, ".down.sql") }

// note says on stderr what a user should know of a result.
func (a *app) note(message string) {
	switch {
	case a.quiet:
	case a.output == outputJSON:
		encoder := json.NewEncoder(a.stderr)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(struct {
			Event   string `json:"event"`
			Message string `json:"message"`
		}{"note", message})
	default:
		out := a.err()
		fmt.Fprintf(out, "%s %s\n", out.Style().Warn("note:"), message)
	}
}
