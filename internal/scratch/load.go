package scratch

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// File is a part of a schema: a dump, or a migration.
type File struct{ Name, Text string }

// LoadError says which statement of a schema failed.
type LoadError struct {
	File  string
	Line  int
	Cause error
}

func (e *LoadError) Error() string { return fmt.Sprintf("load %s:%d: %v", e.File, e.Line, e.Cause) }
func (e *LoadError) Unwrap() error { return e.Cause }

// load runs the statements of a file one by one.
func load(ctx context.Context, conn *pgx.Conn, file File) (notes []string, err error) {
	statements, commands := rewrite.Split(wayUp(file.Text))
	for _, c := range commands {
		if harmless.MatchString(c.Text) {
			continue
		}
		notes = append(notes, fmt.Sprintf("%s:%d: %s is a command of psql, and was left out", file.Name, c.Line, c.Text))
	}
	for _, s := range statements {
		if s.Rows {
			continue
		}
		reason, err := run(ctx, conn, s.Text)
		if err != nil {
			return notes, &LoadError{file.Name, s.Line, err}
		}
		if reason != "" {
			notes = append(notes, fmt.Sprintf("%s:%d: left out: %s", file.Name, s.Line, reason))
		}
	}
	return notes, nil
}

// harmless are the commands that pg_dump writes, and the one that ends rows.
var harmless = regexp.MustCompile(`^\\(restrict|unrestrict|\.)`)

// SQLSTATEs that a schema from elsewhere meets.
const (
	undefinedObject     = "42704"
	duplicateSchema     = "42P06"
	undefinedFile       = "58P01"
	featureNotSupported = "0A000"
)

var missingRole = regexp.MustCompile(`^role "(.+)" does not exist$`)

// run executes a statement of a schema. The roles that it expects it gets. A
// reason is given for what was left out without harm to the tables.
func run(ctx context.Context, conn *pgx.Conn, sql string) (reason string, err error) {
	for {
		_, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			return "", err
		}
		verb := strings.ToLower(firstWords(sql))
		switch {
		case e.Code == undefinedObject && missingRole.MatchString(e.Message):
			// The server speaks English: it was started with lc_messages C.
			role := pgx.Identifier{missingRole.FindStringSubmatch(e.Message)[1]}
			if _, err := conn.Exec(ctx, "create role "+role.Sanitize()); err != nil {
				return "", err
			}
		case e.Code == duplicateSchema:
			return "", nil // public is there from the beginning
		case e.Code == undefinedObject && strings.HasPrefix(verb, "set "):
			return e.Message, nil // a setting of a later PostgreSQL
		case verb == "create extension" && (e.Code == undefinedFile || e.Code == featureNotSupported),
			verb == "comment on" && e.Code == undefinedObject:
			return e.Message, nil
		default:
			return "", err
		}
	}
}

// firstWords are the first two words of a statement, without comments.
func firstWords(sql string) string {
	statements, _ := rewrite.Split(sql)
	if len(statements) == 0 {
		return ""
	}
	words := strings.Fields(statements[0].Text[statements[0].First:])
	return strings.Join(words[:min(2, len(words))], " ")
}

// down are the lines after which tools for migrations expect the way back.
var down = regexp.MustCompile(`(?mi)^(--\s*\+goose\s+down|--\s*\+migrate\s+down|--\s*migrate:down|---- create above / drop below ----)`)

// wayUp is the part of a migration that leads forward.
func wayUp(text string) string {
	if at := down.FindStringIndex(text); at != nil {
		return text[:at[0]]
	}
	return text
}
