package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// copy handles COPY in all its forms. COPY FROM into a view has been refused by
// copiedThrough, and PostgreSQL itself refuses to copy from one.
func (w *walker) copy(c *pg.CopyStmt, first, last int) {
	if c.Query != nil {
		w.utility(c.Query, first+2, w.closing(first+1))
		return
	}
	t := w.tableOf(c.Relation)
	if t == nil {
		if c.WhereClause != nil {
			w.types(c.WhereClause)
		}
		return
	}
	names := stringsOf(c.Attlist)
	if w.alwaysFails(names) {
		return
	}
	for _, name := range names {
		if t.generated(name) {
			w.refuse(int(c.Relation.Location), "Leave the column out.", "column %s of %v is generated; COPY neither shows nor takes it", quote(name), t)
		}
	}
	if len(names) == 0 {
		if t.Unordered {
			w.wholly(t, int(c.Relation.Location))
		}
		names = slices.DeleteFunc(slices.Clone(t.visible), t.generated)
	}
	if w.is(first+1, "binary") || w.has(first, last, "delimiters") {
		w.refuse(int(c.Relation.Location), "Write WITH (FORMAT binary), or WITH (DELIMITER '...').",
			"COPY of %v in a syntax from before PostgreSQL 7.3", t)
	}
	if c.IsFrom {
		w.copyFrom(c, t, names, first, last)
		return
	}
	w.copyTo(c, t, names)
}

// copyTo makes the copy of a table the copy of a query, which gives the logical
// columns.
func (w *walker) copyTo(c *pg.CopyStmt, t *table, names []string) {
	if len(c.Attlist) > 0 && !slices.ContainsFunc(names, t.moving) {
		return
	}
	switch {
	case t.Kind == "p":
		w.refuse(int(c.Relation.Location), "Use COPY (SELECT ...) TO.", "COPY cannot copy from the partitioned table %v", t)
	case t.Kind == "f":
		w.refuse(int(c.Relation.Location), "Use COPY (SELECT ...) TO.", "COPY cannot copy from the foreign table %v", t)
	case slices.Contains(names, t.Name.Name) && !t.moving(t.Name.Name) && !t.has(t.Name.Name):
		// In a query it would be the whole row.
		w.refuse(int(c.Relation.Location), "Correct the column list.", "column %s of %v does not exist", quote(t.Name.Name), t)
	}
	w.used = nil
	for _, name := range names {
		w.use(t.reach(name)...)
	}
	first := w.at(int(c.Relation.Location))
	behind := w.behindRelation(c.Relation)
	// COPY of a parent leaves its children out, a query does not.
	w.edits.insertBefore(int(w.tokens[first].start), "(WITH "+w.fence()+" SELECT "+listOf(names, "", t.read)+" FROM ONLY ")
	if len(c.Attlist) == 0 {
		w.edits.insert(w.endOf(behind), ")")
		return
	}
	w.edits.replace(w.endOf(behind), int(w.tokens[w.closing(behind)].end), ")")
}

// systemColumns are names that no column of a table can have.
var systemColumns = wordSet("tableoid xmin cmin xmax cmax ctid")

// alwaysFails tells whether PostgreSQL rejects a column list whatever the table
// is. In a query it would not.
func (w *walker) alwaysFails(names []string) bool {
	for i, name := range names {
		if systemColumns[name] || slices.Contains(names[:i], name) {
			return true
		}
	}
	return false
}

// has tells whether the word stands among the tokens [first, last), outside of
// parentheses.
func (w *walker) has(first, last int, word string) bool {
	for i := first; i < last; i++ {
		switch {
		case w.kind(i) == '(':
			i = w.closing(i)
		case w.is(i, word) && w.kind(i-1) != '.':
			return true
		}
	}
	return false
}

// has tells whether the table has a logical column of the name.
func (t *table) has(name string) bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

func (t *table) generated(name string) bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == name && c.Generated })
}

// copyOption is an option of COPY by its name, or nil.
func copyOption(c *pg.CopyStmt, name string) *pg.DefElem {
	for _, n := range c.Options {
		if e := n.GetDefElem(); strings.EqualFold(e.GetDefname(), name) {
			return e
		}
	}
	return nil
}
