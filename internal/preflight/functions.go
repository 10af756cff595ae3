package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// checkFunctions lists the functions that touch the source: those whose body
// PostgreSQL has parsed, through pg_depend; the others by the words of their
// text. SQL that a function puts together at run time is not found.
func checkFunctions(ctx context.Context, in *inspection) error {
	var names []string
	for _, m := range in.members {
		names = append(names, m.Bare)
	}
	// The functions of triggers on the table are the business of checkTriggers.
	functions, err := query[struct {
		OID        uint32
		Name, Text string
	}](ctx, in, `
		select p.oid, p.oid::regprocedure::text, p.prosrc
		from pg_proc p
		join pg_language l on l.oid = p.prolang
		join pg_namespace n on n.oid = p.pronamespace
		where (p.oid = any($1) or l.lanname not in ('c', 'internal') and exists (
				select from unnest($2::text[]) as name where strpos(lower(p.prosrc), lower(name)) > 0))
			and n.nspname not in ('pg_catalog', 'information_schema', 'crossfade')
			and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
			and not exists (select from pg_trigger t where t.tgfoid = p.oid and t.tgrelid = any($3))
		order by 2`, in.of("pg_proc"), names, in.tree())
	if err != nil {
		return fmt.Errorf("read functions: %w", err)
	}
	depends := in.of("pg_proc")
	naming := func(text string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return mentions(text, name) })
	}
	for _, f := range functions {
		switch {
		case slices.Contains(depends, f.OID):
			in.refuse("function-depends", "function "+f.Name, "its body uses the source, whatever the phase",
				"drop it, or make it do without the column, and make it again over the target after contract")
		case naming(f.Text) && in.namesSource(f.Text):
			in.refuse("function-names-column", "function "+f.Name, "its text names the table and the source; the hook does not see what it runs",
				"make it do without the column; if it does not touch it, accept function-names-column")
		case naming(f.Text):
			in.warn("function-names-table", "function "+f.Name, "its text names the table; the hook does not see what it runs",
				"look whether it inserts rows or reads *: such rows lack the target, such reads show both columns")
		}
	}
	return nil
}

// mentions tells whether a text contains a name as a word of its own, in any
// case: an unquoted name is folded.
func mentions(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	for {
		before, after, found := strings.Cut(text, name)
		if !found {
			return false
		}
		left, right := strings.TrimRightFunc(before, inWord), strings.TrimLeftFunc(after, inWord)
		if left == before && right == after {
			return true
		}
		text = after
	}
}

func inWord(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) }
