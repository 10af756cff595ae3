package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// maxSocketPath is the longest path of a Unix socket: 107 bytes on Linux, 103
// on BSD and macOS.
const maxSocketPath = 103

// makeDir makes the server's directory: with a path short enough for a socket
// and where the account can get to it.
func makeDir(account account) (string, error) {
	var reasons []string
	places := []string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm"}
	for i, place := range places {
		if slices.Contains(places[:i], place) {
			continue
		}
		dir, reason := tryDir(place, account)
		if reason == "" {
			return dir, nil
		}
		reasons = append(reasons, reason)
	}
	return "", fmt.Errorf("make directory for PostgreSQL: %q; set TMPDIR to one that fits", reasons)
}

func tryDir(place string, account account) (dir, reason string) {
	dir, err := os.MkdirTemp(place, "crossfade-")
	if err != nil {
		return "", err.Error()
	}
	if socket := filepath.Join(dir, ".s.PGSQL.65535.lock"); len(socket) > maxSocketPath && listensOnSocket {
		reason = place + " is too long a path for a socket"
	} else if err := account.own(dir); err != nil {
		reason = err.Error()
	} else if !account.canEnter(dir) {
		reason = place + " is closed to the user that PostgreSQL runs as"
	}
	if reason != "" {
		os.RemoveAll(dir)
	}
	return dir, reason
}
