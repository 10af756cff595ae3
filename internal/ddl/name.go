package ddl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ParseName takes "schema.table" or "table" apart; the latter leaves Schema
// empty. Names are taken as the catalog has them; one in double quotes may hold
// dots, and double quotes that are doubled.
func ParseName(text string) (Name, error) {
	malformed := fmt.Errorf(`%q is not of the form "schema.table" or "table"`, text)
	var parts []string
	for rest := text; ; {
		var part, after string
		var found bool
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			end := closingQuote(quoted)
			if end < 0 {
				return Name{}, fmt.Errorf("%q: the quote has no end", text)
			}
			part, after = strings.ReplaceAll(quoted[:end], `""`, `"`), quoted[end+1:]
			if after, found = strings.CutPrefix(after, "."); !found && after != "" {
				return Name{}, fmt.Errorf("%q: expected a dot after the quote", text)
			}
		} else {
			part, after, found = strings.Cut(rest, ".")
		}
		if part == "" {
			return Name{}, malformed
		}
		parts = append(parts, part)
		if !found {
			break
		}
		rest = after
	}
	switch len(parts) {
	case 1:
		return Name{Table: parts[0]}, nil
	case 2:
		return Name{Schema: parts[0], Table: parts[1]}, nil
	}
	return Name{}, malformed
}

// closingQuote finds the quote that ends a name; -1 when there is none.
func closingQuote(text string) int {
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if !strings.HasPrefix(text[i+1:], `"`) {
			return i
		}
		i++
	}
	return -1
}

// ResolveName parses a name and finds the schema of a table that is named
// without one: the first of path that has such a relation. If none has, it is
// the first of path, for the caller to find out that there is no such table.
func ResolveName(ctx context.Context, db Querier, text string, path []string) (Name, error) {
	name, err := ParseName(text)
	if err != nil || name.Schema != "" {
		return name, err
	}
	err = db.QueryRow(ctx, `
		select path.schema
		from unnest($1::text[]) with ordinality as path (schema, place)
		join pg_catalog.pg_namespace n on n.nspname = path.schema
		join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
		order by path.place limit 1`, path, name.Table).Scan(&name.Schema)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && len(path) > 0:
		name.Schema = path[0]
	case errors.Is(err, pgx.ErrNoRows):
		return Name{}, fmt.Errorf("look up table %q: the search_path leads to no schema: name the table with its schema", text)
	case err != nil:
		return Name{}, fmt.Errorf("look up table %q: %w", text, err)
	}
	return name, nil
}
