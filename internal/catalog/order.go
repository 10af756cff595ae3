package catalog

import (
	"slices"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// logical are the columns of a relation without targets, the sources where they
// stand, or stood before they were dropped, also when a target bears their name. root is the transition's table where
// r is a descendant of it, whose columns may stand in another order. sure is
// false when the order is not known any more.
func logical(r relation, root *relation, transitions []fence.Member) (columns []column, sure bool) {
	columns = slices.Clone(r.Columns)
	for _, t := range transitions {
		for _, target := range t.Definition.In(t.Phase).Targets {
			columns = without(columns, target.Name)
		}
	}
	var gone []column
	for _, t := range transitions {
		for _, source := range t.Definition.Sources {
			if t.Phase != phase.Named && isTarget(source.Name, transitions) {
				continue // of an earlier one, whose source stands for it
			}
			moving := column{Name: source.Name, Type: source.BaseType, Position: source.Position}
			if i := position(columns, source.Name); i >= 0 {
				columns[i].Type = moving.Type
			} else {
				gone = append(gone, moving)
			}
		}
	}
	sure = true
	if root != nil && len(gone) > 0 {
		gone, sure = place(gone, columns, r.Dropped, root)
	}
	columns = append(columns, gone...)
	slices.SortStableFunc(columns, func(a, b column) int { return a.Position - b.Position })
	return columns, sure
}

// place finds where columns stood in a descendant that are gone there: PostgreSQL
// keeps the places of dropped columns, not their names. left are the descendant's
// others. The positions in gone are those in the root.
func place(gone, left []column, dropped []int, root *relation) (placed []column, sure bool) {
	placed = slices.Clone(gone)
	switch {
	case len(dropped) == 0:
		// It was made after they were dropped: they never stood there.
		for i, c := range gone {
			placed[i].Position = 0
			for _, other := range root.Columns {
				if k := position(left, other.Name); k >= 0 && other.Position < c.Position {
					placed[i].Position = max(placed[i].Position, left[k].Position)
				}
			}
		}
		slices.SortStableFunc(placed, func(a, b column) int {
			return originally(gone, a.Name) - originally(gone, b.Name)
		})
		return placed, true
	case len(gone) == 1 && together(dropped, left):
		placed[0].Position = dropped[0]
		return placed, true
	}
	return placed, alike(left, dropped, root)
}

// together tells whether no column is left between the dropped ones.
func together(dropped []int, left []column) bool {
	return !slices.ContainsFunc(left, func(c column) bool {
		return c.Position > slices.Min(dropped) && c.Position < slices.Max(dropped)
	})
}

// alike tells whether a descendant has the root's columns in the root's places.
func alike(left []column, dropped []int, root *relation) bool {
	return slices.Equal(dropped, root.Dropped) && !slices.ContainsFunc(left, func(c column) bool {
		i := position(root.Columns, c.Name)
		return i >= 0 && root.Columns[i].Position != c.Position
	})
}

func originally(gone []column, name string) int { return gone[position(gone, name)].Position }

func position(columns []column, name string) int {
	return slices.IndexFunc(columns, func(c column) bool { return c.Name == name })
}

func without(columns []column, name string) []column {
	return slices.DeleteFunc(columns, func(c column) bool { return c.Name == name })
}

// ownDefaults are the sources for which a descendant has a default that the root
// does not have: PostgreSQL uses it where a statement names the descendant.
func ownDefaults(r relation, root *relation, transitions []fence.Member) []string {
	var own []string
	if root == nil {
		return nil
	}
	for _, t := range transitions {
		for _, source := range t.Definition.In(t.Phase).Sources {
			i, k := position(r.Columns, source.Name), position(root.Columns, source.Name)
			if i >= 0 && k >= 0 && r.Columns[i].Default != root.Columns[k].Default {
				own = append(own, source.Name)
			}
		}
	}
	return own
}

func isTarget(name string, transitions []fence.Member) bool {
	return slices.ContainsFunc(transitions, func(t fence.Member) bool {
		return slices.Contains(t.Definition.In(t.Phase).TargetNames(), name)
	})
}
