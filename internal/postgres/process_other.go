//go:build !unix

package postgres

import (
	"os/exec"
	"strconv"
	"time"
)

// process is a running postmaster with its children.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is for the server's log
		close(p.gone)
	}()
	return p, nil
}

// wait reports whether the server is gone, after at most d.
func (p *process) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.gone:
		return true
	case <-timer.C:
		return false
	}
}

// quit ends the server at once: there is no signal to ask it with.
func (p *process) quit() { p.crash() }

// crash kills the postmaster and its children with no chance to clean up.
func (p *process) crash() {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	if exec.Command("taskkill", "/T", "/F", "/PID", pid).Run() != nil {
		_ = p.cmd.Process.Kill()
	}
}
