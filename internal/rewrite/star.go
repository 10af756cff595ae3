package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// star handles * and item.* in a list. The result is its columns.
func (w *walker) star(ref *pg.ColumnRef, s *scope) columns {
	fields := stringsOf(ref.Fields[:len(ref.Fields)-1])
	if len(fields) == 0 {
		return w.bareStar(ref, s)
	}
	schema := ""
	if len(fields) > 1 {
		schema = fields[len(fields)-2]
	}
	it, _, _ := s.named(schema, fields[len(fields)-1])
	switch {
	case it == nil:
		return columns{unknown: true}
	case it.veiled && schema != "":
		first := w.at(int(ref.Location))
		w.edits.replace(int(w.tokens[first].start), int(w.tokens[first+2*(len(fields)-1)].start), "")
		return it.columns
	case it.table == nil || it.veiled:
		return it.columns
	case len(fields) > 2:
		w.refuse(int(ref.Location), "Leave out the name of the database.", "a column list of %v is named together with a database", it.table)
	default:
		last := w.tokens[w.lastStar(ref)]
		w.wholly(it.table, int(ref.Location))
		w.edits.replace(int(ref.Location), int(last.end), it.list(w.sql[ref.Location:last.start]))
		return exactly(it.table.visible...)
	}
	return columns{unknown: true}
}

// bareStar handles * over everything in FROM.
func (w *walker) bareStar(ref *pg.ColumnRef, s *scope) columns {
	var all columns
	var parts []string
	all.exact = true
	count := 0
	for _, it := range s.items {
		if !it.byName && !it.unstarred {
			count++
		}
	}
	covers := false
	for _, it := range s.items {
		if it.byName || it.unstarred {
			continue
		}
		prefix, ok := s.qualifier(it)
		switch {
		case it.table != nil && !it.veiled:
			covers = true
			w.wholly(it.table, int(ref.Location))
			if count == 1 {
				prefix, ok = "", true
			}
			parts = append(parts, it.list(prefix))
			all = all.and(exactly(it.table.visible...))
		default:
			parts = append(parts, prefix+"*")
			all = all.and(it.columns)
		}
		if !ok {
			// Only matters if some table in transition is covered.
			parts[len(parts)-1] = ""
		}
	}
	switch {
	case !covers:
		if s.merged {
			// Merged columns stand once, at the front.
			all.exact = false
		}
		return all
	case s.merged:
		w.refuse(int(ref.Location), hintColumns, "* is over a table in transition and a join with USING or NATURAL")
		return all
	case slices.Contains(parts, ""):
		w.refuse(int(ref.Location), "Give each item in FROM an alias of its own.",
			"* is over a table in transition and something that cannot be named")
		return all
	}
	w.replaceStar(ref, s, strings.Join(parts, ", "))
	return all
}

// replaceStar puts a list in the place of *, which in TABLE is not written.
func (w *walker) replaceStar(ref *pg.ColumnRef, s *scope, list string) {
	if ref.Location >= 0 {
		i := w.at(int(ref.Location))
		w.expectStar(i)
		w.edits.replace(int(w.tokens[i].start), int(w.tokens[i].end), list)
		return
	}
	name := w.at(s.items[0].offset)
	command := name - 1
	if w.is(command, "only") {
		command--
	}
	if !w.is(command, "table") {
		panic("TABLE is not where it was expected")
	}
	t := w.tokens[command]
	w.edits.replace(int(t.start), int(t.end), "SELECT "+list+" FROM")
}

func (w *walker) expectStar(i int) {
	t := w.tokens[i]
	if w.sql[t.start:t.end] != "*" {
		panic("* is not where it was expected")
	}
}
