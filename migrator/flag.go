package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ledger"
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
	// or complete. live:25 asks for live with 25 of 100 connections that read the
	// target.
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

// stage parses what a flag says: a phase, and with live a ramp.
func stage(value string) (p Phase, ramp *int, err error) {
	name, share, ramped := strings.Cut(value, ":")
	switch p := Phase(name); {
	case ramped && p == Live:
		percent, err := strconv.Atoi(share)
		if err != nil || strconv.Itoa(percent) != share || !rampInRange(percent) {
			return "", nil, fmt.Errorf("%q is no stage: how many of 100 connections read the target is 0 to 100, such as live:25", value)
		}
		return p, &percent, nil
	case ramped && slices.Contains(stages, p):
		return "", nil, fmt.Errorf("%q is no stage: only live takes a share, such as live:25", value)
	case slices.Contains(stages, p):
		return p, nil, nil
	}
	if p, err := ParsePhase(value); err == nil {
		return "", nil, fmt.Errorf("phase %s is never a request's business: to drop the source is an act of its own, contract", p)
	}
	return "", nil, fmt.Errorf("%q is no stage (stages: %v, and live with a share, such as live:25)", value, stages)
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
	holdRamp           = "ramp"
	holdContracted     = "contracted"
	holdDrain          = "drain"
	holdBusy           = "another-migrator"
	holdError          = "error"
)

// interpret tells which stage an answer asks for, or why it asks for none. When in
// doubt it asks for none: a value that is not known moves nothing.
func interpret(key string, a Answer, err error) (ledger.Request, hold) {
	none := ledger.Request{}
	switch {
	case errors.Is(err, ErrNoFlag):
		return none, hold{holdNoFlag, fmt.Sprintf("there is no flag %s", key)}
	case err != nil:
		return none, hold{holdProvider, fmt.Sprintf("flag %s is not known: %s", key, err)}
	case a.Stale:
		return none, hold{holdStale, fmt.Sprintf("flag %s may be out of date, says its provider", key)}
	case a.Value == "":
		return none, hold{holdNoValue, fmt.Sprintf("flag %s has no value (reason %s)", key, a.Reason)}
	}
	p, ramp, err := stage(a.Value)
	if err != nil {
		return none, hold{holdUnknownVariant, fmt.Sprintf("flag %s: %s", key, err)}
	}
	return ledger.Request{Phase: p, Ramp: ramp, Flag: key, Variant: a.Variant, Reason: a.Reason, Provider: a.Provider}, hold{}
}
