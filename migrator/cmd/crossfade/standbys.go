package main

import (
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// standbyLines say who is on the standbys, or that nobody looks.
func standbyLines(status migrator.Status, s console.Style) (lines []string) {
	if status.Phase == "" {
		return nil // it is no business of theirs
	}
	for _, standby := range status.Standbys {
		lines = append(lines, standby.Name+": "+standbyText(standby, status, s))
	}
	return lines
}

func standbyText(standby migrator.StandbyStatus, status migrator.Status, s console.Style) string {
	switch {
	case standby.Trouble != "":
		return s.Bad("not known: " + standby.Trouble)
	case !standby.Looked:
		return s.Warn("not looked at; give its URL with --standby")
	}
	parts := make([]string, 0, len(standby.Sessions)+1)
	if standby.Epoch < status.Epoch {
		parts = append(parts, s.Warn(fmt.Sprintf("has not replayed epoch %d yet", status.Epoch)))
	}
	for _, e := range standby.Sessions {
		parts = append(parts, fmt.Sprintf("%d %s", e.Count, epochText(e.Epoch, status.Epoch)))
	}
	if len(standby.Sessions) == 0 {
		parts = append(parts, "nobody")
	}
	return strings.Join(parts, "; ")
}
