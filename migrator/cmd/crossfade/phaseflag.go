package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

// phaseFlag is a flag whose value is a phase.
type phaseFlag struct {
	value   *migrator.Phase
	allowed []migrator.Phase
}

func (f *phaseFlag) String() string {
	if f.value == nil {
		return ""
	}
	return string(*f.value)
}

func (f *phaseFlag) Type() string { return "phase" }

func (f *phaseFlag) Set(text string) error {
	for _, p := range f.allowed {
		if string(p) == text {
			*f.value = p
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(phaseNames(f.allowed), ", "))
}

// addPhase adds a flag for one of the allowed phases.
func addPhase(cmd *cobra.Command, value *migrator.Phase, name, usage string, allowed ...migrator.Phase) {
	cmd.Flags().Var(&phaseFlag{value, allowed}, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(phaseNames(allowed), cobra.ShellCompDirectiveNoFileComp))
}

func phaseNames(phases []migrator.Phase) []string {
	names := make([]string, len(phases))
	for i, p := range phases {
		names[i] = string(p)
	}
	return names
}
