package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkActive looks into the ledger: one transition at a time has a table, and
// a name.
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
	for _, t := range active {
		if t.Name == in.Name || t.Schema == in.Schema && t.Table == in.Table {
			in.refuse("transition-active", fmt.Sprintf("transition %q", t.Name),
				fmt.Sprintf("it is active on %s.%s, in phase %s", t.Schema, t.Table, t.Phase),
				"bring it to its end or roll it back, and remove it, before another one begins (`crossfade status`)")
		}
	}
	return nil
}
