package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// downloaded lists the directories of programs that were downloaded earlier,
// the newest first.
func downloaded() []string {
	var dirs []string
	for _, cache := range cacheDirs() {
		found, _ := filepath.Glob(filepath.Join(cache, "*", "bin"))
		slices.SortFunc(found, newestFirst)
		dirs = append(dirs, found...)
	}
	return dirs
}

// download fetches PostgreSQL with the program in download/, for which it needs
// this module's source and the go command, and returns the directory of its
// programs.
func download(ctx context.Context, c Config, account account) (string, error) {
	if c.NoDownload {
		return "", errors.New("it is forbidden by Config.NoDownload or " + EnvNoDownload)
	}
	module, err := downloadModule()
	if err != nil {
		return "", err
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("the go command is missing: %w", err)
	}
	cache, err := makeCache(account)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(c.Log, "downloading PostgreSQL into %s (once; %s=1 forbids it)\n", cache, EnvNoDownload)

	cmd := exec.CommandContext(ctx, goCommand, "run", "-C", module, ".",
		"-dir", cache, "-repository", os.Getenv(EnvRepository))
	// The caller's workspace and flags are for other modules.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	// A cancelled go run leaves its program behind, with the output open.
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s: %w: %s", module, cmp.Or(ctx.Err(), err),
			lastLine(strings.TrimSuffix(strings.TrimSpace(stderr.String()), "exit status 1")))
	}
	dir := lastLine(stdout.String())
	if err := usable(dir, account); err != nil {
		return "", fmt.Errorf("use downloaded PostgreSQL: %w", err)
	}
	return dir, nil
}

// downloadModule returns the directory of the nested module.
func downloadModule() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "download")
	// A copy in the module cache lacks nested modules, and a program built
	// with -trimpath knows no directory.
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", fmt.Errorf("its source, a module in crossfade's repository, is missing: %w", err)
	}
	return dir, nil
}

// cacheDirs lists where downloads may be kept. Root's own cache is seldom open
// to the user that the server runs as.
func cacheDirs() []string {
	const name = "crossfade-postgres"
	var dirs []string
	if dir, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(dir, name))
	}
	if os.Geteuid() == 0 {
		dirs = append(dirs, filepath.Join("/var/cache", name))
	}
	return dirs
}

// makeCache makes the first cache directory that the account can enter.
func makeCache(account account) (string, error) {
	err := errors.New("there is no cache directory")
	for _, dir := range cacheDirs() {
		if err = os.MkdirAll(dir, 0o755); err != nil {
			continue
		}
		if account.canEnter(dir) {
			return dir, nil
		}
		err = fmt.Errorf("%s is closed to the user that PostgreSQL runs as", dir)
		_ = os.Remove(dir) // only if it is empty
	}
	return "", fmt.Errorf("make cache directory: %w", err)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
