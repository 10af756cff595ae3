package lockstep

import (
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// expansion is the script that makes, of the original database, one as it can
// be in a phase: what is not read holds wrong values where the phase permits
// it, or does not exist. withTarget tells whether the targets exist in off.
func (k Kind) expansion(p phase.Phase, withTarget bool) string {
	if p == phase.Off && !withTarget {
		return ""
	}
	var b strings.Builder
	for _, m := range k.Moves {
		table := "public." + m.Table
		var fill, wrong, dropped []string
		for _, c := range m.Targets {
			fmt.Fprintf(&b, "alter table %s add column %s %s;\n", table, quoted(c.Name), c.Type)
			fill = append(fill, quoted(c.Name)+" = "+m.Forward(c, ""))
		}
		fmt.Fprintf(&b, "update %s set %s;\n", table, strings.Join(fill, ", "))
		if p == phase.Off {
			for _, c := range m.Targets {
				wrong = append(wrong, fmt.Sprintf("%s = (%s)::%s", quoted(c.Name), m.Wrong[c.Name], c.Type))
			}
			fmt.Fprintf(&b, "update %s set %s;\n", table, strings.Join(wrong, ", "))
			continue
		}
		b.WriteString(m.constrain(table, p))
		if p.Behaviour().WriteSource {
			continue
		}
		for _, c := range m.Sources {
			wrong = append(wrong, fmt.Sprintf("%s = (%s)::%s", quoted(c.Name), m.Wrong[c.Name], c.Type))
			dropped = append(dropped, "drop column "+quoted(c.Name))
			fmt.Fprintf(&b, "alter table %s alter column %s drop not null, alter column %[2]s drop default;\n", table, quoted(c.Name))
		}
		fmt.Fprintf(&b, "update %s set %s;\n", table, strings.Join(wrong, ", "))
		if p.Behaviour().SourceGone {
			fmt.Fprintf(&b, "alter table %s %s;\n", table, strings.Join(dropped, ", "))
		}
		if p.Behaviour().Named {
			b.WriteString(m.keep(table))
		}
	}
	return b.String()
}

// constrain gives the targets the constraints of the sources, and takes the
// sources' away where they would be in the way.
func (m Move) constrain(table string, p phase.Phase) string {
	var b strings.Builder
	if m.Unique {
		fmt.Fprintf(&b, "alter table %s add constraint %s unique (%s);\n", table,
			quoted(uniqueName(m.Table, m.Targets[0].Name)), quoted(m.Targets[0].Name))
		if !p.Behaviour().WriteSource {
			fmt.Fprintf(&b, "alter table %s drop constraint %s;\n", table, quoted(uniqueName(m.Table, m.Sources[0].Name)))
		}
	}
	switch target := quoted(m.Targets[0].Name); {
	case m.Key && p.Behaviour().WriteSource:
		fmt.Fprintf(&b, "create unique index on %s (%s);\n", table, target)
	case m.Key:
		fmt.Fprintf(&b, "alter table %s drop constraint %[2]s, add constraint %[2]s primary key (%s);\n", table, keyName(m.Table), target)
	}
	for _, c := range m.Targets {
		if c.NotNull && p.Behaviour().Read == phase.Target {
			fmt.Fprintf(&b, "alter table %s alter column %s set not null;\n", table, quoted(c.Name))
		}
	}
	return b.String()
}

// keep gives the target the source's name, and that of its constraint.
func (m Move) keep(table string) string {
	source, target := m.Sources[0].Name, m.Targets[0].Name
	script := fmt.Sprintf("alter table %s rename column %s to %s;\n", table, quoted(target), quoted(source))
	if m.Unique {
		script += fmt.Sprintf("alter table %s rename constraint %s to %s;\n", table,
			quoted(uniqueName(m.Table, target)), quoted(uniqueName(m.Table, source)))
	}
	return script
}

// look is a function that reads the tables as the application should see them,
// the sequences, and how many rows are not consistent. A hook does not see into
// functions. The phase is "" for the original database.
func (k Kind) look(p phase.Phase) string {
	var contents, faulty []string
	for _, t := range k.Tables() {
		var columns []string
		for _, c := range t.Columns {
			columns = append(columns, c.logical(p)+" as "+quoted(c.Name))
		}
		contents = append(contents, fmt.Sprintf("select '%s.%s ' || r::text as line from (select %s from %[1]s.%[2]s) r",
			t.Schema, t.Name, strings.Join(columns, ", ")))
	}
	for _, m := range k.Moves {
		if p == "" || !p.Behaviour().WritesBoth() {
			continue
		}
		faulty = append(faulty, fmt.Sprintf("select '%s: ' || r::text as line from public.%[1]s r where not (%[2]s) and not (%[3]s)",
			m.Table, m.agree(transform.Forward), m.agree(transform.Backward)))
	}
	if faulty == nil {
		faulty = []string{"select '' as line where false"}
	}
	return fmt.Sprintf(`create function lockstep.look(out contents text, out sequences text, out faulty text) language sql as $look$
select (select string_agg(line, E'\n' order by line) from (%s) c),
	(select string_agg(last_value || ' ' || is_called, ', ' order by last_value) from
		(select * from public.codes union all select * from public.volatile union all select * from public.defaults) s),
	(select string_agg(line, E'\n' order by line) from (%s) f)
$look$;`, strings.Join(contents, " union all "), strings.Join(faulty, " union all "))
}

// logical is the expression that reads a column in a phase.
func (c Column) logical(p phase.Phase) string {
	if c.Move == nil || p == "" || p.Behaviour().Read == phase.Source || p.Behaviour().Named {
		return quoted(c.Name)
	}
	for _, source := range c.Move.Sources {
		if source.Name == c.Name {
			return c.Move.Backward(source, quoted)
		}
	}
	panic("no source " + c.Name)
}

// agree is the condition that one side of a row follows from the other. Texts
// are compared, for types that have no equality.
func (m Move) agree(d transform.Direction) string {
	var list []string
	if d == transform.Forward {
		for _, c := range m.Targets {
			list = append(list, fmt.Sprintf("%s::text is not distinct from (%s)::text", quoted(c.Name), m.Forward(c, "")))
		}
	} else {
		for _, c := range m.Sources {
			list = append(list, fmt.Sprintf("%s::text is not distinct from (%s)::text", quoted(c.Name), m.Backward(c, quoted)))
		}
	}
	return strings.Join(list, " and ")
}

// restore is a script that remembers the tables and makes a function that puts
// everything back as it was.
func (k Kind) restore() string {
	var save, body strings.Builder
	for _, t := range k.Tables() {
		saved := "lockstep.saved_" + t.Schema + "_" + t.Name
		fmt.Fprintf(&save, "create table %s as select * from %s.%s;\n", saved, t.Schema, t.Name)
		fmt.Fprintf(&body, "delete from %s.%s; insert into %[1]s.%[2]s select * from %[3]s;\n", t.Schema, t.Name, saved)
	}
	return fmt.Sprintf(`%screate function lockstep.restore() returns void language sql as $restore$
%s$restore$;
create function lockstep.step(n int) returns void language sql as $$
	select setval(s, 1000 + 100 * n, false) from unnest('{public.codes,public.volatile,public.defaults}'::regclass[]) s
$$;`, save.String(), body.String())
}
