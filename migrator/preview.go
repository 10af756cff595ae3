package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Definition is what a transition does, as the ledger keeps it: the columns on both
// sides with their expressions, key, indexes and what else goes along. It is for
// printing and for package explain of this module; its fields may change.
type Definition = ledger.Definition

// Preview is a transition as Start would register it now.
type Preview struct {
	// Schema and Table are where the table of the transition file was found.
	Schema, Table string
	// Definition is incomplete when a finding refuses.
	Definition Definition
	Findings   []Finding
}

// Preview reads what a transition would do. It needs no ledger and changes
// nothing. What stands in the way is in the findings, not an error.
func (m *Migrator) Preview(ctx context.Context, t Transition) (Preview, error) {
	var p Preview
	if err := t.Validate(); err != nil {
		return p, err
	}
	err := m.look(ctx, func(s *session) error {
		would, _, findings, err := s.check(ctx, t)
		p = Preview{Schema: would.Schema, Table: would.Table, Definition: would.Definition, Findings: findings}
		return err
	})
	return p, err
}
