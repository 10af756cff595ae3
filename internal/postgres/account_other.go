//go:build !unix

package postgres

import "os/exec"

// account is the user the server runs as: here always the current one.
type account struct{}

func serverAccount() (account, error) { return account{}, nil }

func (account) command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = serverEnv()
	return cmd
}

func (account) canEnter(string) bool { return true }

func (account) own(string) error { return nil }
