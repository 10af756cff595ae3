package main

import (
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
)

// explainGate is the verdict on statements: refused ones always count, plans
// only for a gate.
func explainGate(explained []explain.Explanation, gate bool, skip string) error {
	var refused, worse, unknown int
	for _, e := range explained {
		if e.Refused() {
			refused++
		}
		switch {
		case e.Plan == nil || !gate:
		case e.Plan.Skipped != "":
			unknown++
		case queryplan.Worst(e.Plan.Findings) == queryplan.Error:
			worse++
		}
	}
	var verdicts []string
	hint := ""
	for _, v := range []struct {
		count int
		says  string
	}{
		{refused, "would be refused"}, {worse, "would get a worse plan"}, {unknown, "could not be compared by plan"},
	} {
		if v.count > 0 {
			verdicts = append(verdicts, fmt.Sprintf("%d of %s %s", v.count, console.Plural(len(explained), "statement"), v.says))
		}
	}
	if len(verdicts) == 0 {
		return nil
	}
	if unknown > 0 {
		hint = skip
	}
	return &refusal{strings.Join(verdicts, "; "), hint}
}

// countPlans is how many statements have a plan to compare.
func countPlans(explained []explain.Explanation) int {
	n := 0
	for _, e := range explained {
		if e.Plan != nil {
			n++
		}
	}
	return n
}
