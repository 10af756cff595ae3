package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestPauseResumeAndRate(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	contains(t, s.must(exitNotFound, "pause", "users-name").stderr, "no such transition")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitOK, "pause", "users-name").stdout, "users-name: scans are paused; next: crossfade resume users-name")
	contains(t, s.must(exitOK, "status").stdout, "scans are paused")

	// The run that comes now waits at its backfill, until another process
	// lets it go.
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	args := []string{"run", s.file, "--until", "shadow", "-o", "json", "--database-url", s.db.URL}
	go func() { ended <- Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr) }()
	pgtest.WaitFor(t, "the backfill to wait", func() bool {
		return strings.Contains(s.must(exitOK, "status", "users-name").stdout, "waiting: paused by ")
	})
	status := s.must(exitOK, "status", "users-name").stdout
	contains(t, status, "0 of about 1,000 rows", "crossfade resume users-name")

	contains(t, s.must(exitOK, "rate", "users-name", "10_000").stdout, "users-name: scans are paused")
	resumed := document[struct {
		Name   string
		Paused bool
		Rate   int
	}](t, s.must(exitOK, "resume", "users-name", "-o", "json"))
	if resumed.Name != "users-name" || resumed.Paused || resumed.Rate != 10_000 {
		t.Errorf("resumed: %+v", resumed)
	}
	if code := <-ended; code != exitOK {
		t.Fatalf("run ended with %d\n%s", code, &stderr)
	}
	contains(t, stderr.String(), `"waiting":"paused by `)
	contains(t, s.must(exitOK, "status", "users-name", "--events", "50").stdout, "scans      at up to 10,000 rows per second, by ", "pause ", "resume ", "rate ")
	contains(t, s.must(exitOK, "rate", "users-name", "none").stdout, "as fast as the throttle lets them")
	contains(t, s.must(exitUsage, "rate", "users-name", "0").stderr, "use pause")
	contains(t, s.must(exitUsage, "rate", "users-name").stderr, "ROWS_PER_SECOND is missing")
}

func TestThrottleFlag(t *testing.T) {
	t.Parallel()
	var f throttleFlag
	for _, text := range []string{"slot-lag=2GB, wal-rate=512kB", "active-sessions=40,vacuum=off", "batch-latency=2.5,horizon-age=1000"} {
		if err := f.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	want := migrator.Throttle{SlotLag: 2 << 30, WALRate: 512 << 10, ActiveSessions: 40, VacuumWait: -1, BatchLatency: 2.5, HorizonAge: 1000}
	if migrator.Throttle(f) != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if err := f.Set("off"); err != nil || migrator.Throttle(f) != migrator.ThrottleOff {
		t.Errorf("off: %+v, %v", f, err)
	}
	for _, text := range []string{"", "slot-lag", "slot-lag=", "slot-lag=0", "slot-lag=-1", "slot-lag=2XB", "slot-lag=9999999999TB",
		"lag=2", "vacuum=5", "batch-latency=NaN", "active-sessions=1.5"} {
		if err := f.Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	contains(t, bare(t, "run", "x", "--throttle", "nonsense=1").stderr, "no such signal")
}

func TestSignalsAreShown(t *testing.T) {
	t.Parallel()
	p := newProgress(true)
	p.note(at("backfill", migrator.DualWrite))
	p.note(migrator.BatchEvent{Progress: migrator.JobProgress{
		Job: "backfill", RowsScanned: 10, Estimate: 100, Waiting: "slot x", Signals: []migrator.Signal{
			{Signal: "slot-lag", Value: 3 << 29, Limit: 1 << 30, Unit: "bytes", Holds: true},
			{Signal: "batch-latency", Value: 0.1, Limit: 0.4, Unit: "seconds"},
			{Signal: "active-sessions", Value: 3, Limit: 25, Unit: "sessions"},
		},
	}})
	contains(t, strings.Join(p.Lines(120, console.Style{}), "\n"), "slot x", "slot-lag         1.5 GB of 1.0 GB  holds",
		"batch-latency    0.1s of 0.4s\n", "active-sessions  3 sessions of 25 sessions")
	if got := console.Measure(90, "seconds"); got != "90s" {
		t.Errorf("90 s are shown as %s", got)
	}
}
