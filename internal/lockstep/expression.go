package lockstep

import (
	"strings"
)

// templates are what an expression of a type can be. A type in braces stands
// for an expression of that type; with a question mark, a parameter will do.
var templates = map[Type][]string{
	Int: {
		"({int} + {int})", "({int} - {int?})", "coalesce({int}, {int})", "case when {bool} then {int} else {int} end", "abs({int})",
		"nullif({int}, {int})", "greatest({int}, {int})", "length({str})", "cardinality({strs})", "({big} % 7)::int",
		"case {str} when {str} then {int} end", "position('n' in {str})", "ascii({str})", "cast({big} as int)",
	},
	Big: {"({big} + {int})", "coalesce({big}, {big})", "({int})::bigint", "case when {bool} then {big} end"},
	Str: {
		"({str} || {str})", "upper({str})", "coalesce({str}, {str})", "case when {bool} then {str} else {str} end", "left({str}, 2)",
		"({int})::text", "({jsonb} ->> 'a')", "({jsonb} -> 'full_name')::text", "{mood}::text", "concat_ws('-', {str}, {int}, {str})",
		"format('%s/%s', {str}, {str})", "substring({str} from 1 for 2)", "trim(both from {str})", "nullif({str}, '')",
		"row({str}, {int})::text", "({str} collate \"C\")", "({strs})[1]", "{any}::text", "to_jsonb({moving}) ->> 0",
		"json_build_object('full_name', {any}, 'name', {int})::text", "cast({any} as text)", "quote_nullable({any}::text)", "{moving}::text",
		"greatest({str}, {str})", "lower(({str}))", "case {int} when 1 then {str} when {int?} then 'x' else {str} end", "md5({str})",
		"array[{str}, {str}]::text", "translate({str}, 'an', 'na')", "(array[{str}, {str}])[2]",
	},
	Bool: {
		"{str} = {str?}", "{int} < {int?}", "({any}) is null", "({any}) is not null", "{str} is distinct from {str?}", "({bool} and {bool})",
		"({bool} or {bool})", "not ({bool})", "{str} in ({str?}, {str})", "{str} not in ({str?}, 'x')", "{str} like {str?}", "({str}, {int}) = ({str}, {int})",
		"row({str}, {int}) is not null", "({str}, {int}) < ({str?}, {int})", "{str} = any(array[{str}, 'Ann'])", "{int} between 1 and {int?}", "{jsonb} @> {jsonb}",
		"{str} similar to '(A|B)%'", "{str} ~ '^[AB]'", "{big} = {int}", "{mood} = {mood}", "{mood} >= 'ok'", "({bool}) is true",
		"{same}", "{same}", "{same}", "{same}", "{str} ilike 'a%'", "coalesce({bool}, false)", "{int} <> all (array[{int}, {int}])", "{str} <> all ({strs})",
		"{str} between {str} and {str?}", "({bool}) is not distinct from ({bool})", "{jsonb} ? 'full_name'", "{str} = any({strs})",
	},
	Num:    {"({num} + {int})", "coalesce({num}, {num})", "({int})::numeric", "round({num}, 1)"},
	JSONB:  {"coalesce({jsonb}, '{}')", "jsonb_build_object('full_name', {any}, 'n', {int})", "to_jsonb({str}::text)", "({jsonb} -> 'a')", "jsonb_set('{}', '{name}', coalesce(to_jsonb({moving}), 'null'))"},
	JSON:   {"json_build_object('full_name', {any})", "to_json({str}::text)"},
	Strs:   {"array[{str}, {str}]", "({strs} || {str})", "coalesce({strs}, '{}')", "array_remove({strs}, {str})", "string_to_array({str}, ' ')"},
	Mood:   {"coalesce({mood}, 'ok')", "case when {bool} then {mood} end"},
	UUID:   {"coalesce({uuid}, {uuid})"},
	Moment: {"({moment} + interval '1 day')", "date_trunc('hour', {moment})", "coalesce({moment}, {moment})"},
	Zoned:  {"({zoned} + interval '1 hour')", "coalesce({zoned}, {zoned})"},
}

// expression makes an expression of a type.
func (g *Generator) expression(s *scope, t Type, depth int) *Node {
	n := g.expressionOf(s, t, depth)
	n.Sort, n.Simple = "expression "+string(t), types[t].values[0]
	return n
}

func (g *Generator) expressionOf(s *scope, t Type, depth int) *Node {
	if depth <= 0 || g.chance(35) {
		return g.leaf(s, t)
	}
	if g.nested < 3 && g.chance(12) {
		if n := g.subquery(s, t); n != nil {
			return n
		}
	}
	return g.fill(s, pick(g, templates[t]...), depth-1)
}

// fill makes a node of a template.
func (g *Generator) fill(s *scope, template string, depth int) *Node {
	n := &Node{}
	for template != "" {
		before, rest, ok := strings.Cut(template, "{")
		hole, after, _ := strings.Cut(rest, "}")
		if ok && !isHole(hole) {
			n.Parts = append(n.Parts, Text(before+"{"))
			template = rest
			continue
		}
		n.Parts = append(n.Parts, Text(before))
		if !ok {
			break
		}
		n.Parts = append(n.Parts, g.hole(s, hole, depth))
		template = after
	}
	return n
}

func isHole(s string) bool {
	s = strings.TrimSuffix(s, "?")
	_, ok := types[Type(s)]
	return ok || s == "any" || s == "same" || s == "moving"
}

func (g *Generator) hole(s *scope, hole string, depth int) *Node {
	hole, param := strings.CutSuffix(hole, "?")
	switch hole {
	case "any":
		return g.expression(s, pick(g, Int, Str, Str, Big, Bool, Mood, JSONB), depth)
	case "same":
		return g.comparison(s)
	case "moving":
		list := s.references(func(c Column) bool { return c.Move != nil })
		if len(list) == 0 {
			return g.expression(s, Str, depth)
		}
		return g.reference(pick(g, list...))
	}
	if param && g.params != nil && g.chance(60) {
		return seq("expression "+hole, g.param(Type(hole)))
	}
	return g.expression(s, Type(hole), depth)
}

// comparison compares a column that moves with something of its type.
func (g *Generator) comparison(s *scope) *Node {
	list := s.references(func(c Column) bool { return c.Move != nil && !types[c.Type].unordered })
	if len(list) == 0 {
		return g.fill(s, "{str} = {str?}", 1)
	}
	r := pick(g, list...)
	column := g.reference(r)
	other := func() *Node {
		same := s.references(func(c Column) bool { return c.Type == r.column.Type })
		switch {
		case g.chance(30):
			return g.reference(pick(g, same...))
		case g.params != nil && g.chance(40):
			return seq("", g.param(r.column.Type), "::"+types[r.column.Type].sql)
		}
		return seq("", pick(g, r.column.Values...))
	}
	switch pick(g, 0, 0, 0, 1, 2, 3, 4, 5) {
	case 0:
		return seq("", column, pick(g, " = ", " <> ", " < ", " >= ", " is distinct from "), other())
	case 1:
		return seq("", column, " in (", other(), ", ", other(), ")")
	case 2:
		return seq("", column, " between ", other(), " and ", other())
	case 3:
		return seq("", other(), pick(g, " = ", " > "), column)
	case 4:
		return seq("", "(", column, ", 1) = (", other(), ", 1)")
	}
	return seq("", column, " is not distinct from ", other())
}

// leaf makes an expression without parts.
func (g *Generator) leaf(s *scope, t Type) *Node {
	if list := s.references(func(c Column) bool { return c.Type == t }); len(list) > 0 && g.chance(80) {
		if moving := s.references(func(c Column) bool { return c.Type == t && c.Move != nil }); len(moving) > 0 && g.chance(60) {
			list = moving
		}
		return g.reference(pick(g, list...))
	}
	if g.params != nil && g.chance(15) {
		return seq("", g.param(t), "::"+types[t].sql)
	}
	return seq("", pick(g, types[t].values...))
}

// reference names a column, by its name alone where that will do.
func (g *Generator) reference(r reference) *Node {
	qualifier := r.relation.alias
	if r.bare && r.column.Hidden == nil && g.chance(60) {
		qualifier = ""
	}
	return spelled(r.column, qualifier)
}

// spelled names a column. The original database knows no targets: there it is
// what leads to the target.
func spelled(c Column, qualifier string) *Node {
	name := Text(dotted(qualifier, c.Name))
	if c.Hidden == nil {
		return seq("", name)
	}
	return seq("", Either{Text(c.Move.Forward(*c.Hidden, qualifier)), name})
}

// texts are values of parameters of a type, in text format.
var texts = map[Type][]string{
	Int: {"1", "2", "18"}, Big: {"1", "3"}, Str: {"Ann", "Bob", "", "x"}, Bool: {"t", "f"}, Num: {"1.5", "2"},
	JSONB: {"{}", `{"a": 1}`}, JSON: {"{}", `{"a": 1}`}, Strs: {"{a,b}", "{}"}, Mood: {"ok", "sad"},
	UUID: {"00000000-0000-4000-8000-000000000001"}, Moment: {"2020-01-01 00:00:00"}, Zoned: {"2020-01-01 00:00:00+00"},
}

// param makes a parameter, or gives one again that was used for the same type.
func (g *Generator) param(t Type) *Param {
	return g.parameter("type "+string(t), texts[t])
}

func (g *Generator) parameter(use string, values []string) *Param {
	if p := g.params[use]; p != nil && g.chance(25) {
		return p
	}
	p := &Param{}
	if !g.chance(10) {
		value := pick(g, values...)
		p.Value = &value
	}
	g.params[use] = p
	return p
}
