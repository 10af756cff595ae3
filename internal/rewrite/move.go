package rewrite

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// move is a transition with what its phase means spelled out.
type move struct {
	Transition
	behaviour phase.Behaviour
	// sources and targets are its columns.
	sources, targets []*moving
}

// moving is a column on one side of a move.
type moving struct {
	transform.Column
	move   *move
	target bool
	// value gives the column from those of the other side, cast to its type.
	value template
	// fills: value may be something where the other side is NULL.
	fills bool
	// stored is value for an assignment to the column, where its collation is of no
	// interest: in ON CONFLICT and MERGE, those of several columns would be at odds.
	stored template
	// absent is the value in a row that an INSERT gives none: the source's
	// default, or what becomes of the sources' defaults.
	absent template
	// absentRepeats: it may be written twice.
	absentRepeats bool
}

func newMove(tr Transition, r *Rewriter) (*move, error) {
	if _, err := phase.Parse(string(tr.Phase)); err != nil {
		return nil, err
	}
	switch {
	case tr.Table.Schema == "" || tr.Table.Name == "":
		return nil, errors.New("the table has no name")
	case len(tr.Sources) == 0 || len(tr.Targets) == 0:
		return nil, errors.New("it has no source or no target")
	case len(tr.Sources) > 1 && len(tr.Targets) > 1:
		return nil, errors.New("it leads from several columns to several")
	case tr.Token == "":
		return nil, errors.New("the token has no name")
	}
	m := &move{Transition: tr, behaviour: tr.Phase.Behaviour()}
	var err error
	if m.behaviour.Named {
		if m.Transition, err = tr.named(r); err != nil {
			return nil, err
		}
		tr = m.Transition
	}
	if m.sources, err = m.side(tr.Sources, tr.Targets, false, r); err != nil {
		return nil, err
	}
	if m.targets, err = m.side(tr.Targets, tr.Sources, true, r); err != nil {
		return nil, err
	}
	for _, c := range m.sources {
		c.absent, c.absentRepeats = constant(null), true
		if c.Default == "" {
			continue
		}
		c.absent = constant(c.Default)
		if c.absentRepeats, err = r.repeats(c.Default); err != nil {
			return nil, fmt.Errorf("default of %q: %w", c.Name, err)
		}
	}
	for _, c := range m.targets {
		c.absentRepeats = true
		for _, s := range m.sources {
			c.absentRepeats = c.absentRepeats && s.absentRepeats
		}
		c.absent = c.value.over(func(name string) template {
			s := m.sources[slices.IndexFunc(m.sources, func(s *moving) bool { return s.Name == name })]
			if m.Identity() {
				return s.absent
			}
			return s.held(s.absent)
		})
		if m.Identity() || m.outgrows() {
			c.absent = m.sources[0].absent
		}
	}
	return m, nil
}

// outgrows tells whether what the source's default gives may be too great for the
// source by now: a number of a sequence.
func (m *move) outgrows() bool {
	return !m.behaviour.WriteSource && m.preserves(transform.PreserveComparison) &&
		slices.Contains([]string{"smallint", "integer", "bigint"}, m.targets[0].BaseType)
}

// side compiles the columns of one side.
func (m *move) side(columns, others []transform.Column, target bool, r *Rewriter) ([]*moving, error) {
	side := make([]*moving, len(columns))
	for i, c := range columns {
		switch {
		case c.Name == "":
			return nil, errors.New("a column has no name")
		case slices.Contains(transform.Names(others), c.Name):
			return nil, fmt.Errorf("source and target are both %q", c.Name)
		case c.Value == "" && len(others) != 1:
			return nil, fmt.Errorf("column %q has no expression", c.Name)
		}
		side[i] = &moving{Column: c, move: m, target: target}
		if c.Value == "" {
			side[i].value = column(others[0].Name)
			side[i].stored = side[i].value
			continue
		}
		value, expr, err := parseTemplate(c.Value, others, r.parser)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		side[i].fills = !strict(expr) || slices.ContainsFunc(others, func(c transform.Column) bool {
			return strings.HasSuffix(c.BaseType, "[]") // which || joins with nothing
		})
		if carries(expr, others, c.Collation) {
			c.Collation = ""
		}
		side[i].value = value.cast(c)
		c.Collation = ""
		side[i].stored = value.cast(c)
	}
	return side, nil
}

// serves tells whether the column is on the side that serves reads.
func (c *moving) serves() bool { return c.target == (c.move.behaviour.Read == phase.Target) }

// written tells whether the phase writes the column's side.
func (c *moving) written() bool {
	if c.target {
		return c.move.behaviour.WriteTarget
	}
	return c.move.behaviour.WriteSource
}

// others are the columns of the other side.
func (c *moving) others() []*moving {
	if c.target {
		return c.move.sources
	}
	return c.move.targets
}

// keyed tells whether a source is in the table's primary key.
func (m *move) keyed() bool {
	return slices.ContainsFunc(m.sources, func(c *moving) bool { return slices.Contains(m.Key, c.Name) })
}

// explicit tells whether DEFAULT must be written out: PostgreSQL's own is that of
// the source, as long as it has one.
func (c *moving) explicit() bool {
	text, _ := c.absent.text()
	return text != null && (c.target || c.move.behaviour.WriteTarget)
}

// defaulted tells whether the phase needs written out what an INSERT leaves
// out: not while PostgreSQL still fills the sources by itself and nothing else is
// written, nor where all would be NULL anyway.
func (m *move) defaulted() bool {
	return m.behaviour.WriteTarget && (!m.Identity() || m.sources[0].Default != "")
}

// comparison tells whether a comparison of the source can be made one of the
// target, and how.
func (m *move) preserves(p transform.Preserve) bool {
	order := []transform.Preserve{transform.PreserveEquality, transform.PreserveOrder, transform.PreserveComparison}
	if m.Identity() || len(m.sources) != 1 || len(m.targets) != 1 {
		return false
	}
	// The order of another collation is another one.
	if p != transform.PreserveEquality && m.sources[0].Collation != m.targets[0].Collation {
		return false
	}
	return slices.Index(order, m.Preserves) >= slices.Index(order, p)
}
