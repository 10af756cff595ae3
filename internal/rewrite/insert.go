package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
)

// insertStmt walks an INSERT.
func (w *walker) insertStmt(s *pg.InsertStmt, env *ctes) columns {
	env = w.with(s.WithClause, nil, env)
	target := w.tableItem(s.Relation)
	w.writeThrough(s.Relation, pg.CmdType_CMD_INSERT)
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
	// body is what is known of the columns of the values or query; edited:
	// something inside has been edited.
	body   columns
	edited bool
	// names are the columns that take values, slots those of the expanded table
	// that do.
	names []string
	slots []slot
	// Tokens: where the INSERT starts, the one behind the table's name and
	// alias, the closing parenthesis of the column list or -1, and the first
	// of the values or query and the one behind it.
	first, behindName, listEnd, bodyStart, bodyEnd int
	// once are expressions that are evaluated in a WITH query of their own;
	// onceValues has the references to them.
	once       []string
	onceValues map[string]onceValue
	// mixed: values of other columns must be evaluated row by row as well.
	mixed bool
}

func (w *walker) insertInto(t *table, s *pg.InsertStmt, body columns, edited bool) {
	w.use(t.moves...)
	in := &insertion{walker: w, stmt: s, table: t, query: s.SelectStmt.GetSelectStmt(), body: body, edited: edited}
	in.layout()
	if !in.columnList(body) {
		return
	}
	in.overriding()
	in.ownDefaults(t, in.names, valueRows(in.query), int(s.Relation.Location))
	effects := in.effects(t, in.names, int(s.Relation.Location), true)
	if w.refusal != nil {
		return
	}
	in.slots = t.slots(in.names, effects)
	if isValues(in.query) && !in.renamesOnly() {
		in.rowOfSets()
	}
	switch {
	case in.query == nil:
		in.defaultValues()
	case keeps(effects, t, in.names) && (!isValues(in.query) || !slices.ContainsFunc(in.names, t.explicit)):
	case isValues(in.query):
		in.valuesRows()
	default:
		in.fromQuery()
	}
	if in.query != nil {
		in.writeList(s.Cols, in.behindName-1)
	}
	in.attachOnce()
}

// overriding refuses OVERRIDING USER VALUE where the source was an identity: what
// is one no more takes the value that it is given.
func (in *insertion) overriding() {
	if in.stmt.Override != pg.OverridingKind_OVERRIDING_USER_VALUE {
		return
	}
	for _, m := range in.table.moves {
		for _, s := range m.sources {
			if s.Identity != "" {
				in.refuse(int(in.stmt.Relation.Location), "Leave the column out.",
					"OVERRIDING USER VALUE is not possible while an identity is in transition: %v", in.table)
			}
		}
	}
}

// isValues tells whether the rows are written out: with a WITH, ORDER BY or
// LIMIT, PostgreSQL too takes VALUES for a query.
func isValues(s *pg.SelectStmt) bool {
	return s != nil && len(s.ValuesLists) > 0 && len(s.SortClause) == 0 && s.LimitCount == nil && s.LimitOffset == nil &&
		s.WithClause == nil && len(s.LockingClause) == 0
}

// layout finds the parts of the statement among the tokens.
func (in *insertion) layout() {
	in.first = in.at(int(in.stmt.Relation.Location)) - 2
	i := in.behindRelation(in.stmt.Relation)
	if in.stmt.Relation.Alias != nil {
		i = in.afterName(i + 1) // AS alias
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
		in.bodyEnd = in.until(i, func(i int) bool { return in.is(i, "returning") && in.kind(i-1) != '.' && !in.is(i-1, "as") })
	}
}

// columnList finds out which columns take values. It is false when the
// statement is refused.
func (in *insertion) columnList(body columns) bool {
	if len(in.stmt.Cols) == 0 {
		return in.impliedList(body)
	}
	return in.listed(in.stmt.Cols)
}

// listed takes the names of a column list.
func (in *insertion) listed(columns []*pg.Node) bool {
	for _, n := range columns {
		c := n.GetResTarget()
		if in.table.moving(c.Name) && len(c.Indirection) > 0 {
			in.refuse(int(c.Location), "Write the whole value.", "a part of a column of %v is written", in.table)
			return false
		}
		if slices.Contains(in.names, c.Name) && len(c.Indirection) == 0 {
			in.refuse(int(c.Location), "Name it once.", "column %s is named more than once", quote(c.Name))
			return false
		}
		in.names = append(in.names, c.Name)
	}
	return true
}

// impliedList finds out what an INSERT without a column list writes: the
// application's table has other columns than the expanded one.
func (in *insertion) impliedList(body columns) bool {
	t := in.table
	width := len(body.names)
	if in.query == nil {
		return true
	}
	in.wholly(t, int(in.stmt.Relation.Location))
	if !body.exact {
		in.refuse(int(in.stmt.Relation.Location), hintColumns,
			"INSERT without a column list into %v takes a number of columns that is not known", t)
		return false
	} else if isValues(in.query) {
		for _, row := range in.query.ValuesLists {
			width = max(width, len(row.GetList().GetItems()))
		}
	}
	if width > len(t.visible) {
		in.refuse(int(in.stmt.Relation.Location), hintColumns, "INSERT has more expressions than target columns")
		return false
	}
	in.names = t.visible[:width]
	return true
}

// writeList makes the list of the columns name those that take values. Where the
// statement has none, it stands behind the token.
func (in *insertion) writeList(columns []*pg.Node, behind int) {
	if len(columns) == 0 {
		if len(in.slots) == 0 {
			return
		}
		// What a query was wrapped in may begin at the same place.
		in.edits.insertBefore(int(in.tokens[behind].end), " ("+quoteAll("", columnsOf(in.slots))+")")
		return
	}
	places := make([]span, len(columns))
	for i, n := range columns {
		first := in.at(int(n.GetResTarget().Location))
		places[i] = span{int(in.tokens[first].start), in.endOf(in.behindColumn(first))}
	}
	in.rearrange(places, func(s slot) string { return quote(s.column) })
}
