package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// insertStmt walks an INSERT.
func (w *walker) insertStmt(s *pg.InsertStmt, env *ctes) columns {
	env = w.with(s.WithClause, nil, env)
	target := w.tableItem(s.Relation)
	body := exactly()
	edited := w.edits.count()
	if s.SelectStmt != nil {
		body = w.query(s.SelectStmt, nil, env)
	}
	if target.table != nil && w.refusal == nil {
		w.insertInto(target.table, s, body, w.edits.count() > edited)
	}
	sc := &scope{items: []*item{target}}
	w.onConflict(s.OnConflictClause, target, sc, env)
	return w.returning(s.ReturningClause, target, sc, env)
}

// insertion is an INSERT into a table in transition.
type insertion struct {
	*walker
	stmt  *pg.InsertStmt
	table *table
	query *pg.SelectStmt // nil for DEFAULT VALUES
	// edited: something inside the values or query has been edited.
	edited bool
	// names are the columns that take values, position is the moving one's
	// index in them or -1.
	names    []string
	position int
	// implied is the column list to write where the statement has none.
	implied []string
	// Tokens: where the INSERT starts, the one behind the table's name and
	// alias, the closing parenthesis of the column list or -1, and the first
	// of the values or query and the one behind it.
	first, behindName, listEnd, bodyStart, bodyEnd int
	// once are expressions that are evaluated in a WITH query of their own.
	once []string
	// mixed: values of other columns must be evaluated row by row as well.
	mixed bool
}

func (w *walker) insertInto(t *table, s *pg.InsertStmt, body columns, edited bool) {
	w.use(t)
	in := &insertion{walker: w, stmt: s, table: t, query: s.SelectStmt.GetSelectStmt(), position: -1, edited: edited}
	in.layout()
	if isValues(in.query) && len(t.writes) > 1 {
		in.rowOfSets()
	}
	if !in.columnList(body) {
		return
	}
	switch {
	case in.query == nil:
		in.defaultValues()
	case isValues(in.query):
		in.valuesRows()
	default:
		in.fromQuery()
	}
	if len(in.implied) > 0 {
		// What the query was wrapped in may begin at the same place.
		in.edits.insertBefore(in.endOf(in.behindName), " ("+quoteAll("", in.implied)+")")
	}
	in.attachOnce()
}

// isValues tells whether the rows are written out: with a WITH, ORDER BY or
// LIMIT, PostgreSQL too takes VALUES for a query.
func isValues(s *pg.SelectStmt) bool {
	return s != nil && len(s.ValuesLists) > 0 && len(s.SortClause) == 0 && s.LimitCount == nil && s.LimitOffset == nil &&
		s.WithClause == nil && len(s.LockingClause) == 0
}

// layout finds the parts of the statement among the tokens.
func (in *insertion) layout() {
	i := in.at(int(in.stmt.Relation.Location))
	in.first = i - 2
	i++
	for in.kind(i) == '.' {
		i += 2
	}
	if in.stmt.Relation.Alias != nil {
		i += 2 // AS alias
	}
	in.behindName, in.listEnd = i, -1
	if len(in.stmt.Cols) > 0 {
		in.listEnd = in.closing(i)
		i = in.listEnd + 1
	}
	if in.is(i, "overriding") {
		i += 3
	}
	in.bodyStart = i
	switch c := in.stmt.OnConflictClause; {
	case c != nil:
		in.bodyEnd = in.at(int(c.Location))
	default:
		for ; i < len(in.tokens); i++ {
			if k := in.kind(i); k == '(' || k == '[' {
				i = in.closing(i)
			} else if k == ')' || k == ';' || in.is(i, "returning") && in.kind(i-1) != '.' && !in.is(i-1, "as") {
				break
			}
		}
		in.bodyEnd = i
	}
}

// columnList makes the column list name the columns that the phase writes. It
// is false when the statement is refused.
func (in *insertion) columnList(body columns) bool {
	t := in.table
	if len(in.stmt.Cols) == 0 {
		return in.impliedList(body)
	}
	for i, n := range in.stmt.Cols {
		c := n.GetResTarget()
		in.names = append(in.names, c.Name)
		if !t.moves(c.Name) {
			continue
		}
		switch {
		case in.position >= 0 && in.names[in.position] != c.Name:
			in.refuse(int(c.Location), "Name one of the two columns; crossfade writes both where needed.",
				"both %s and %s are written, but they are one column", quote(t.Source), quote(t.Target))
			return false
		case len(c.Indirection) > 0:
			in.refuse(int(c.Location), "Write the whole value.", "a part of the column of %v is written", t)
			return false
		}
		in.position = i
		if to := t.written(c.Name); to != c.Name {
			in.renameToken(in.at(int(c.Location)), c.Name, quote(to))
		}
	}
	if more := in.additional(); len(more) > 0 {
		at := in.endOf(in.listEnd)
		if in.position >= 0 && isValues(in.query) {
			// Beside its twin, as in the rows.
			at = in.endOf(in.afterName(in.at(int(in.stmt.Cols[in.position].GetResTarget().Location))))
		}
		in.edits.insert(at, ", "+quoteAll("", more))
	}
	return true
}

// additional are the columns that the phase writes besides those named.
func (in *insertion) additional() []string {
	switch {
	case in.position >= 0:
		if other := in.table.other(in.names[in.position]); other != "" {
			return []string{other}
		}
		return nil
	case in.table.defaulted():
		return in.table.writes
	}
	return nil
}

// impliedList writes out the column list of an INSERT that has none: the
// application's table has other columns than the expanded one.
func (in *insertion) impliedList(body columns) bool {
	t := in.table
	width := len(body.names)
	if in.query == nil {
		return true
	}
	if !body.exact {
		in.refuse(int(in.stmt.Relation.Location), hintColumns,
			"INSERT without a column list into %v takes a number of columns that is not known", t)
		return false
	} else if isValues(in.query) {
		for _, row := range in.query.ValuesLists {
			width = max(width, len(row.GetList().GetItems()))
		}
	}
	if width > len(t.columns) {
		in.refuse(int(in.stmt.Relation.Location), hintColumns, "INSERT has more expressions than target columns")
		return false
	}
	in.names = t.columns[:width]
	in.position = slices.Index(in.names, t.visible)
	list := slices.Clone(in.names)
	if in.position >= 0 {
		list[in.position] = t.written(t.visible)
	}
	if more := in.additional(); in.position >= 0 && isValues(in.query) {
		list = slices.Insert(list, in.position+1, more...)
	} else {
		list = append(list, more...)
	}
	in.implied = list
	return true
}
