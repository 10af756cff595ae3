//go:build unix

package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user the server runs as. Its zero value is the current user.
type account struct {
	credential *syscall.Credential
}

// serverAccount returns the current user, or for root, whom PostgreSQL
// refuses, postgres or nobody.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		credential, err := credentialOf(u)
		if err != nil {
			return account{}, fmt.Errorf("read user %s: %w", name, err)
		}
		return account{credential}, nil
	}
	return account{}, fmt.Errorf("choose a user for PostgreSQL, which refuses root: there is neither postgres nor nobody")
}

func credentialOf(u *user.User) (*syscall.Credential, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	credential := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	// More groups give access to more files, such as a TLS key; a system that
	// cannot list them still has the primary one.
	ids, err := u.GroupIds()
	if err != nil {
		ids = []string{u.Gid}
	}
	for _, id := range ids {
		if gid, err := strconv.ParseUint(id, 10, 32); err == nil {
			credential.Groups = append(credential.Groups, uint32(gid))
		}
	}
	return credential, nil
}

// command makes a command that runs as the account, in dir, out of reach of
// the terminal's Ctrl-C: the program must have its chance to clean up first.
func (a account) command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = serverEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
	return cmd
}

// canEnter reports whether the account can use files in dir.
func (a account) canEnter(dir string) bool {
	// The new process changes its directory after its user.
	return a.command(dir, "/bin/sh", "-c", ":").Run() == nil
}

// own makes the account the owner of dir, not of what is in it.
func (a account) own(dir string) error {
	if a.credential == nil {
		return nil
	}
	return os.Lchown(dir, int(a.credential.Uid), int(a.credential.Gid))
}
