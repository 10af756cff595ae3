package rewrite

import (
	"fmt"
	"slices"
)

// tracked is a relation whose name leads to rows in transition: a *table, a
// *view or an *ancestor.
type tracked interface {
	fmt.Stringer
	called() Name
}

// addOthers adds what is not a table in transition itself.
func (r *Rewriter) addOthers() error {
	for _, known := range r.catalog.Views {
		if err := r.addView(known); err != nil {
			return fmt.Errorf("view %v: %w", known.Name, err)
		}
	}
	for _, known := range r.catalog.Ancestors {
		t := r.table(known.Of.Schema, known.Of.Name)
		if t == nil {
			return fmt.Errorf("ancestor %v: no transition is of its descendant", known.Name)
		}
		if r.relation(known.Name.Schema, known.Name.Name) == nil {
			r.tracked = append(r.tracked, &ancestor{known, t})
		}
	}
	for _, known := range r.catalog.Opaque {
		t := r.table(known.Of.Schema, known.Of.Name)
		if t == nil {
			return fmt.Errorf("function %v: no transition is of its table", known.Name)
		}
		r.opaque = append(r.opaque, function{known, t})
	}
	return nil
}

// meaning is the relation that a bare name leads to: a tracked one, or another
// of the same name in that schema. The zero value is none.
type meaning struct {
	relation tracked
	schema   string
}

// unqualified follows the path: its first schema that has a relation of this
// name decides.
func (r *Rewriter) unqualified(name string) meaning {
	for _, schema := range r.catalog.SearchPath {
		known := r.relation(schema, name)
		if known != nil || slices.Contains(r.catalog.Homonyms, Name{schema, name}) {
			return meaning{known, schema}
		}
	}
	return meaning{}
}

// relation is what a name means, or nil when it is nothing that is tracked.
func (r *Rewriter) relation(schema, name string) tracked {
	if schema == "" {
		return r.bare[name].relation
	}
	for _, known := range r.tracked {
		if known.called() == (Name{schema, name}) {
			return known
		}
	}
	return nil
}

// table is the table in transition that a name means, or nil.
func (r *Rewriter) table(schema, name string) *table {
	t, _ := r.relation(schema, name).(*table)
	return t
}

// Concerned lists the transitions that a text can be about, in their order: those of
// the relations and functions whose names stand in it, also within a string.
func (r *Rewriter) Concerned(sql string) []int64 {
	var ids []int64
	tokens := scan(sql, nil)
	stands := func(name string) bool {
		for i, t := range tokens {
			if t.isIdent() && identEquals(sql, tokens, i, name) ||
				(t.kind == kindString || t.kind == kindBad) && mentions(sql[t.start:t.end], name) {
				return true
			}
		}
		return false
	}
	add := func(name string, moves []*move) {
		if stands(name) {
			for _, m := range moves {
				ids = append(ids, m.ID)
			}
		}
	}
	for _, known := range r.tracked {
		switch known := known.(type) {
		case *table:
			add(known.Name.Name, known.moves)
		case *view:
			add(known.Name.Name, known.moves)
		case *ancestor:
			add(known.Name.Name, known.of.moves)
		}
	}
	for _, f := range r.opaque {
		add(f.Name.Name, f.of.moves)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
