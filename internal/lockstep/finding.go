package lockstep

import (
	"fmt"
	"strings"
)

// Finding is a history that ended in a difference, made as short as it goes.
type Finding struct {
	Kind  string
	Seed  uint64
	Steps []Step
	Difference
	// Rewritten is what the statements of the last step were rewritten to; empty
	// where that is not known.
	Rewritten []string
	// Fleeting: it did not come again when the history was run again.
	Fleeting bool
}

func (f *Finding) explain() {
	for _, sql := range spellings(f.Steps[len(f.Steps)-1], Expanded) {
		f.Rewritten = append(f.Rewritten, f.Side.Explain(sql))
	}
}

// Signature is the same for findings that are probably the same.
func (f Finding) Signature() string {
	return string(f.Aspect) + " " + strings.Join(spellings(f.Steps[len(f.Steps)-1], Expanded), "; ")
}

// String says everything that is needed to see the finding again.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s differs: kind %q, phase %q, seed %d\n", f.Aspect, f.Kind, f.Side.Name, f.Seed)
	if f.Fleeting {
		b.WriteString("it did not come again: is the outcome of a statement open?\n")
	}
	for i, step := range f.Steps {
		fmt.Fprintf(&b, "%d. %s:\n", i+1, step.Manner)
		for _, n := range step.Statements {
			expanded, original := n.Spell(Expanded), n.Spell(Original)
			fmt.Fprintf(&b, "   %s%s\n", expanded.SQL, arguments(expanded.Args))
			if original.SQL != expanded.SQL {
				fmt.Fprintf(&b, "   on the original: %s\n", original.SQL)
			}
		}
	}
	for _, sql := range f.Rewritten {
		fmt.Fprintf(&b, "rewritten: %s\n", sql)
	}
	fmt.Fprintf(&b, "original:\n%s\nexpanded:\n%s\n", indent(f.Want), indent(f.Got))
	fmt.Fprintf(&b, "again: go test ./internal/lockstep -run 'TestKinds/%s/histories' -lockstep.seed=%d -lockstep.n=1 -lockstep.all\n",
		strings.ReplaceAll(f.Kind, " ", "_"), f.Seed)
	return b.String()
}

func arguments(args [][]byte) string {
	var list []string
	for i, a := range args {
		if a == nil {
			list = append(list, fmt.Sprintf("$%d = null", i+1))
			continue
		}
		list = append(list, fmt.Sprintf("$%d = %q", i+1, a))
	}
	if list == nil {
		return ""
	}
	return "  -- " + strings.Join(list, ", ")
}

func indent(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") }

func spellings(step Step, s Spelling) (list []string) {
	for _, n := range step.Statements {
		list = append(list, n.Spell(s).SQL)
	}
	return list
}
