package lockstep

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Generator makes random statements over a kind's schema. The same seed gives
// the same statements.
type Generator struct {
	rand   *rand.Rand
	tables []Table
	// fresh numbers aliases.
	fresh int
	// params are the parameters of the statement, by what they are good for;
	// nil while none may be used.
	params map[string]*Param
	// counted: the row being made has a value that counts calls.
	counted bool
	// nested is how deep the query being made stands in others.
	nested int
}

// NewGenerator makes a generator.
func NewGenerator(k Kind, seed uint64) *Generator {
	return &Generator{rand: rand.New(rand.NewPCG(seed, 0)), tables: k.Tables()}
}

// Step makes a step: one statement, or a few that are sent together.
func (g *Generator) Step() Step {
	manner := pick(g, Alone, Alone, Alone, Transaction, Prepared, Simple, Batch)
	n := 1
	if manner != Alone && manner != Prepared {
		n = 1 + g.rand.IntN(3)
	}
	step := Step{Manner: manner}
	for range n {
		step.Statements = append(step.Statements, g.Statement(manner != Simple))
	}
	return step
}

// Statement makes a statement, with parameters perhaps.
func (g *Generator) Statement(params bool) *Node {
	g.fresh, g.params, g.counted, g.nested = 0, nil, false, 0
	if params && g.chance(60) {
		g.params = map[string]*Param{}
	}
	switch n := g.rand.IntN(100); {
	case n < 45:
		return g.topSelect()
	case n < 65:
		return g.insert(nil, true)
	case n < 82:
		return g.update(nil, true)
	case n < 89:
		return g.delete(nil, true)
	case n < 94:
		return g.merge()
	default:
		return g.modifyingCTE()
	}
}

// chance is true in some of a hundred cases.
func (g *Generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

func pick[T any](g *Generator, list ...T) T { return list[g.rand.IntN(len(list))] }

func (g *Generator) alias(prefix string) string {
	g.fresh++
	return fmt.Sprintf("%s%d", prefix, g.fresh)
}

// keyword writes a key word in one case or another.
func (g *Generator) keyword(words string) string {
	if g.chance(20) {
		return strings.ToUpper(words)
	}
	return words
}

// table picks a table; mostly one with a column that moves.
func (g *Generator) table() Table {
	if g.chance(65) {
		return g.moving()
	}
	return pick(g, g.tables...)
}

// moving picks a table with a column that moves.
func (g *Generator) moving() Table {
	var list []Table
	for _, t := range g.tables {
		if len(t.Targets()) > 0 {
			list = append(list, t)
		}
	}
	return pick(g, list...)
}

// relation is a member of a scope: something that has columns.
type relation struct {
	// alias is how columns are qualified.
	alias   string
	columns []Column
	// key is a column that tells rows apart; empty when there is none.
	key string
	// table: it is a table itself, not what a query made of one.
	table bool
}

// scope is what expressions can name.
type scope struct {
	relations []relation
	// merged are the columns that USING made one of two.
	merged map[string]bool
	outer  *scope
	// ctes are the WITH queries in force.
	ctes []relation
}

// within is the scope of a subquery.
func (s *scope) within() *scope { return &scope{outer: s, ctes: s.ctes} }

func (s *scope) cte(name string) *relation {
	for i := range slices.Backward(s.ctes) {
		if s.ctes[i].alias == name {
			return &s.ctes[i]
		}
	}
	return nil
}

// reference is a column together with where it comes from.
type reference struct {
	relation *relation
	column   Column
	// far: it is one of an outer query.
	far bool
	// bare: the name alone will do.
	bare bool
}

// references are the columns in scope that f accepts.
func (s *scope) references(f func(Column) bool) (list []reference) {
	for at, far := s, false; at != nil; at, far = at.outer, true {
		for i := range at.relations {
			r := &at.relations[i]
			if s.hides(at, r.alias) {
				continue
			}
			for _, c := range r.columns {
				if f(c) {
					list = append(list, reference{r, c, far, at.unique(c.Name) && s.first(c.Name) == at})
				}
			}
		}
	}
	return list
}

// hides tells whether a relation further inside has taken the alias.
func (s *scope) hides(outer *scope, alias string) bool {
	for at := s; at != outer; at = at.outer {
		if slices.ContainsFunc(at.relations, func(r relation) bool { return r.alias == alias }) {
			return true
		}
	}
	return false
}

// first is the innermost scope that has a column of that name.
func (s *scope) first(name string) *scope {
	for at := s; at != nil; at = at.outer {
		if at.count(name) > 0 {
			return at
		}
	}
	return nil
}

func (s *scope) count(name string) (n int) {
	for _, r := range s.relations {
		for _, c := range r.columns {
			if c.Name == name {
				n++
			}
		}
	}
	return n
}

func (s *scope) unique(name string) bool { return s.merged[name] || s.count(name) == 1 }

// columnsOf are a table's columns, those with a target's name among them.
func columnsOf(t Table) []Column { return append(slices.Clone(t.Columns), t.Targets()...) }

// visible are the columns that a star shows.
func visible(columns []Column) []Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c Column) bool { return c.Hidden != nil })
}
