package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkActive looks into the ledger: one transition at a time has a name, and
// each column.
func checkActive(ctx context.Context, in *inspection) error {
	version, err := ledger.Version(ctx, in.tx)
	if err != nil {
		return err
	}
	if version == 0 {
		in.info("no-ledger", "schema "+ledger.Schema, "this database has no ledger yet", "run `crossfade init`")
		return nil
	}
	if version > ledger.LatestVersion() {
		in.refuse("newer-ledger", "schema "+ledger.Schema, fmt.Sprintf("the ledger is at version %d, this program knows %d",
			version, ledger.LatestVersion()), "upgrade crossfade")
		return nil
	}
	active, err := ledger.List(ctx, in.tx)
	if err != nil {
		return err
	}
	wanted := ledger.Transition{Name: in.Name, Schema: in.Schema, Table: in.Table, Definition: ledger.Definition{Move: in.Move}}
	if in.Alteration != nil {
		wanted.Definition.Alteration = in.alteration()
	}
	for _, t := range active {
		if !t.Settled() {
			in.active = append(in.active, t)
		}
		overlap := ledger.Overlap(wanted, t)
		switch object := fmt.Sprintf("transition %q", t.Name); {
		case t.Name == in.Name:
			in.refuse("transition-active", object, fmt.Sprintf("it is active on %s.%s, in phase %s", t.Schema, t.Table, t.Phase),
				"bring it to its end or roll it back, and remove it, or choose another name (`crossfade status`)")
		case overlap != nil:
			in.refuse("transition-active", object, overlap.Error(),
				"contract it, if this one is to follow it; otherwise roll it back or bring it to its end, and remove it (`crossfade status`)")
		case t.Schema == in.Schema && t.Table == in.Table && !t.Settled():
			in.others = append(in.others, t)
		}
	}
	return nil
}
