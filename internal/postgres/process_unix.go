//go:build unix

package postgres

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a running postmaster with its children.
type process struct {
	cmd *exec.Cmd
	// alive is the read end of a pipe whose write end only the postmaster and
	// its children hold: it ends when the last of them has gone. So waiting
	// needs no goroutine, and no child is missed for having its own session.
	alive *os.File
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	alive, held, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer held.Close()
	cmd.ExtraFiles = []*os.File{held}
	if err := cmd.Start(); err != nil {
		alive.Close()
		return nil, err
	}
	return &process{cmd: cmd, alive: alive}, nil
}

// wait reports whether the server is gone, after at most d. Once it is, the
// process must not be used any more.
func (p *process) wait(d time.Duration) bool {
	if err := p.alive.SetReadDeadline(time.Now().Add(d)); err != nil {
		return false
	}
	if _, err := p.alive.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	p.alive.Close()
	_ = p.cmd.Wait() // how it ended is for the server's log
	return true
}

// quit asks for an immediate shutdown: no checkpoint, but the server removes
// its shared memory.
func (p *process) quit() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }

// crash kills the postmaster and its children with no chance to clean up.
func (p *process) crash() {
	// A stopped postmaster starts no more children and reaps none, so the
	// process ids read now stay theirs until it is dead.
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	for _, pid := range childrenOf(p.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = p.cmd.Process.Kill()
}
