package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxName is NAMEDATALEN-1: PostgreSQL cuts a longer name off.
const maxName = 63

var systemColumns = []string{"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"}

func checkNames(_ context.Context, in *inspection) error {
	type named struct{ what, name string }
	names := []named{{"schema", in.Schema}, {"table", in.Table}}
	for _, c := range in.Move.Sources {
		names = append(names, named{"source column", c.Name})
	}
	for _, c := range in.Move.Targets {
		names = append(names, named{"target column", c.Name})
	}
	seen := map[string]bool{}
	for i, n := range names {
		if i >= 2 && n.name != "" && seen[n.name] {
			in.refuse("name-invalid", n.what+" "+n.name, "two of the columns of the transition are the same column", "name each of them once")
		}
		seen[n.name] = i >= 2
		switch {
		case n.name == "":
			in.refuse("name-invalid", n.what, "it has no name", "name it")
		case len(n.name) > maxName:
			in.refuse("name-invalid", n.what+" "+n.name, fmt.Sprintf("the name has %d bytes, PostgreSQL allows %d", len(n.name), maxName),
				"choose a shorter name")
		case strings.ContainsRune(n.name, 0):
			in.refuse("name-invalid", n.what, "the name contains a zero byte", "name it")
		}
	}
	if in.Name == "" || len(in.Name) > maxName || strings.ContainsFunc(in.Name, unprintable) {
		in.refuse("name-invalid", fmt.Sprintf("transition %q", in.Name),
			fmt.Sprintf("a transition's name has 1 to %d bytes and no spaces", maxName), "choose another name")
	}
	if len(in.Move.Sources) == 0 || len(in.Move.Targets) == 0 {
		in.refuse("name-invalid", "transition "+in.Name, "it has no source or no target", "name the columns")
	}
	for _, target := range in.Move.TargetNames() {
		if slices.Contains(systemColumns, target) {
			in.refuse("name-invalid", "target column "+target, "every table has a system column of that name", "choose another name")
		}
	}
	in.over = len(in.report.Findings) > 0
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }
