package preflight

import (
	"context"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkNotNull settles which targets become NOT NULL: what was asked for, or
// what the sources are. The target of a rename has it from its source, those of
// a split bring it along.
func checkNotNull(_ context.Context, in *inspection) error {
	m := &in.report.Definition.Move
	switch m.Kind {
	case transform.Change, transform.Merge:
		m.Targets[0].NotNull = !slices.ContainsFunc(m.Sources, func(c transform.Column) bool { return !c.NotNull })
		if in.NotNull != nil {
			m.Targets[0].NotNull = *in.NotNull
		}
	case transform.Split:
		for i := range m.Targets {
			m.Targets[i].NotNull = in.Move.Targets[i].NotNull
		}
	}
	return nil
}
