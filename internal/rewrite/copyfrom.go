package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"
)

// COPY FROM is sent with data that nobody can change on the way. What it can be
// made to do is to fill another column of the same type; and it can be refused.
//
// Without a trigger that keeps both sides it is right only where a transition
// writes one side for good. A phase that happens to write one side (off, or
// complete) does not count: what passes there and is refused after the next
// flip, or on the way back, would break an application in the middle of a
// rollout. So a text gets one answer from the day a transition is registered,
// when refusing costs least, until there is no way back. With the trigger, each
// phase takes the columns that it writes, and any column that can be renamed.

const hintCopyFrom = "Copy into a temporary table and INSERT ... SELECT from that; or INSERT ... SELECT ... FROM unnest($1::bigint[], $2::text[]); " +
	"or a pgx.Batch; or copy on a connection without the hook, with the columns of both sides in the list."

// landing is a list of columns that COPY fills.
type landing struct {
	// columns are those of the expanded table, in the order of the data.
	columns []string
	// given are these, and what the application called them.
	given   []string
	renamed bool
}

func (w *walker) copyFrom(c *pg.CopyStmt, t *table, names []string, first, last int) {
	at := int(c.Relation.Location)
	w.used = nil
	l := w.land(t, names, at)
	for _, m := range t.moves {
		w.copyFills(m, t, l, copyOption(c, "default") != nil, at)
	}
	if w.refusal != nil || len(w.used) == 0 {
		return
	}
	w.copyDetails(c, t, l, at)
	name, behind := w.at(at), w.behindRelation(c.Relation)
	switch list := " (" + quoteAll("", l.columns) + ")"; {
	case len(c.Attlist) == 0:
		w.edits.insert(w.endOf(behind), list)
	case l.renamed:
		w.edits.replace(w.endOf(behind), int(w.tokens[w.closing(behind)].end), list)
	}
	// COPY FROM takes no WITH. Several statements in one Query are one
	// transaction, so the lock is held until the COPY is committed.
	if first != 0 || slices.ContainsFunc(w.tokens[last:], func(t token) bool { return t.kind != ';' }) {
		w.refuse(int(w.tokens[name].start), "Send the COPY as a text of its own.", "COPY into %v stands beside other statements in one text", t)
	}
	w.leading = 1
	w.edits.insertBefore(int(w.tokens[first].start), "LOCK TABLE "+w.phases()+" IN ACCESS SHARE MODE; ")
}

// land finds the columns that hold the values the application gives under names.
func (w *walker) land(t *table, names []string, at int) landing {
	var l landing
	for _, name := range names {
		column := name
		for next := name; next != ""; {
			column = next
			l.given = append(l.given, column)
			next = w.otherHome(t, column, at)
		}
		if slices.Contains(l.columns, column) {
			w.refuse(at, "Name one of the two columns.", "COPY into %v names a column under both of its names", t)
		}
		l.renamed = l.renamed || column != name
		l.columns = append(l.columns, column)
	}
	return l
}

// otherHome is the column that must be filled instead of a moving one; empty
// when the phase takes it.
func (w *walker) otherHome(t *table, name string, at int) string {
	for _, c := range t.byName[name] {
		switch {
		case c.move.Identity() && c.target == c.move.behaviour.WriteSource:
			return c.opposite()[0]
		case !c.move.Identity() && !c.written() && c.move.copied():
			others := quoteAll("", c.opposite())
			w.refuse(at, "Copy the values of "+others+"; or use INSERT.",
				"COPY into %v fills %s, which the phase of the transition does not write, and its values are not those of %s",
				t, quote(name), others)
		}
	}
	return ""
}

// copied tells whether a COPY may fill one side of the move.
func (m *move) copied() bool { return m.Synced || m.behaviour.SourceGone }

// copyFills refuses a COPY that would not leave both sides of a move right.
// defaults: the data may ask for a column's DEFAULT.
func (w *walker) copyFills(m *move, t *table, l landing, defaults bool, at int) {
	given := func(c *moving) bool { return slices.Contains(l.given, c.Name) }
	sources, targets := slices.ContainsFunc(m.sources, given), slices.ContainsFunc(m.targets, given)
	bare := !slices.ContainsFunc(m.sources, func(c *moving) bool { return c.Default != "" })
	simple := m.Identity() && bare
	if sources || targets || !simple {
		w.use(m)
	}
	switch {
	case !sources && !targets:
		// PostgreSQL gives the sources their defaults, and what follows from them
		// only the trigger knows.
		if !simple && (!m.Synced || !m.behaviour.WriteSource) {
			w.refuse(at, hintCopyFrom, "COPY into %v leaves out %s, and what takes its place may be not NULL; it would be missing from %s",
				t, quoteAll("", m.SourceNames()), quoteAll("", m.TargetNames()))
		}
	case !m.copied():
		w.refuse(at, hintCopyFrom, "COPY into %v fills one of the two columns only", t)
	case m.Identity():
		if defaults && !bare && !m.behaviour.WriteSource {
			w.refuse(at, hintCopyFrom, "COPY into %v may ask for the DEFAULT of %s, which only %s has",
				t, quoteAll("", m.TargetNames()), quoteAll("", m.SourceNames()))
		}
	case sources && targets:
		w.refuse(at, hintCopyFrom, "COPY into %v fills both %s and %s, but they are one column",
			t, quoteAll("", m.SourceNames()), quoteAll("", m.TargetNames()))
	case !targets:
	case defaults || slices.ContainsFunc(m.targets, func(c *moving) bool { return !given(c) }):
		w.refuse(at, hintCopyFrom, "COPY into %v may leave out some of %s, whose values follow from those of %s",
			t, quoteAll("", m.TargetNames()), quoteAll("", m.SourceNames()))
	case !bare && m.behaviour.WriteSource:
		w.refuse(at, hintCopyFrom, "COPY into %v fills %s, while PostgreSQL would fill %s by its DEFAULT",
			t, quoteAll("", m.TargetNames()), quoteAll("", m.SourceNames()))
	}
}

// copyDetails refuses what names columns besides the list, where that is not
// what it seems.
func (w *walker) copyDetails(c *pg.CopyStmt, t *table, l landing, at int) {
	if c.WhereClause != nil {
		w.types(c.WhereClause)
		below(c.WhereClause.ProtoReflect(), func(m proto.Message) bool {
			ref, ok := m.(*pg.ColumnRef)
			if !ok {
				return true
			}
			names := stringsOf(ref.Fields)
			row := isStar(ref) || len(names) == 1 && names[0] == t.Name.Name
			if row || t.moving(names[len(names)-1]) {
				w.refuse(int(ref.Location), "Filter the data before the COPY.", "the WHERE of COPY into %v is about a column in transition", t)
			}
			return true
		})
	}
	if !l.renamed {
		return
	}
	if e := copyOption(c, "header"); e != nil && strings.EqualFold(e.Arg.GetString_().GetSval(), "match") {
		w.refuse(at, "Use HEADER without MATCH.", "COPY into %v compares the header with the names of columns, of which one is in transition", t)
	}
	for _, name := range []string{"force_null", "force_not_null"} {
		columns := copyOption(c, name).GetArg().GetList().GetItems()
		if slices.ContainsFunc(stringsOf(columns), t.moving) {
			w.refuse(at, "Use FORCE_NULL and FORCE_NOT_NULL for other columns, or *.", "%s of COPY into %v names a column in transition", strings.ToUpper(name), t)
		}
	}
}

// opposite are the names of the columns on the other side.
func (c *moving) opposite() []string {
	if c.target {
		return c.move.SourceNames()
	}
	return c.move.TargetNames()
}
