package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestFollowAFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	flags := writeFile(t, "flags.yaml", "crossfade.users-name: live\n")
	contains(t, s.must(exitNotFound, "follow", "--flags", flags).stderr, "crossfade init")
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan outcome, 1)
	go func() { ended <- s.runContext(ctx, "follow", "--flags", flags, "--settle", "1ms", "--poll", "20ms") }()
	wait := func(lines ...string) {
		t.Helper()
		pgtest.WaitFor(t, strings.Join(lines, " and "), func() bool {
			status := s.must(exitOK, "status", "users-name").stdout
			for _, line := range lines {
				if !strings.Contains(status, line) {
					return false
				}
			}
			return true
		})
	}
	wait("phase      live", "requested  live by flag crossfade.users-name of file, granted")
	if err := os.WriteFile(flags, []byte("crossfade.users-name: lvie\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wait("phase      live", `requested  live by flag crossfade.users-name of file, held by unknown-variant: flag crossfade.users-name: "lvie" is no stage`)
	stop()
	o := <-ended
	if o.code != exitInterrupted {
		t.Errorf("follow ended with %d\n%s", o.code, o.stderr)
	}
	contains(t, o.stderr, "users-name: requested live, in force shadow\n", "users-name: requested live, in force live\n", "held by unknown-variant")
}

func TestRequestAPhase(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	contains(t, s.must(exitNotFound, "request", "users-name", "--phase", "live").stderr, "no such transition")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitUsage, "request", "users-name", "--phase", "contracted").stderr, "it is one of off, dualwrite")
	s.must(exitUsage, "request", "users-name")
	contains(t, s.must(exitUsage, "follow", "--settle", "0").stderr, "above zero")
	contains(t, s.must(exitOK, "request", "users-name", "--phase", "dualwrite", "--reason", "tuesday").stdout, "users-name: dualwrite by ", ", on its way")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "requested  dualwrite by ", "request ")
	asked := document[struct {
		Name   string
		Phase  string
		Reason string
	}](t, s.must(exitOK, "request", "users-name", "--phase", "live", "--reason", "wednesday", "-o", "json"))
	if asked.Name != "users-name" || asked.Phase != "live" || asked.Reason != "wednesday" {
		t.Errorf("asked: %+v", asked)
	}
}
