package preflight

import (
	"context"
	"fmt"
)

// checkKeepName says what it means for applications that the target takes the
// source's name.
func checkKeepName(_ context.Context, in *inspection) error {
	m := in.report.Definition.Move
	if !m.KeepName {
		return nil
	}
	source, target := m.Sources[0], m.Targets[0]
	in.warn("name-passes-on", in.columnName(source.Name), fmt.Sprintf(
		"at contract the name passes on to %q: from then on the application reads and writes %s under it, where it had %s until then",
		target.Name, target.Type, source.Type),
		fmt.Sprintf("make the application ready for both before contract; the name %q works too, until the transition is removed", target.Name))
	return nil
}
