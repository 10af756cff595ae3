package preflight

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkLoss states the price of each loss that was declared.
func checkLoss(_ context.Context, in *inspection) error {
	m := in.report.Definition.Move
	if m.Loses(transform.Forward) {
		in.warn("lossy-forward", in.tableName(), "forward is declared lossy: from live on reads under the names "+list(m.SourceNames())+
			" give what backward makes of "+list(m.TargetNames())+", and after contract the rest is gone",
			"a rollback keeps the sources of the rows that are not written in complete; of the others it can only restore what backward gives")
	}
	if m.Loses(transform.Backward) {
		in.warn("lossy-backward", in.tableName(), "backward is declared lossy: what is written under the names "+list(m.TargetNames())+
			" reads otherwise under "+list(m.SourceNames())+", and before live, when reads go to the sources, under the targets' names too",
			"a rollback keeps of it only what backward gives")
	}
	return nil
}
