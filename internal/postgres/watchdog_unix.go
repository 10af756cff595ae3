//go:build unix

package postgres

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

//go:embed watchdog.sh
var watchdogScript string

// watchdog is a shell that outlives this program, however that ends, to stop
// the server and to remove its directory. (Linux's parent-death signal would
// follow the thread that started the server, not the program.)
type watchdog struct {
	cmd  *exec.Cmd
	hold *os.File // its end, even by our death, wakes the watchdog
}

func startWatchdog(dir, pidFile string) (*watchdog, error) {
	wake, hold, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start watchdog: %w", err)
	}
	defer wake.Close()
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "crossfade-watchdog", dir, pidFile)
	cmd.Dir = "/"
	// No output: whoever reads ours, as go test does, must not wait for it.
	cmd.Stdin = wake
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		hold.Close()
		return nil, fmt.Errorf("start watchdog: %w", err)
	}
	return &watchdog{cmd, hold}, nil
}

// release lets the watchdog clean up and waits for its end.
func (w *watchdog) release() {
	w.hold.Close()
	_ = w.cmd.Wait()
}
