//go:build unix

package postgres

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
)

// childrenOf lists the children of a process, from /proc where there is one,
// else from ps.
func childrenOf(parent int) []int {
	entries, _ := os.ReadDir("/proc")
	var children []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		// "pid (name) state parent …", and a name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 && string(fields[1]) == strconv.Itoa(parent) {
			children = append(children, pid)
		}
	}
	if children == nil { // no /proc, or not one like Linux's
		children = childrenByPS(parent)
	}
	return children
}

func childrenByPS(parent int) []int {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil
	}
	var children []int
	for line := range bytes.Lines(out) {
		fields := bytes.Fields(line)
		if len(fields) != 2 || string(fields[1]) != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(string(fields[0])); err == nil {
			children = append(children, pid)
		}
	}
	return children
}
