package rewrite

import (
	pg "github.com/sqlc-dev/oliphant"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// onConflict walks ON CONFLICT. The arbiter index is the one on the column
// that the phase reads.
func (w *walker) onConflict(c *pg.OnConflictClause, target *item, s *scope, env *ctes) {
	if c == nil || w.refusal != nil {
		return
	}
	if c.Infer != nil {
		w.inference(c, target, s, env)
		w.constraint(c, target)
	}
	excluded := *target
	excluded.name, excluded.schema = "excluded", ""
	both := &scope{items: []*item{target, &excluded}}
	w.assignments(c.TargetList, target, both, env)
	w.expr(c.WhereClause, both, env)
}

// constraint replaces the name behind ON CONFLICT ON CONSTRAINT.
func (w *walker) constraint(c *pg.OnConflictClause, target *item) {
	name := c.Infer.Conname
	if name == "" || target.table == nil {
		return
	}
	now, ok := target.table.counterpart(name)
	on := w.at(int(c.Location)) + 2
	switch {
	case !ok:
	case now.Constraint != "":
		w.renameToken(on+2, name, quote(now.Constraint))
	case now.Columns != "":
		w.edits.replace(int(w.tokens[on].start), w.endOf(w.afterName(on+2)), "("+now.Columns+")")
	default:
		w.refuse(int(c.Location), "Name the columns instead of the constraint.", "constraint %s has no counterpart on the target", quote(name))
	}
}

// inference walks the list of columns and expressions that choose an index.
func (w *walker) inference(c *pg.OnConflictClause, target *item, s *scope, env *ctes) {
	// A plain column has no place in the parse tree: go by the tokens behind
	// ON CONFLICT and the opening parenthesis.
	w.arbiters = true
	defer func() { w.arbiters = false }()
	i := w.at(int(c.Location)) + 3
	for _, n := range c.Infer.IndexElems {
		e := n.GetIndexElem()
		switch {
		case e.Expr != nil:
			w.expr(e.Expr, s, env)
		case target.table != nil && target.table.moving(e.Name):
			w.arbiter(i, e.Name, target.table)
		}
		i = w.exprEnd(i) + 1
	}
	w.expr(c.Infer.WhereClause, s, env)
}

// arbiter makes a moving column of the list that of the index in this phase: the
// column that is read, or the target itself when equal sources are equal targets,
// or else what is read back from the targets.
func (w *walker) arbiter(i int, name string, t *table) {
	w.use(t.reach(name)...)
	read := t.read(name)
	for _, c := range t.byName[name] {
		if !c.serves() && c.move.preserves(transform.PreserveEquality) {
			read = t.read(c.others()[0].Name)
		}
	}
	if column, ok := read.bare(); ok {
		if column != name {
			w.renameToken(i, name, quote(column))
		}
		return
	}
	w.edits.replace(int(w.tokens[i].start), w.endOf(w.afterName(i)), read.enclosed().render(quote))
}

// IndexColumns is the list of columns and expressions in the definition of an
// index, as ON CONFLICT takes it; empty when the text is not such a definition.
func IndexColumns(def string) string {
	tokens := scan(def, nil)
	w := &walker{sql: def, tokens: tokens}
	for i := range tokens {
		if w.is(i, "using") && w.kind(i+2) == '(' {
			return def[tokens[i+2].end:tokens[w.closing(i+2)].start]
		}
	}
	return ""
}
