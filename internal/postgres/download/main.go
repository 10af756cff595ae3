// Command download unpacks a PostgreSQL for this machine into a directory,
// unless it is there already, and prints the directory of its programs as its
// last line.
//
// It is a module of its own, so that crossfade's has none of the dependencies
// of embedded-postgres; package postgres runs it with go run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

func main() {
	dir := flag.String("dir", "", "directory to unpack into (required)")
	repository := flag.String("repository", "", "URL of a Maven repository (default Maven Central)")
	flag.Parse()
	binDir, err := run(*dir, *repository)
	if err != nil {
		fmt.Fprintln(os.Stderr, "download:", err)
		os.Exit(1)
	}
	fmt.Println(binDir)
}

func run(dir, repository string) (string, error) {
	allowReading()
	if dir == "" {
		return "", errors.New("read flags: -dir is missing")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	// Test binaries run side by side; the first downloads for all.
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", fmt.Errorf("lock directory: %w", err)
	}
	defer unlock()

	home := filepath.Join(dir, string(embeddedpostgres.V18))
	if isComplete(home) {
		return filepath.Join(home, "bin"), nil
	}
	if err := fetch(home, repository); err != nil {
		return "", fmt.Errorf("download PostgreSQL %s: %w", embeddedpostgres.V18, err)
	}
	return filepath.Join(home, "bin"), nil
}

// fetch downloads next to home and renames, so that what is at home is whole.
func fetch(home, repository string) error {
	part := home + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	defer os.RemoveAll(part)
	port, err := freePort()
	if err != nil {
		return err
	}
	config := embeddedpostgres.DefaultConfig().
		Version(embeddedpostgres.V18).
		Port(port).
		BinariesPath(filepath.Join(part, "home")).
		CachePath(filepath.Join(part, "cache")).
		RuntimePath(filepath.Join(part, "run")).
		// Start is embedded-postgres's only way to download. An unknown locale
		// ends it after that, at initdb, where root could not pass anyway.
		Locale("none-this-is-only-a-download").
		Logger(io.Discard)
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}
	server := embeddedpostgres.NewDatabase(config)
	startErr := server.Start()
	if startErr == nil {
		if err := server.Stop(); err != nil {
			return err
		}
	}
	if !isComplete(filepath.Join(part, "home")) {
		return startErr
	}
	if err := os.RemoveAll(home); err != nil {
		return err
	}
	return os.Rename(filepath.Join(part, "home"), home)
}

// isComplete reports whether PostgreSQL's programs are in home.
func isComplete(home string) bool {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		if _, err := os.Stat(filepath.Join(home, "bin", name)); err != nil {
			return false
		}
	}
	return true
}

// freePort finds a port for a server that will not start: embedded-postgres
// insists on one before it downloads.
func freePort() (uint32, error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, fmt.Errorf("find free port: %w", err)
	}
	defer listener.Close()
	return uint32(listener.Addr().(*net.TCPAddr).Port), nil
}
