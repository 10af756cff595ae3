package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// installed are patterns of the directories where packages put PostgreSQL.
var installed = []string{
	"/usr/lib/postgresql/*/bin", // Debian
	"/usr/pgsql-*/bin",          // postgresql.org's RPMs
	"/usr/libexec/postgresql*",  // Alpine
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	`C:\Program Files\PostgreSQL\*\bin`,
}

// findBinaries returns the directory of initdb and postgres.
func findBinaries(ctx context.Context, c Config, account account) (string, error) {
	if c.BinDir != "" {
		dir, err := filepath.Abs(c.BinDir)
		if err == nil {
			err = usable(dir, account)
		}
		if err != nil {
			return "", fmt.Errorf("use Config.BinDir or $%s: %w: %w", EnvBinDir, ErrNoPostgres, err)
		}
		return dir, nil
	}
	for _, dir := range append(localDirs(), downloaded()...) {
		if usable(dir, account) == nil {
			return dir, nil
		}
	}
	dir, err := download(ctx, c, account)
	if err != nil {
		return "", fmt.Errorf("%w on this machine and no download (%w); set %s to the URL of a server, "+
			"or install PostgreSQL (on Debian the package postgresql), "+
			"or allow the download that github.com/fergusstrange/embedded-postgres does",
			ErrNoPostgres, err, EnvURL)
	}
	return dir, nil
}

// usable explains why dir is not one of PostgreSQL's programs that the account
// can run; nil means it is.
func usable(dir string, account account) error {
	for _, name := range []string{"initdb", "postgres"} {
		program := filepath.Join(dir, name)
		if runtime.GOOS == "windows" {
			program += ".exe"
		}
		if _, err := os.Stat(program); err != nil {
			return err
		}
		if err := account.command(filepath.Dir(dir), program, "--version").Run(); err != nil {
			return fmt.Errorf("run %s --version: %w", program, err)
		}
	}
	return nil
}

// localDirs lists where PostgreSQL may be on this machine, the best first.
func localDirs() []string {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if program, err := exec.LookPath("postgres"); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			dirs = append(dirs, filepath.Dir(program))
		}
	}
	for _, pattern := range installed {
		found, _ := filepath.Glob(pattern)
		slices.SortFunc(found, newestFirst)
		dirs = append(dirs, found...)
	}
	return dirs
}

// newestFirst orders directories by the version in their path.
func newestFirst(a, b string) int {
	return slices.Compare(versionIn(b), versionIn(a))
}

func versionIn(path string) []int {
	var version []int
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' }
	for _, digits := range strings.FieldsFunc(path, func(r rune) bool { return !isDigit(r) }) {
		if n, err := strconv.Atoi(digits); err == nil {
			version = append(version, n)
		}
	}
	return version
}
