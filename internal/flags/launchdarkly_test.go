package flags_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldmigration"
	"github.com/launchdarkly/go-sdk-common/v3/ldreason"
	ldclient "github.com/launchdarkly/go-server-sdk/v7"
	"github.com/launchdarkly/go-server-sdk/v7/interfaces"
	"github.com/launchdarkly/go-server-sdk/v7/ldcomponents"
	"github.com/launchdarkly/go-server-sdk/v7/ldfiledata"
	"github.com/launchdarkly/go-server-sdk/v7/ldfilewatch"
	"github.com/stretchr/testify/require"

	crossfade "github.com/pgcrossfade/crossfade/internal/flags"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// What follows, up to the next comment of this kind, is in docs/flags.md as it is here.

type flags struct{ client *ldclient.LDClient }

func (f flags) Variant(ctx context.Context, key string) (migrator.Answer, error) {
	value, detail, err := f.client.StringVariationDetailCtx(ctx, key, ldcontext.New("crossfade"), "")
	a := migrator.Answer{Value: value, Reason: string(detail.Reason.GetKind()), Provider: "LaunchDarkly"}
	switch {
	case detail.Reason.GetErrorKind() == ldreason.EvalErrorFlagNotFound:
		return a, migrator.ErrNoFlag
	case err != nil:
		return a, err
	case detail.Reason.GetKind() == ldreason.EvalReasonOff:
		a.Value = "" // its targeting is switched off: nobody asks
	}
	a.Stale = f.client.GetDataSourceStatusProvider().GetStatus().State != interfaces.DataSourceStateValid
	return a, nil
}

func (f flags) Changed() <-chan struct{} { return nil } // polled

// What is in docs/flags.md ends here.

// darkly is LaunchDarkly's SDK with a file in the place of the service.
type darkly struct {
	t    *testing.T
	file string
}

func newDarkly(t *testing.T) *darkly {
	return &darkly{t, filepath.Join(t.TempDir(), "flags.json")}
}

// serve makes the SDK's model of one migration flag of six stages; change may alter it.
func (d *darkly) serve(stage ldmigration.Stage, change ...func(flag map[string]any)) {
	d.t.Helper()
	stages := []ldmigration.Stage{ldmigration.Off, ldmigration.DualWrite, ldmigration.Shadow, ldmigration.Live, ldmigration.RampDown, ldmigration.Complete}
	flag := map[string]any{
		"key": crossfade.Key, "version": 1, "on": true, "salt": "salt", "migration": map[string]any{"checkRatio": 1},
		"variations": stages, "offVariation": 0, "fallthrough": map[string]any{"variation": slices.Index(stages, stage)},
	}
	for _, c := range change {
		c(flag)
	}
	text, err := json.Marshal(map[string]any{"flags": map[string]any{crossfade.Key: flag}})
	require.NoError(d.t, err)
	d.write(string(text))
}

func (d *darkly) write(text string) {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(d.file+".new", []byte(text), 0o600))
	require.NoError(d.t, os.Rename(d.file+".new", d.file))
}

// client is one that need not be ready.
func (d *darkly) client() *ldclient.LDClient {
	d.t.Helper()
	client, err := ldclient.MakeCustomClient("sdk-key", ldclient.Config{
		DataSource:       ldfiledata.DataSource().FilePaths(d.file).Reloader(ldfilewatch.WatchFiles),
		Events:           ldcomponents.NoEvents(),
		DiagnosticOptOut: true,
		Logging:          ldcomponents.Logging().MinLevel(ldlog.None).LogDataSourceOutageAsErrorAfter(0),
	}, 0)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { require.NoError(d.t, client.Close()) })
	return client
}

const poll = 50 * time.Millisecond

// TestLaunchDarkly: a migration flag leads a transition there and back, jumps of three
// stages, and what is wrong with it moves nothing.
func TestLaunchDarkly(t *testing.T) {
	t.Parallel()
	j, d := crossfade.NewJourney(t), newDarkly(t)
	client := d.client() // of a file that is not there: not ready
	j.Follow(flags{client}, poll)
	require.Empty(t, j.Held("provider").Request.Phase)
	d.serve(ldmigration.Live)
	s := j.Granted("live")
	require.Equal(t, crossfade.There, j.Moves())
	require.Equal(t, "LaunchDarkly", s.Request.Provider)
	require.Equal(t, "FALLTHROUGH", s.Request.Reason)

	for _, c := range []struct {
		by    string
		wrong func()
	}{
		{"stale", func() { d.write(`{"flags": `) }}, // the last values are kept, and known to be old
		{"no-flag", func() { d.write(`{"flags": {}}`) }},
		{"unknown-variant", func() {
			d.serve(ldmigration.Off, func(f map[string]any) { f["variations"] = []string{"OFF"} })
		}},
		{"no-value", func() { d.serve(ldmigration.Live, func(f map[string]any) { f["on"] = false }) }},
		{"no-value", func() { // malformed
			d.serve(ldmigration.Live, func(f map[string]any) { f["fallthrough"] = map[string]any{"variation": 17} })
		}},
		{"no-value", func() { // not of text
			d.serve(ldmigration.Off, func(f map[string]any) { f["variations"] = []int{1} })
		}},
	} {
		c.wrong()
		s := j.Held(c.by)
		require.Equal(t, migrator.Live, s.Phase)
		require.Equal(t, migrator.Live, s.Request.Phase, "the last request stands")
		d.serve(ldmigration.Live)
		j.Granted("live")
	}
	require.Equal(t, crossfade.There, j.Moves())
	d.serve(ldmigration.Off)
	j.Granted("off")
	require.Equal(t, slices.Concat(crossfade.There, crossfade.Back), j.Moves())
}

// TestLaunchDarklyRollout: the percentages of a cohort give everybody who asks with one
// context one stage; asked with a context of another kind than the flag's they give the
// first stage that has a share.
func TestLaunchDarklyRollout(t *testing.T) {
	t.Parallel()
	d := newDarkly(t)
	rollout := func(kind string, off, live int) {
		d.serve(ldmigration.Off, func(f map[string]any) {
			f["fallthrough"] = map[string]any{"rollout": map[string]any{"contextKind": kind, "variations": []map[string]int{
				{"variation": 0, "weight": off}, {"variation": 3, "weight": live},
			}}}
		})
	}
	rollout("user", 50_000, 50_000)
	client := d.client()
	answer := func() string {
		a, err := flags{client}.Variant(t.Context(), crossfade.Key)
		require.NoError(t, err)
		require.Equal(t, "FALLTHROUGH", a.Reason)
		return a.Value
	}
	becomes := func(want string) {
		pgtest.WaitFor(t, "the rollout to give "+want, func() bool { return answer() == want })
	}
	require.True(t, client.GetDataSourceStatusProvider().WaitFor(interfaces.DataSourceStateValid, 10*time.Second))
	first := answer()
	for range 100 {
		require.Equal(t, first, answer())
	}
	rollout("user", 0, 100_000)
	becomes("live")
	rollout("organization", 1_000, 99_000)
	becomes("off") // with 1 % of the cohort, and a context of kind user
	rollout("organization", 0, 100_000)
	becomes("live")
}

// TestLaunchDarklyStages: the six names are those of the SDK, and what the SDK does with
// a flag that does not exist is why its MigrationVariation is not asked.
func TestLaunchDarklyStages(t *testing.T) {
	t.Parallel()
	for _, p := range []migrator.Phase{migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete} {
		stage, err := ldmigration.ParseStage(string(p))
		require.NoError(t, err)
		require.Equal(t, string(p), string(stage))
	}
	d := newDarkly(t)
	d.write(`{"flags": {}}`)
	client := d.client()
	require.True(t, client.GetDataSourceStatusProvider().WaitFor(interfaces.DataSourceStateValid, 10*time.Second))
	stage, _, err := client.MigrationVariation(crossfade.Key, ldcontext.New("crossfade"), ldmigration.Complete)
	require.Equal(t, ldmigration.Complete, stage)
	require.NoError(t, err)
}
