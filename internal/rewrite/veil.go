package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// veiling says which tables in transition get a veil: all, or those in which one of
// the names of a USING moves.
type veiling struct {
	all   bool
	names []string
}

func (v veiling) covers(t *table) bool { return v.all || slices.ContainsFunc(v.names, t.moving) }

// veil puts a table in transition into a sub-query of its visible columns. That
// is right wherever a name or a place among the columns counts: NATURAL and
// USING, column aliases, a star over merged columns, the alias of a join. It is
// not done everywhere, because a sub-query has no primary key to GROUP BY, and
// no system columns.
func (w *walker) veil(it *item, v *pg.RangeVar) {
	t := it.table
	w.wholly(t, int(v.Location))
	first := w.at(int(v.Location))
	behind := w.behindRelation(v)
	switch {
	case w.kind(behind) == kindOp && w.sql[w.tokens[behind].start:w.tokens[behind].end] == "*":
		behind++
	case w.is(first-1, "only"):
		first--
	case w.kind(first-1) == '(' && w.is(first-2, "only"):
		first, behind = first-2, behind+1
	}
	w.edits.insertBefore(int(w.tokens[first].start), "(SELECT "+t.list("")+" FROM ")
	after := ")"
	if v.Alias == nil {
		after += " AS " + quote(v.Relname)
	}
	w.edits.insert(w.endOf(behind), after)
	it.veiled, it.aliases = true, aliasColumns(v.Alias)
	it.columns = exactly(t.visible...).renamed(it.aliases)
}

// behindRelation is the index of the token behind a relation's name.
func (w *walker) behindRelation(v *pg.RangeVar) int {
	i := w.at(int(v.Location))
	for range len(nameParts(v)) - 1 {
		i = w.afterName(i) + 1
	}
	return w.afterName(i)
}

func nameParts(v *pg.RangeVar) []string {
	parts := []string{v.Relname}
	if v.Schemaname != "" {
		parts = append(parts, v.Schemaname)
	}
	if v.Catalogname != "" {
		parts = append(parts, v.Catalogname)
	}
	return parts
}

// unveil is what is read under a name of a veiled table: what is not visible
// comes from what is.
func (it *item) unveil(name string) template {
	read, _ := it.unveiled(name, nil)
	return read
}

func (it *item) unveiled(name string, from *move) (read template, ok bool) {
	if i := slices.Index(it.table.visible, name); i >= 0 {
		if i < len(it.aliases) {
			name = it.aliases[i]
		}
		return column(name), true
	}
	for _, c := range it.table.byName[name] {
		if c.move == from {
			continue
		}
		ok = true
		read = c.value.over(func(other string) template {
			inner, reached := it.unveiled(other, c.move)
			ok = ok && reached
			return inner
		})
		if ok {
			return read, true
		}
	}
	return column(name), false
}
