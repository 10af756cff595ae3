// Package openfeature lets the flags of any OpenFeature provider request the phases
// of transitions: its Source is what migrator.Follow follows.
//
// A transition has one string flag, crossfade.NAME, whose value is a stage: off,
// dualwrite, shadow, live, rampdown or complete; live:25 is live with 25 of 100
// connections that read the target. The flag only requests. Nothing
// moves when the flag does not exist, when its value is unknown, or when the provider
// is not ready, stale, or in error. The default of an evaluation is no stage, so it
// can never move a phase either.
//
// It is a module of its own, so that who does not use it does not load OpenFeature.
package openfeature

import (
	"context"
	"errors"
	"fmt"
	"sync"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/pgcrossfade/crossfade/migrator"
)

// TargetingKey is the targeting key of evaluations, if Config does not say
// otherwise. It is the same for all followers: a percentage rollout gives all of
// them the same answer.
const TargetingKey = "crossfade"

// Config tunes a Source. The zero value works.
type Config struct {
	// Context goes to the provider with each evaluation. The zero value has
	// TargetingKey and no attributes.
	Context of.EvaluationContext
}

// Source evaluates flags by a client of OpenFeature.
type Source struct {
	client   of.IClient
	context  of.EvaluationContext
	changed  chan struct{}
	callback func(of.EventDetails)
	close    sync.Once
}

var _ migrator.Source = (*Source)(nil)

// eventTypes are those after which flags may say something else.
var eventTypes = []of.EventType{of.ProviderReady, of.ProviderConfigChange, of.ProviderStale, of.ProviderError}

// New returns a Source of the client's provider, and begins to listen to its events.
// The client may be of the global API, with a domain of its own or without, or of an
// isolated one. Setting and shutting down the provider stays with the caller, also
// while the Source is in use.
func New(client of.IClient, c Config) *Source {
	if c.Context.TargetingKey() == "" && len(c.Context.Attributes()) == 0 {
		c.Context = of.NewEvaluationContext(TargetingKey, nil)
	}
	s := &Source{client: client, context: c.Context, changed: make(chan struct{}, 1)}
	s.callback = func(of.EventDetails) {
		select {
		case s.changed <- struct{}{}:
		default: // one that nobody has received yet tells the same
		}
	}
	for _, t := range eventTypes {
		client.AddHandler(t, &s.callback)
	}
	return s
}

// Close ends listening to events. It may be called again.
func (s *Source) Close() {
	s.close.Do(func() {
		for _, t := range eventTypes {
			s.client.RemoveHandler(t, &s.callback)
		}
	})
}

// Changed receives after an event of the provider.
func (s *Source) Changed() <-chan struct{} { return s.changed }

// Variant evaluates a flag.
func (s *Source) Variant(ctx context.Context, key string) (migrator.Answer, error) {
	var provider providerName
	// No stage is called "": what the caller gives as the default moves nothing.
	details, err := s.client.StringValueDetails(ctx, key, "", s.context, of.WithHooks(&provider))
	a := migrator.Answer{
		Value: details.Value, Variant: details.Variant, Reason: string(details.Reason), Provider: provider.name,
	}
	state := s.client.State()
	switch {
	case details.ErrorCode == of.FlagNotFoundCode && state == of.ReadyState:
		return a, fmt.Errorf("provider %s: %w", provider.name, migrator.ErrNoFlag)
	case err != nil:
		return a, fmt.Errorf("provider %s: %w", provider.name, err)
	case details.ErrorCode != "":
		return a, fmt.Errorf("provider %s: %s %s", provider.name, details.ErrorCode, details.ErrorMessage)
	case state == of.StaleState, details.Reason == reasonStale:
		a.Stale = true
	case state != of.ReadyState:
		return a, fmt.Errorf("provider %s is in state %s", provider.name, state)
	case details.Reason == of.ErrorReason:
		return a, errors.New("provider " + provider.name + " gives an error as its reason")
	case details.Reason == of.DisabledReason:
		a.Value = "" // what is there is a default
	}
	return a, nil
}

// reasonStale is a reason of the specification that the SDK has no name for.
const reasonStale of.Reason = "STALE"

// providerName is a hook that learns who evaluates.
type providerName struct {
	of.UnimplementedHook
	name string
}

func (p *providerName) Finally(_ context.Context, c of.HookContext, _ of.InterfaceEvaluationDetails, _ of.HookHints) {
	p.name = c.ProviderMetadata().Name
}
