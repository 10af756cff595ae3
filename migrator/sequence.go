package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// An identity gives its numbers to one column and takes its sequence along when
// it goes. So it is an ordinary sequence for the time of the transition, with a
// DEFAULT on the source: the hook draws a number once and writes it to both.

func sequenceName(s ledger.Sequence) ddl.Name { return ddl.Name{Schema: s.Schema, Table: s.Name} }

// eachSequence calls fn for each sequence of the transition that exists.
func (w *work) eachSequence(ctx context.Context, fn func(ledger.Sequence, ddl.Sequence) error) error {
	for _, s := range w.t.Definition.Sequences {
		is, err := ddl.ReadSequence(ctx, w.conn, w.table(), sequenceName(s))
		if err == nil && is.Exists {
			err = fn(s, is)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropIdentities makes sequences of the sources' identities.
func (w *work) dropIdentities(ctx context.Context) error {
	return w.eachSequence(ctx, func(s ledger.Sequence, is ddl.Sequence) error {
		if s.Identity == "" || !is.Identity {
			return nil
		}
		return w.run(ctx, ddl.DropIdentity(w.table(), sequenceName(s), s.Source))
	})
}

// restoreIdentities makes identities of them again.
func (w *work) restoreIdentities(ctx context.Context) error {
	return w.eachSequence(ctx, func(s ledger.Sequence, is ddl.Sequence) error {
		if s.Identity == "" || is.Identity {
			return nil
		}
		return w.run(ctx, ddl.AddIdentity(w.table(), sequenceName(s), s.Source, s.Identity))
	})
}

// targetIdentities makes identities of the targets. The hook writes their values
// as long as the transition is there, so none of them is ALWAYS yet.
func (w *work) targetIdentities(ctx context.Context) error {
	return w.eachSequence(ctx, func(s ledger.Sequence, is ddl.Sequence) error {
		if s.Identity == "" || is.Identity {
			return nil
		}
		return w.run(ctx, ddl.AddIdentity(w.table(), sequenceName(s), s.Target, identityByDefault))
	})
}

// The kinds of identity.
const (
	identityAlways    = "always"
	identityByDefault = "by default"
)

// alwaysIdentities makes those identities ALWAYS that were, when nobody writes
// their values any more.
func (w *work) alwaysIdentities(ctx context.Context) error {
	return w.eachSequence(ctx, func(s ledger.Sequence, is ddl.Sequence) error {
		if s.Identity != identityAlways || !is.Identity || w.t.Phase == Off {
			return nil
		}
		return w.run(ctx, ddl.SetGeneratedAlways(w.table(), is.Owner)) // under the name that it has by now
	})
}

// typeSequences lets the sequences count as far as the targets reach, or only as
// far as the sources do.
func (w *work) typeSequences(ctx context.Context, on side) error {
	return w.eachSequence(ctx, func(s ledger.Sequence, is ddl.Sequence) error {
		typ := s.Type
		if on == targetSide {
			typ = s.TargetType
		}
		if s.Type == s.TargetType || is.Type == typ {
			return nil
		}
		return w.run(ctx, ddl.SetSequenceType(w.table(), sequenceName(s), typ))
	})
}

// ownSequences gives the sequences that are dropped with a column to that of one
// side.
func (w *work) ownSequences(ctx context.Context, on side) error {
	return w.eachSequence(ctx, func(s ledger.Sequence, is ddl.Sequence) error {
		column := s.Source
		if on == targetSide {
			column = s.Target
		}
		if !s.Owned || is.Owner == column {
			return nil
		}
		return w.run(ctx, ddl.OwnSequence(w.table(), sequenceName(s), column))
	})
}

// sequenceStatements are those of each sequence for which one is given.
func sequenceStatements(t ledger.Transition, which func(ledger.Sequence) bool, statement func(ledger.Sequence, ddl.Name) ddl.Statement) []ddl.Statement {
	var list []ddl.Statement
	for _, s := range t.Definition.Sequences {
		if which(s) {
			list = append(list, statement(s, sequenceName(s)))
		}
	}
	return list
}

func isIdentity(s ledger.Sequence) bool { return s.Identity != "" }
func isOwned(s ledger.Sequence) bool    { return s.Owned }
func isRetyped(s ledger.Sequence) bool  { return s.Type != s.TargetType }
