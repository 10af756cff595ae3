package rewrite

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// view is a View with what the phases make of it. Its text cannot be rewritten:
// it names one column for good, so it is right only while that one is.
type view struct {
	View
	// of are its tables, moves their transitions.
	of    []*table
	moves []*move
	// reads are the moving columns that its query names.
	reads []*moving
}

// addView takes in a view, or another table of one that is known.
func (r *Rewriter) addView(known View) error {
	t := r.table(known.Of.Schema, known.Of.Name)
	if t == nil {
		return fmt.Errorf("no transition is of its table %v", known.Of)
	}
	var v *view
	switch same := r.relation(known.Name.Schema, known.Name.Name).(type) {
	case nil:
		v = &view{View: known}
		r.tracked = append(r.tracked, v)
	case *view:
		v = same
	default:
		return nil // a table in transition with a rule
	}
	v.Whole, v.Acts = v.Whole || known.Whole, v.Acts || known.Acts
	v.of, v.moves = append(v.of, t), append(v.moves, t.moves...)
	for _, name := range known.Reads {
		v.reads = append(v.reads, t.byName[name]...)
	}
	return nil
}

func (v *view) called() Name { return v.Name }

// String says what the name leads to, for messages.
func (v *view) String() string {
	over := make([]string, len(v.of))
	for i, t := range v.of {
		over[i] = t.String()
	}
	verb := " over "
	if v.Kind == ViewRule {
		verb = " about "
	}
	return fmt.Sprintf("%s.%s, a %s%s%s", quote(v.Name.Schema), quote(v.Name.Name), v.Kind, verb, strings.Join(over, " and "))
}

// readThrough handles a relation that is read, if it is not in transition itself
// but shows what is: while the column it names is right, all it takes is the
// token of the phase.
func (w *walker) readThrough(rv *pg.RangeVar) {
	switch known := w.r.relation(rv.Schemaname, rv.Relname).(type) {
	case *ancestor:
		w.reach(known, rv)
	case *view:
		if known.Kind == ViewPlain {
			w.view(known, rv)
		}
	}
}

// view makes sure that what a view shows is right.
func (w *walker) view(v *view, rv *pg.RangeVar) {
	if v.Whole {
		w.refuse(int(rv.Location), "Make the view anew with the columns it needs.", "%v names whole rows, which show both columns", v)
		return
	}
	for _, c := range v.reads {
		if !c.right() {
			w.refuse(int(rv.Location), "Make the view anew over "+quoteAll("", columnNames(c.move.reading()))+", or read the table.",
				"column %s need not be right in this phase, and %v, names it", quote(c.Name), v)
			return
		}
		w.use(c.move)
	}
}

// right tells whether what stands in the column is what the application reads,
// or kept equal to it.
func (c *moving) right() bool {
	if c.target {
		return c.serves()
	}
	return c.written()
}

// reading are the columns that serve reads.
func (m *move) reading() []*moving {
	if m.sources[0].serves() {
		return m.sources
	}
	return m.targets
}

func columnNames(list []*moving) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Name
	}
	return names
}

// writeThrough handles the target of a write, if it is not in transition itself
// but leads to what is. Which of its columns leads to which of the table is not
// known.
func (w *walker) writeThrough(rv *pg.RangeVar, action pg.CmdType) {
	const hint = "Write to the table itself."
	var v *view
	switch known := w.r.relation(rv.Schemaname, rv.Relname).(type) {
	case *ancestor:
		w.reach(known, rv)
		return
	case *view:
		v = known
	default:
		return
	}
	switch {
	case v.Kind == ViewRule:
		w.refuse(int(rv.Location), "Replace the rule by a trigger, or write on a connection without the hook.",
			"the statement may set off a rule of %v", v)
		return
	case v.Acts:
		for _, m := range v.moves {
			if w.use(m); m.behaviour.WriteTarget {
				w.refuse(int(rv.Location), hint, "a trigger or rule says what becomes of a write to %v", v)
			}
		}
		return
	case v.Kind != ViewPlain:
		return
	}
	w.view(v, rv)
	if action == pg.CmdType_CMD_INSERT {
		for _, m := range v.moves {
			if w.use(m); m.defaulted() {
				w.refuse(int(rv.Location), hint, "an INSERT by way of %v leaves the column's default out", v)
			}
		}
	}
	if action == pg.CmdType_CMD_DELETE {
		return
	}
	for _, c := range v.reads {
		if c.move.behaviour.WritesBoth() {
			w.refuse(int(rv.Location), hint, "a write by way of %v, which names %s, would reach one of the two columns", v, quote(c.Name))
		}
	}
}

// copiedThrough refuses COPY FROM: an INSERT that can name no token.
func (w *walker) copiedThrough(c *pg.CopyStmt) {
	if c.Relation == nil || !c.IsFrom {
		return
	}
	if known := w.trackedOf(c.Relation); known != nil && w.tableOf(c.Relation) == nil {
		w.refuse(int(c.Relation.Location), "Copy into the table itself, or write INSERT.", "COPY FROM into %v", known)
	}
}

// refresh lets those materialized views be filled again whose query names
// nothing that moves. A command can name no token, so that one which names a
// column could run long after the column has gone stale.
func (w *walker) refresh(s *pg.RefreshMatViewStmt, first int) {
	if v, ok := w.trackedOf(s.Relation).(*view); ok && (v.Whole || len(v.reads) > 0) {
		w.refuse(int(w.tokens[first].start), "Refresh it on a connection without the hook, as long as the column it names is kept.",
			"REFRESH of %v", v)
	}
}

// ancestor is an Ancestor with its descendant.
type ancestor struct {
	Ancestor
	of *table
}

func (a *ancestor) called() Name { return a.Name }

func (a *ancestor) String() string {
	return fmt.Sprintf("%s.%s, which has the rows of %v among its own", quote(a.Name.Schema), quote(a.Name.Name), a.of)
}

// reach refuses a statement that goes by way of an ancestor: rows in transition
// come under its name together with others.
func (w *walker) reach(a *ancestor, rv *pg.RangeVar) {
	if rv.Inh {
		w.refuse(int(rv.Location), "Name the table that holds the rows; with ONLY, the table above it too.", "the statement names %v", a)
	}
}

// meant says what a name could mean, for messages.
func (r *Rewriter) meant(name string) string {
	if slices.ContainsFunc(r.tables, func(t *table) bool { return t.Name.Name == name }) {
		return "the table in transition"
	}
	return "a relation that leads to a table in transition"
}
