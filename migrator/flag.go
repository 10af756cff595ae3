package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Source says what the feature flags say. Follow declares what it needs of it; the
// files beside this one have a file and the environment as sources, and package
// migrator/openfeature any provider of OpenFeature.
type Source interface {
	// Variant evaluates a flag. ErrNoFlag says that it does not exist; any other
	// error, that nothing is known of it. It returns when ctx ends.
	Variant(ctx context.Context, key string) (Answer, error)
	// Changed receives when flags may have changed, so that nobody has to wait for
	// the next look. Nil where the source cannot tell.
	Changed() <-chan struct{}
}

// Answer is what a flag says.
type Answer struct {
	// Value is the stage that is asked for: off, dualwrite, shadow, live, rampdown
	// or complete.
	Value string
	// Variant is what the flag system calls this value; empty: the same.
	Variant string
	// Reason is why it says so, in the words of the flag system.
	Reason string
	// Provider is who says it.
	Provider string
	// Stale: the source knows that this may be out of date.
	Stale bool
}

// ErrNoFlag: a source has no flag of that key.
var ErrNoFlag = errors.New("there is no such flag")

// FlagKey is the flag of a transition: crossfade.NAME.
func FlagKey(name string) string { return "crossfade." + name }

// stages are what a flag may say: the six stages that migration flags have. Flags
// of two or four stages say some of them; the phases between are gone through all
// the same.
var stages = []Phase{Off, DualWrite, Shadow, Live, RampDown, Complete}

func stage(value string) (Phase, error) {
	if p := Phase(value); slices.Contains(stages, p) {
		return p, nil
	}
	if p, err := ParsePhase(value); err == nil {
		return "", fmt.Errorf("phase %s is never a request's business: to drop the source is an act of its own, contract", p)
	}
	return "", fmt.Errorf("%q is no stage (stages: %v)", value, stages)
}

// hold is what a request waits for. Nothing moves meanwhile.
type hold struct{ by, why string }

// What a request may wait for, besides gates, which give their own name.
const (
	holdNoFlag         = "no-flag"
	holdNoValue        = "no-value"
	holdProvider       = "provider"
	holdStale          = "stale"
	holdUnknownVariant = "unknown-variant"
	holdSettling       = "settling"
	holdByHand         = "by-hand"
	holdContracted     = "contracted"
	holdDrain          = "drain"
	holdBusy           = "another-migrator"
	holdError          = "error"
)

// interpret tells which stage an answer asks for, or why it asks for none. When in
// doubt it asks for none: a value that is not known moves nothing.
func interpret(key string, a Answer, err error) (Phase, hold) {
	switch {
	case errors.Is(err, ErrNoFlag):
		return "", hold{holdNoFlag, fmt.Sprintf("there is no flag %s", key)}
	case err != nil:
		return "", hold{holdProvider, fmt.Sprintf("flag %s is not known: %s", key, err)}
	case a.Stale:
		return "", hold{holdStale, fmt.Sprintf("flag %s may be out of date, says its provider", key)}
	case a.Value == "":
		return "", hold{holdNoValue, fmt.Sprintf("flag %s has no value (reason %s)", key, a.Reason)}
	}
	p, err := stage(a.Value)
	if err != nil {
		return "", hold{holdUnknownVariant, fmt.Sprintf("flag %s: %s", key, err)}
	}
	return p, hold{}
}
