package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// freeSources makes the sources columns that nobody needs to write.
//
// Their unique indexes go, those of the targets do their work: over values that
// nobody keeps up to date they would refuse good rows, in complete (unique
// (email) where deleted_at is null) as well as when it is filled again.
func (w *work) freeSources(ctx context.Context) error {
	if triggered(*w.t) && !synced(*w.t) {
		if err := w.ensureTrigger(ctx, true); err != nil {
			return err
		}
	}
	if err := w.moveKey(ctx); err != nil {
		return err
	}
	for _, index := range uniques(*w.t) {
		if err := w.dropIndex(ctx, index); err != nil {
			return err
		}
	}
	if err := w.ensureNullable(ctx, w.t.Definition.Sources); err != nil {
		return err
	}
	for _, source := range w.t.Definition.SourceNames() {
		if err := w.ensureDefault(ctx, source, ""); err != nil {
			return err
		}
	}
	if err := w.dropEqual(ctx); err != nil {
		return err
	}
	return w.typeSequences(ctx, targetSide)
}

// bindSources fills the sources again and gives them back what freeSources took.
// Where a trigger has kept them right all the time there is nothing to fill.
// Otherwise the trigger comes last: it would take a refill for a write of the
// sources.
func (w *work) bindSources(ctx context.Context) error {
	kept, err := w.sourcesKept(ctx)
	if err != nil {
		return err
	}
	if !kept {
		if err := w.fillSources(ctx); err != nil {
			return err
		}
	}
	if err := w.ensureEqual(ctx); err != nil {
		return err
	}
	for _, index := range uniques(*w.t) {
		if err := w.ensureIndex(ctx, index); err != nil {
			return err
		}
	}
	for _, source := range w.t.Definition.Sources {
		if err := w.ensureDefault(ctx, source.Name, source.Default); err != nil {
			return err
		}
	}
	if err := w.ensureNotNull(ctx, w.t.Definition.Sources); err != nil {
		return err
	}
	if err := w.returnKey(ctx); err != nil {
		return err
	}
	if err := w.typeSequences(ctx, sourceSide); err != nil || !triggered(*w.t) {
		return err
	}
	return w.ensureTrigger(ctx, false)
}

// sourcesKept: the trigger is there, and the CHECK has held every row to it.
func (w *work) sourcesKept(ctx context.Context) (bool, error) {
	if !synced(*w.t) {
		return false, nil
	}
	for _, holds := range []func(context.Context, *work) error{triggerIsThere, equalityIsEnforced} {
		var closed *GateError
		if err := holds(ctx, w); errors.As(err, &closed) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

func (w *work) fillSources(ctx context.Context) error {
	if synced(*w.t) {
		if err := w.removeTrigger(ctx); err != nil {
			return err
		}
	}
	if err := w.refill(ctx); err != nil {
		return err
	}
	return w.forbid(ctx, ledger.Refill)
}

func freeStatements(t ledger.Transition) (free []ddl.Statement) {
	if triggered(t) && !synced(t) {
		free = append(free, ddl.CreateTriggerFunction(tableOf(t), triggerOf(t, true).Function()))
	}
	moveKey, _ := keyStatements(t)
	free = append(free, moveKey...)
	for _, index := range uniques(t) {
		_, drop := indexStatements(t, index)
		free = append(free, drop)
	}
	for _, source := range t.Definition.Sources {
		if source.NotNull {
			free = append(free, ddl.DropNotNull(tableOf(t), source.Name))
		}
		if source.Default != "" {
			free = append(free, ddl.DropDefault(tableOf(t), source.Name))
		}
	}
	free = append(free, ddl.DropConstraint(tableOf(t), equalCheck(t)))
	return append(free, sequenceStatements(t, isRetyped, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
		return ddl.SetSequenceType(tableOf(t), name, s.TargetType)
	})...)
}

func bindStatements(t ledger.Transition) (bind []ddl.Statement) {
	bind = append(bind, batchStatement(t, ledger.Refill))
	bind = append(bind, equalStatements(t)...)
	for _, index := range uniques(t) {
		create, _ := indexStatements(t, index)
		bind = append(bind, create...)
	}
	for _, source := range t.Definition.Sources {
		if source.Default != "" {
			bind = append(bind, ddl.SetDefault(tableOf(t), source.Name, source.Default))
		}
	}
	for _, source := range t.Definition.Sources {
		if source.NotNull {
			bind = append(bind, notNullStatements(t, source.Name)...)
		}
	}
	_, returnKey := keyStatements(t)
	bind = append(bind, returnKey...)
	bind = append(bind, sequenceStatements(t, isRetyped, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
		return ddl.SetSequenceType(tableOf(t), name, s.Type)
	})...)
	if triggered(t) {
		bind = append(bind, ddl.CreateTriggerFunction(tableOf(t), triggerOf(t, false).Function()))
	}
	return bind
}
