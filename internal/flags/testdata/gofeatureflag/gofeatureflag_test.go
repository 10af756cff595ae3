// Package gofeatureflag_test runs the recipe of GO Feature Flag: see ../README.md.
package gofeatureflag_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gofeatureflag "github.com/open-feature/go-sdk-contrib/providers/go-feature-flag/pkg"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/flags"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/openfeature"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// relay is a relay proxy with a file, whose text is the one of docs/flags.md.
type relay struct {
	t         *testing.T
	dir, text string
	stop      func()
}

func newRelay(t *testing.T) *relay {
	page, err := os.ReadFile(os.Getenv("CROSSFADE_FLAGS_MD"))
	require.NoError(t, err)
	_, text, found := strings.Cut(string(page), "### GO Feature Flag")
	require.True(t, found)
	_, text, _ = strings.Cut(text, "```yaml\n")
	text, _, found = strings.Cut(text, "```")
	require.True(t, found)
	r := &relay{t: t, dir: t.TempDir(), text: text}
	config := "server:\n  port: 31031\npollingInterval: 1000\nlogLevel: error\nretriever:\n  kind: file\n  path: " + r.file() + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "relay.yaml"), []byte(config), 0o600))
	return r
}

func (r *relay) file() string { return filepath.Join(r.dir, "flags.yaml") }

func (r *relay) write(text string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(r.file()+".new", []byte(text), 0o600))
	require.NoError(r.t, os.Rename(r.file()+".new", r.file()))
}

const rule = `defaultRule: {variation: "off"}`

func (r *relay) say(variation string) {
	require.Contains(r.t, r.text, rule)
	r.write(strings.Replace(r.text, rule, `defaultRule: {variation: "`+variation+`"}`, 1))
}

func (r *relay) start() {
	r.t.Helper()
	cmd := exec.Command(os.Getenv("CROSSFADE_RELAYPROXY"), "--config", filepath.Join(r.dir, "relay.yaml"))
	require.NoError(r.t, cmd.Start())
	r.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		r.stop = func() {}
	}
	r.t.Cleanup(func() { r.stop() })
}

func options(kind gofeatureflag.EvaluationType) gofeatureflag.ProviderOptions {
	return gofeatureflag.ProviderOptions{
		Endpoint: "http://127.0.0.1:31031", EvaluationType: kind, FlagChangePollingInterval: 200 * time.Millisecond, DataCollectorDisabled: true,
	}
}

// begin sets a provider, and a new one where that could not begin.
func begin(t *testing.T, api *of.EvaluationAPI, kind gofeatureflag.EvaluationType) {
	t.Helper()
	pgtest.WaitFor(t, "the provider to begin", func() bool {
		p, err := gofeatureflag.NewProviderWithContext(t.Context(), options(kind))
		require.NoError(t, err)
		return api.SetProviderAndWait(context.Background(), p) == nil
	})
}

func follow(t *testing.T, j *flags.Journey, kind gofeatureflag.EvaluationType, poll time.Duration) {
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
	begin(t, api, kind)
	source := openfeature.New(api.NewClient(), openfeature.Config{})
	t.Cleanup(source.Close)
	j.Follow(source, poll)
}

// TestInProcess: what moves it are events.
func TestInProcess(t *testing.T) {
	j, r := flags.NewJourney(t), newRelay(t)
	r.say("off")
	r.start()
	follow(t, j, gofeatureflag.EvaluationTypeInProcess, time.Hour)
	j.Granted("off")
	r.say("live")
	s := j.Granted("live")
	require.Equal(t, flags.There, j.Moves())
	t.Log(s.Request.Provider, s.Request.Reason, s.Request.Variant)
	for _, c := range []struct{ by, text string }{
		{"no-flag", "other: {variations: {a: a}, defaultRule: {variation: a}}\n"},
		{"unknown-variant", flags.Key + ": {variations: {a: OFF}, defaultRule: {variation: a}}\n"},
		{"no-value", flags.Key + ": {disable: true, variations: {a: \"off\"}, defaultRule: {variation: a}}\n"},
	} {
		r.write(c.text)
		t.Log(j.Held(c.by).Request.Held)
		require.Equal(t, migrator.Live, j.Status().Phase)
		r.say("live")
		j.Granted("live")
	}
	r.stop()
	t.Log(j.Held("stale").Request.Held)
	r.start()
	j.Granted("live")
	r.write(flags.Key + ": {variations: {off: off, live: live}, defaultRule: {variation: off}}\n") // nothing quoted
	j.Granted("off")
	require.Equal(t, slices.Concat(flags.There, flags.Back), j.Moves())

	// What changes while the relay proxy is away: the provider tells of the change, and
	// not that it is ready again, so that it stays stale.
	r.stop()
	j.Held("stale")
	r.say("dualwrite")
	r.start()
	time.Sleep(10 * time.Second)
	require.Equal(t, "stale", j.Status().Request.HeldBy)
	require.Equal(t, migrator.Off, j.Status().Phase)
}

// TestRemote: each evaluation asks the relay proxy; it tells nothing, and is polled.
func TestRemote(t *testing.T) {
	j, r := flags.NewJourney(t), newRelay(t)
	r.say("live")
	r.start()
	follow(t, j, gofeatureflag.EvaluationTypeRemote, 100*time.Millisecond)
	j.Granted("live")
	r.stop()
	time.Sleep(3 * time.Second)
	t.Log("down:", j.Status().Request.HeldBy, j.Status().Request.Held)
	r.say("off")
	r.start()
	begun := time.Now()
	for j.Status().Request.Phase != migrator.Off && time.Since(begun) < 90*time.Second {
		time.Sleep(100 * time.Millisecond)
	}
	t.Log("seen after", time.Since(begun))
	j.Granted("off")
}

// TestDownAtStart: a provider that could not begin does not begin later; a new one does.
func TestDownAtStart(t *testing.T) {
	j, r := flags.NewJourney(t), newRelay(t)
	r.say("dualwrite")
	p, err := gofeatureflag.NewProviderWithContext(t.Context(), options(gofeatureflag.EvaluationTypeInProcess))
	require.NoError(t, err)
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
	require.Error(t, api.SetProviderAndWait(t.Context(), p))
	source := openfeature.New(api.NewClient(), openfeature.Config{})
	t.Cleanup(source.Close)
	j.Follow(source, 50*time.Millisecond)
	t.Log(j.Held("provider").Request.Held)
	r.start()
	time.Sleep(10 * time.Second)
	t.Log("later:", j.Status().Request.HeldBy, j.Status().Request.Held)
	require.Empty(t, j.Status().Request.Phase)
	begin(t, api, gofeatureflag.EvaluationTypeInProcess)
	j.Granted("dualwrite")
}
