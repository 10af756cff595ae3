package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/synctrigger"
)

// trigger is a trigger on the table, or on one of its partitions alone, that
// somebody has made.
type trigger struct {
	Name     string
	Table    string
	Function string
	Text     string
	OnUpdate bool // it fires for an UPDATE of the target
}

// checkTriggers: a trigger runs below the hook, in every phase, and for every
// row that the backfill touches. Its column list and condition are the business
// of checkDependents, those of other transitions are none of its business.
func checkTriggers(ctx context.Context, in *inspection) error {
	triggers, err := query[trigger](ctx, in, `
		select quote_ident(t.tgname), t.tgrelid::regclass::text, p.oid::regprocedure::text, p.prosrc,
			t.tgtype & 16 <> 0 and t.tgenabled <> 'D' and t.tgattr = ''
		from pg_trigger t join pg_proc p on p.oid = t.tgfoid
		where t.tgrelid = any($1) and not t.tgisinternal and t.tgparentid = 0 and t.tgname !~ $2
		order by 1, 2`, in.tree(), synctrigger.Names)
	if err != nil {
		return fmt.Errorf("read triggers: %w", err)
	}
	for _, t := range triggers {
		object := "trigger " + t.Name + " on table " + t.Table
		if in.namesSource(t.Text) {
			in.refuse("trigger-names-column", object, "the text of its function "+t.Function+" names the source",
				"make it treat both columns alike; if it does not touch the source, accept trigger-names-column")
		}
		if t.OnUpdate {
			in.warn("trigger-on-update", object, "it fires for every row that the backfill touches: an updated_at would change",
				"give it a column list (before update of ...), or a WHEN that leaves out changes of the target alone")
		}
	}
	return nil
}
