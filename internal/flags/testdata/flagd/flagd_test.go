// Package flagd_test runs the recipe of flagd: see ../README.md.
package flagd_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	flagd "github.com/open-feature/go-sdk-contrib/providers/flagd/pkg"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/flags"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/openfeature"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// server is a flagd with a file, whose text is the one of docs/flags.md.
type server struct {
	t    *testing.T
	file string
	text string
	port string
	stop func()
}

func newServer(t *testing.T) *server {
	page, err := os.ReadFile(os.Getenv("CROSSFADE_FLAGS_MD"))
	require.NoError(t, err)
	_, text, found := strings.Cut(string(page), "### flagd")
	require.True(t, found)
	_, text, _ = strings.Cut(text, "```json\n")
	text, _, found = strings.Cut(text, "```")
	require.True(t, found)
	return &server{t: t, file: filepath.Join(t.TempDir(), "flags.json"), text: text, port: "38013"}
}

// say sets the default variant; change may alter the flag.
func (s *server) say(variant string, change ...func(flag map[string]any)) {
	s.t.Helper()
	var document map[string]map[string]map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(s.text), &document))
	flag := document["flags"][flags.Key]
	flag["defaultVariant"] = variant
	for _, c := range change {
		c(flag)
	}
	if variant == "" {
		delete(document["flags"], flags.Key)
	}
	text, err := json.Marshal(document)
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(s.file+".new", text, 0o600))
	require.NoError(s.t, os.Rename(s.file+".new", s.file))
}

func (s *server) start() {
	s.t.Helper()
	cmd := exec.Command(os.Getenv("CROSSFADE_FLAGD"), "start", "--uri", "file:"+s.file, "--port", s.port,
		"--management-port", "38014", "--sync-port", "38015", "--ofrep-port", "38016")
	require.NoError(s.t, cmd.Start())
	s.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s.stop = func() {}
	}
	s.t.Cleanup(func() { s.stop() })
}

func follow(t *testing.T, j *flags.Journey, p *flagd.Provider) {
	api := isolated.NewAPI()
	pgtest.WaitFor(t, "the provider to begin", func() bool {
		err := api.SetProviderAndWait(context.Background(), p)
		if err != nil {
			t.Log(err)
		}
		return err == nil
	})
	source := openfeature.New(api.NewClient(), openfeature.Config{})
	t.Cleanup(source.Close)
	j.Follow(source, time.Hour) // what moves it are events
}

// TestRPC: the provider asks flagd, and is told of changes.
func TestRPC(t *testing.T) {
	j, s := flags.NewJourney(t), newServer(t)
	s.say("off")
	s.start()
	p, err := flagd.NewProvider(flagd.WithHost("127.0.0.1"), flagd.WithPort(38013))
	require.NoError(t, err)
	follow(t, j, p)
	j.Granted("off")
	s.say("live")
	status := j.Granted("live")
	require.Equal(t, flags.There, j.Moves())
	require.Equal(t, "flagd", status.Request.Provider)
	t.Log(status.Request.Reason, status.Request.Variant)

	wrong(t, j, s)

	s.stop() // the provider says that it is stale, and later in error
	begun := time.Now()
	t.Log(j.Held("stale").Request.Held, time.Since(begun))
	t.Log(j.Held("provider").Request.Held, time.Since(begun))
	s.say("off")
	s.start()
	j.Granted("off")
	require.Equal(t, slices.Concat(flags.There, flags.Back), j.Moves())
}

// wrong: what asks for nothing.
func wrong(t *testing.T, j *flags.Journey, s *server) {
	t.Helper()
	for _, c := range []struct {
		by  string
		say func()
	}{
		{"no-flag", func() { s.say("") }},
		{"unknown-variant", func() {
			s.say("a", func(f map[string]any) { f["variants"] = map[string]string{"a": "OFF"} })
		}},
		{"", func() { s.say("off", func(f map[string]any) { f["state"] = "DISABLED" }) }},
	} {
		c.say()
		var status migrator.Status
		if c.by == "" { // whatever it is called
			pgtest.WaitFor(t, "a disabled flag to be seen", func() bool { status = j.Status(); return status.Request.HeldBy != "" })
			t.Log("disabled:", status.Request.HeldBy, status.Request.Held)
		} else {
			status = j.Held(c.by)
			t.Log(status.Request.Held)
		}
		require.Equal(t, migrator.Live, status.Phase)
		s.say("live")
		j.Granted("live")
	}
	require.Equal(t, flags.There, j.Moves())
	s.say("a", func(f map[string]any) { f["variants"] = map[string]string{"a": "live:25"} })
	require.Equal(t, 25, j.Granted("live:25").Ramp)
	s.say("live")
	j.Granted("live:100")
}

// TestInProcess: the provider follows flagd's stream of flags, and evaluates them itself.
func TestInProcess(t *testing.T) {
	j, s := flags.NewJourney(t), newServer(t)
	s.say("live")
	s.start()
	p, err := flagd.NewProvider(flagd.WithInProcessResolver(), flagd.WithHost("127.0.0.1"), flagd.WithPort(38015))
	require.NoError(t, err)
	follow(t, j, p)
	j.Granted("live")
	wrong(t, j, s)
	s.stop()
	begun := time.Now()
	t.Log(j.Held("stale").Request.Held, time.Since(begun))
	t.Log(j.Held("provider").Request.Held, time.Since(begun))
	s.say("off")
	s.start()
	j.Granted("off")
}

// TestFile: without flagd, by a file.
func TestFile(t *testing.T) {
	j, s := flags.NewJourney(t), newServer(t)
	s.say("live")
	p, err := flagd.NewProvider(flagd.WithFileResolver(), flagd.WithOfflineFilePath(s.file))
	require.NoError(t, err)
	follow(t, j, p)
	j.Granted("live")
	wrong(t, j, s)
	s.say("off")
	j.Granted("off")
}

// TestDownAtStart: a provider whose first Init has failed does not recover by itself.
func TestDownAtStart(t *testing.T) {
	j, s := flags.NewJourney(t), newServer(t)
	s.say("dualwrite")
	p, err := flagd.NewProvider(flagd.WithHost("127.0.0.1"), flagd.WithPort(38013))
	require.NoError(t, err)
	api := isolated.NewAPI()
	require.Error(t, api.SetProviderAndWait(t.Context(), p))
	source := openfeature.New(api.NewClient(), openfeature.Config{})
	t.Cleanup(source.Close)
	j.Follow(source, 50*time.Millisecond)
	t.Log(j.Held("provider").Request.Held)
	s.start()
	recovered := false
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until) && !recovered; time.Sleep(100 * time.Millisecond) {
		r := j.Status().Request
		recovered = r != nil && r.Phase == migrator.DualWrite
	}
	t.Log("recovers by itself:", recovered)
	if !recovered {
		t.Log(j.Status().Request.Held)
		pgtest.WaitFor(t, "the provider to begin", func() bool { return api.SetProviderAndWait(context.Background(), p) == nil })
	}
	j.Granted("dualwrite")
}
