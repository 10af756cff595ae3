//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"os"
	"syscall"
)

// lock waits for the lock on a file, which also ends with the process.
func lock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if err != syscall.EINTR {
			file.Close()
			return nil, err
		}
	}
}

// allowReading makes what we unpack readable for other users: root starts the
// server as another one.
func allowReading() { syscall.Umask(0o022) }
