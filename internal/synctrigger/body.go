package synctrigger

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// body is the function in PL/pgSQL. Expressions name the columns of the table
// bare, so the inner block has variables of these names; everything else is
// reached by way of the label of its block, and no column can hide it.
//
// The first half costs a hooked write next to nothing: it changes both sides, or
// none. Values are compared by their images: of what merely counts as equal the
// other side has to follow too.
func (t Trigger) body() string {
	b := &builder{label: quote(t.id())}
	b.line(0, "#variable_conflict use_variable")
	b.line(0, "-- Crossfade: "+strings.ReplaceAll(t.Move.String(), "\n", " "))
	b.line(0, "<<given>>")
	b.line(0, "declare")
	b.line(1, "from_targets boolean;")
	b.line(0, "begin")
	t.detect(b)
	b.line(1, "declare")
	for _, c := range slices.Concat(t.Move.Sources, t.Move.Targets) {
		b.line(2, declared(c)+" := "+b.field("new", c)+";")
	}
	b.line(1, "begin")
	b.line(2, "if not ("+ddl.Enforced(t.Move)+") then")
	t.act(b)
	b.line(2, "end if;")
	b.line(1, "end;")
	b.line(1, "return new;")
	b.line(0, "end")
	return b.text.String()
}

// detect finds the side that a write has given, and returns where there is
// nothing to do.
func (t Trigger) detect(b *builder) {
	sources, targets := t.Move.Sources, t.Move.Targets
	b.line(1, "if tg_op = 'UPDATE' then")
	b.line(2, "from_targets := "+b.unchanged(sources)+";")
	if t.SourceIsFree {
		b.line(2, "if from_targets then")
	} else {
		b.line(2, "if from_targets = ("+b.unchanged(targets)+") then -- none, or both")
	}
	b.line(3, "return new;")
	b.line(2, "end if;")
	if t.SourceIsFree {
		b.line(1, "elsif "+b.null(sources)+" then")
		b.line(2, "return new;")
		b.line(1, "end if;")
		return
	}
	b.line(1, "else")
	b.line(2, "from_targets := not ("+b.null(targets)+");")
	// A source that has a DEFAULT may hold it because only the targets were given.
	if !slices.ContainsFunc(sources, func(c transform.Column) bool { return c.Default != "" }) {
		b.line(2, "if from_targets and not ("+b.null(sources)+") then -- both were given")
		b.line(3, "return new;")
		b.line(2, "end if;")
	}
	b.line(1, "end if;")
}

// act is what happens to a row that would be left inconsistent.
func (t Trigger) act(b *builder) {
	switch t.Mode {
	case Refuse:
		b.line(3, "raise exception using errcode = 'check_violation', message = "+literal(
			"a write without the hook gives one side of "+t.Move.String()+" only")+",")
		b.line(4, "hint = "+literal("Embed the hook of Crossfade in this application, or write both sides. The transition refuses such writes (sync_mode: refuse).")+",")
		b.line(4, "schema = "+b.label+".tg_table_schema, table = "+b.label+".tg_table_name, constraint = "+b.label+".tg_name;")
	case Count:
		t.report(b, 3)
	default:
		b.line(3, "if given.from_targets then")
		t.fillUnwritten(b)
		for _, c := range t.Move.Sources {
			b.line(4, b.field("new", c)+" := "+ddl.Valued(c, t.Move.Targets)+";")
		}
		b.line(3, "else")
		for _, c := range t.Move.Targets {
			b.line(4, b.field("new", c)+" := "+ddl.Valued(c, t.Move.Sources)+";")
		}
		t.report(b, 4)
		b.line(3, "end if;")
	}
}

// fillUnwritten: who writes one target of several in a row that has not been
// filled yet means to leave the others as they are, which is what forward gives.
func (t Trigger) fillUnwritten(b *builder) {
	if len(t.Move.Targets) < 2 {
		return
	}
	b.line(4, "if "+b.label+".tg_op = 'UPDATE' then")
	for _, c := range t.Move.Targets {
		b.line(5, quote(c.Name)+" := "+b.field("old", c)+";")
	}
	b.line(5, "if not ("+ddl.Enforced(t.Move)+") then")
	for _, c := range t.Move.Targets {
		b.line(6, "if "+b.unchanged([]transform.Column{c})+" then")
		b.line(7, b.field("new", c)+" := "+ddl.Valued(c, t.Move.Sources)+";")
		b.line(6, "end if;")
	}
	b.line(5, "end if;")
	for _, c := range t.Move.Targets {
		b.line(5, quote(c.Name)+" := "+b.field("new", c)+";")
	}
	b.line(4, "end if;")
}

// report notes who wrote the sources alone, once in ten minutes for each
// session: a row of its own each time, so nobody waits for anybody. A role
// without rights on the schema is not noted, its write goes through all the same.
func (t Trigger) report(b *builder, depth int) {
	setting, slot := literal("crossfade."+t.id()), "pg_catalog.floor(extract(epoch from pg_catalog.statement_timestamp()) / 600)::text"
	b.line(depth, "if pg_catalog.current_setting("+setting+", true) is distinct from "+slot)
	b.line(depth+1, "and pg_catalog.has_schema_privilege('crossfade', 'usage') then")
	b.line(depth+1, "perform crossfade.report_writer("+strings.TrimSuffix(strings.TrimPrefix(t.id(), "t"), "_sync")+
		"), pg_catalog.set_config("+setting+", "+slot+", false);")
	b.line(depth, "end if;")
}

type builder struct {
	text strings.Builder
	// label is the name of the function, which qualifies what is declared in it.
	label string
}

func (b *builder) line(depth int, text string) {
	b.text.WriteString(strings.Repeat("\t", depth) + text + "\n")
}

// field is a column of NEW or OLD.
func (b *builder) field(row string, c transform.Column) string {
	return b.label + "." + row + "." + quote(c.Name)
}

// unchanged: an UPDATE leaves the columns as they were, bit for bit.
func (b *builder) unchanged(columns []transform.Column) string {
	terms := make([]string, len(columns))
	for i, c := range columns {
		terms[i] = ddl.Identical(c, b.field("old", c), b.field("new", c))
	}
	return "(" + strings.Join(terms, " and ") + ")"
}

// null: all of the columns are NULL. Not "is null": a composite value of NULLs
// passes for one.
func (b *builder) null(columns []transform.Column) string {
	terms := make([]string, len(columns))
	for i, c := range columns {
		terms[i] = b.field("new", c) + " is not distinct from null"
	}
	return strings.Join(terms, " and ")
}

// declared is the declaration of a variable for a column.
func declared(c transform.Column) string {
	text := quote(c.Name) + " " + c.Type
	if c.Collation != "" {
		text += " collate " + c.Collation
	}
	return text
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal is a string in the body, whatever standard_conforming_strings is when
// it is run.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
