package explain

import (
	"regexp"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Statement is a statement to explain, and where it comes from.
type Statement struct {
	SQL string `json:"statement"`
	// Name is what a comment of the form "-- name: X :one" calls it.
	Name string `json:"name,omitempty"`
	// File is the name of the file it stands in, Line its line there; empty and 0
	// for a statement that was given alone.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Place is where the statement stands, as editors understand it.
func (s Statement) Place() string {
	if s.File == "" {
		return ""
	}
	return place(s.File, s.Line)
}

// named is the comment by which sqlc, and others, name a query.
var named = regexp.MustCompile(`(?m)^\s*(?:--|/\*)\s*name:\s*(\S+)`)

// Parse takes the statements out of a text. Where they name their parameters, or
// use macros of sqlc, what is sent to PostgreSQL stands instead. The skipped are
// psql commands.
func Parse(file, text string) (statements, skipped []Statement) {
	pieces, commands := rewrite.Split(text)
	for _, piece := range pieces {
		s := Statement{SQL: rewrite.ExpandMacros(piece.Text), File: file}
		if file != "" {
			s.Line = piece.Line
		}
		if match := named.FindStringSubmatch(piece.Text[:piece.First]); match != nil {
			s.Name = match[1]
		}
		statements = append(statements, s)
	}
	for _, command := range commands {
		if !strings.HasPrefix(command.Text, `\.`) {
			skipped = append(skipped, Statement{SQL: command.Text, File: file, Line: command.Line})
		}
	}
	return statements, skipped
}
