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
	of "github.com/open-feature/go-sdk/openfeature"
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
	return &server{t: t, file: filepath.Join(t.TempDir(), "flags.json"), text: text, port: "28013"}
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
		"--management-port", "28014", "--sync-port", "28015", "--ofrep-port", "28016")
	require.NoError(s.t, cmd.Start())
	s.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s.stop = func() {}
	}
	s.t.Cleanup(func() { s.stop() })
}

// begin sets a provider, and a new one where that could not begin.
func begin(t *testing.T, api *of.EvaluationAPI, options ...flagd.ProviderOption) {
	t.Helper()
	pgtest.WaitFor(t, "the provider to begin", func() bool {
		p, err := flagd.NewProvider(options...)
		require.NoError(t, err)
		err = api.SetProviderAndWait(context.Background(), p)
		if err != nil {
			t.Log(err)
		}
		return err == nil
	})
}

func follow(t *testing.T, j *flags.Journey, options ...flagd.ProviderOption) {
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
	begin(t, api, options...)
	source := openfeature.New(api.NewClient(), openfeature.Config{})
	t.Cleanup(source.Close)
	j.Follow(source, time.Hour) // what moves it are events
}

// TestRPC: the provider asks flagd, and is told of changes.
func TestRPC(t *testing.T) {
	j, s := flags.NewJourney(t), newServer(t)
	s.say("off")
	s.start()
	follow(t, j, rpc...)
	j.Granted("off")
	s.say("live")
	status := j.Granted("live")
	require.Equal(t, flags.There, j.Moves())
	require.Equal(t, "flagd", status.Request.Provider)
	t.Log(status.Request.Reason, status.Request.Variant)

	wrong(t, j, s)

	down(t, j, s)
	s.say("off")
	s.start()
	j.Granted("off")
	require.Equal(t, slices.Concat(flags.There, flags.Back), j.Moves())
}

// down ends flagd, and waits until the follower has seen that.
func down(t *testing.T, j *flags.Journey, s *server) {
	t.Helper()
	s.stop()
	begun := time.Now()
	j.Held("provider")
	t.Log(j.Status().Request.Held, time.Since(begun))
	for _, e := range j.Status().History {
		if e.Event == "held" {
			t.Log(e.Detail)
		}
	}
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
	follow(t, j, inProcess...)
	j.Granted("live")
	wrong(t, j, s)
	down(t, j, s)
	s.say("off")
	s.start()
	j.Granted("off")
}

// TestFile: without flagd, by a file.
func TestFile(t *testing.T) {
	j, s := flags.NewJourney(t), newServer(t)
	s.say("live")
	follow(t, j, flagd.WithFileResolver(), flagd.WithOfflineFilePath(s.file))
	j.Granted("live")
	wrong(t, j, s)
	s.say("off")
	j.Granted("off")
}

var (
	rpc       = []flagd.ProviderOption{flagd.WithHost("127.0.0.1"), flagd.WithPort(28013)}
	inProcess = []flagd.ProviderOption{flagd.WithInProcessResolver(), flagd.WithHost("127.0.0.1"), flagd.WithPort(28015)}
)

// recovers tells whether a provider that was down asks for a phase again.
func recovers(j *flags.Journey, p migrator.Phase) bool {
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if r := j.Status().Request; r != nil && r.Phase == p {
			return true
		}
	}
	return false
}

// TestDownAtStart: a provider that could not begin does not begin later; a new one does.
func TestDownAtStart(t *testing.T) {
	for name, options := range map[string][]flagd.ProviderOption{"rpc": rpc, "in-process": inProcess} {
		t.Run(name, func(t *testing.T) {
			j, s := flags.NewJourney(t), newServer(t)
			s.say("dualwrite")
			p, err := flagd.NewProvider(options...)
			require.NoError(t, err)
			api := isolated.NewAPI()
			t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
			require.Error(t, api.SetProviderAndWait(t.Context(), p))
			source := openfeature.New(api.NewClient(), openfeature.Config{})
			t.Cleanup(source.Close)
			j.Follow(source, 50*time.Millisecond)
			t.Log(j.Held("provider").Request.Held)
			s.start()
			require.False(t, recovers(j, migrator.DualWrite))
			begin(t, api, options...)
			j.Granted("dualwrite")
		})
	}
}

// TestDownForLong: in RPC mode the provider gives up after a while, in-process it does not.
func TestDownForLong(t *testing.T) {
	for name, options := range map[string][]flagd.ProviderOption{"rpc": rpc, "in-process": inProcess} {
		t.Run(name, func(t *testing.T) {
			j, s := flags.NewJourney(t), newServer(t)
			s.say("dualwrite")
			s.start()
			follow(t, j, options...)
			j.Granted("dualwrite")
			down(t, j, s)
			time.Sleep(45 * time.Second) // what this is about
			s.say("off")
			s.start()
			require.Equal(t, name == "in-process", recovers(j, migrator.Off))
			t.Log(j.Status().Request.Held)
		})
	}
}
