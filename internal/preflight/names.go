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
	for _, n := range []struct{ what, name string }{
		{"schema", in.Schema}, {"table", in.Table}, {"source column", in.Source}, {"target column", in.Target},
	} {
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
	if in.Source == in.Target {
		in.refuse("name-invalid", "target column "+in.Target, "source and target are the same column", "name the new column")
	}
	if slices.Contains(systemColumns, in.Target) {
		in.refuse("name-invalid", "target column "+in.Target, "every table has a system column of that name", "choose another name")
	}
	in.over = len(in.report.Findings) > 0
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }
