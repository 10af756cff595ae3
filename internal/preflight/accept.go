package preflight

import (
	"context"
	"slices"
)

// acceptable are the codes that refuse unless the operator answers for them.
// Nothing is among them that would lose data or break the rewriter's rule.
var acceptable = []string{}

// Acceptable tells whether a Request may accept findings of that code.
func Acceptable(code string) bool { return slices.Contains(acceptable, code) }

func checkAccept(_ context.Context, in *inspection) error {
	for _, code := range in.Accept {
		if !Acceptable(code) {
			in.add(Refuse, "accept-unknown", code, "no finding of this code can be accepted", "")
		}
	}
	return nil
}
