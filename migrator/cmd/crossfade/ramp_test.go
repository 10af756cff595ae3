package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

func TestRampAndMismatches(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitUsage, "ramp", "users-name").stderr, "PERCENT is missing")
	contains(t, s.must(exitUsage, "ramp", "users-name", "110").stderr, "not from 0 to 100")
	contains(t, s.must(exitOK, "ramp", "users-name", "25%").stdout, "25 of 100 connections read the target once it is live")
	s.must(exitOK, "run", "users-name", "--until", "shadow")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "reads      not compared; applications can: dualwrite.Config.Shadow", "25 of 100")
	contains(t, s.must(exitOK, "mismatches", "users-name").stdout, "no read is known to differ")

	ctx := context.Background()
	conn := s.db.Conn(t)
	require.NoError(t, fence.Own(ctx, conn)) // drains do not wait for it
	now, err := ledger.Get(ctx, conn, "users-name")
	require.NoError(t, err)
	report := ledger.Report{Instance: "web-1", Transitions: []ledger.TransitionReport{{ID: now.ID, Epoch: now.Epoch,
		Reads: ledger.Reads{Compared: 5, Mismatched: 2, Skipped: map[string]int64{}},
		Mismatches: []ledger.Mismatch{{Fingerprint: "f", Statement: "select full_name from users where id = ?", Kind: "rows",
			Detail: "1 of 1 rows from the source have no counterpart", Phase: "shadow", Count: 2}},
	}}}
	require.NoError(t, ledger.ReportReads(ctx, conn, report))
	contains(t, s.must(exitOK, "mismatches", "users-name").stdout, "select full_name from users where id = ?",
		"rows: 1 of 1 rows from the source have no counterpart", "2 times in shadow", "by web-1")
	contains(t, s.must(exitOK, "mismatches", "users-name", "-o", "json").stdout, `"kind": "rows"`)
	o := s.must(exitRefused, "run", "users-name", "--until", "live")
	contains(t, o.stderr, "gate reads-agree", "crossfade mismatches users-name", "--force reads-agree")
	contains(t, s.must(exitOK, "mismatches", "users-name", "--forget", "put right").stdout, "1 statement forgotten")
	contains(t, s.must(exitRefused, "run", "users-name", "--until", "live", "--min-comparisons", "6").stderr, "5 reads have been compared, 6 are wanted")
	s.must(exitOK, "run", "users-name", "--until", "live")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "25 of 100 connections read the target; nobody guards it; next: crossfade ramp users-name 25 --guard")
	contains(t, s.must(exitRefused, "run", "users-name").stderr, "gate ramp-full", "crossfade ramp users-name 100")
	contains(t, s.must(exitOK, "ramp", "users-name", "0").stdout, "0 of 100 connections read the target")
	s.must(exitOK, "ramp", "users-name", "0", "--guard") // nothing is left to guard
	s.must(exitOK, "ramp", "users-name", "100")
	s.must(exitOK, "run", "users-name")
}
