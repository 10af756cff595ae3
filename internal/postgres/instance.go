package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// instance is a server of our own: its directory and, while it runs, its
// process. It is not safe for concurrent use.
type instance struct {
	account account
	binDir  string
	dir     string // the socket, the log and, unless it is kept, the data
	data    string
	host    string // directory of the socket, or a TCP address
	port    int
	// addresses are those to listen at besides, if the parameters ask for any.
	addresses string
	watchdog  *watchdog
	process   *process // nil while the server is down
}

// newInstance makes a data directory and everything else run needs.
func newInstance(ctx context.Context, c Config) (_ *instance, err error) {
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	binDir, err := findBinaries(ctx, c, account)
	if err != nil {
		return nil, err
	}
	in := &instance{account: account, binDir: binDir}
	if in.dir, err = makeDir(account); err != nil {
		return nil, err
	}
	if in.data, err = filepath.Abs(c.DataDir); c.DataDir == "" {
		in.data = filepath.Join(in.dir, "data")
	} else if err != nil {
		return nil, fmt.Errorf("find data directory: %w", err)
	}
	in.watchdog, err = startWatchdog(in.dir, filepath.Join(in.data, "postmaster.pid"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(in.dir))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.remove())
		}
	}()
	if in.host, in.port, err = address(in.dir); err != nil {
		return nil, fmt.Errorf("choose address: %w", err)
	}
	if port := c.Parameters["port"]; port != "" {
		if in.port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("read port: %w", err)
		}
	}
	in.addresses = c.Parameters["listen_addresses"]
	if err := in.initData(ctx); err != nil {
		return nil, err
	}
	if err := in.configure(c.Parameters); err != nil {
		return nil, fmt.Errorf("write PostgreSQL's settings: %w", err)
	}
	return in, nil
}

func (in *instance) url() string {
	query := url.Values{"host": {in.host}, "port": {strconv.Itoa(in.port)}}
	return "postgres://postgres@/postgres?" + query.Encode()
}

func (in *instance) logFile() string { return filepath.Join(in.dir, "log") }

// initData runs initdb unless the data directory is in use already.
func (in *instance) initData(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(in.data, "PG_VERSION")); err == nil {
		return nil
	}
	if err := os.MkdirAll(in.data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if entries, err := os.ReadDir(in.data); err != nil || len(entries) > 0 {
		return fmt.Errorf("make data directory: %s is not empty: %w", in.data, errors.Join(err, os.ErrExist))
	}
	if err := in.account.own(in.data); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	err := in.initdb(ctx, "C.UTF-8")
	if err != nil && ctx.Err() == nil {
		err = in.initdb(ctx, "C") // older systems lack C.UTF-8
	}
	if err != nil {
		return fmt.Errorf("run initdb: %w%s", err, in.logTail())
	}
	return nil
}

func (in *instance) initdb(ctx context.Context, locale string) error {
	cmd := in.account.command(in.dir, in.program("initdb"),
		"-D", in.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale="+locale, "--no-sync")
	log, err := in.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	return errors.Join(cmd.Wait(), ctx.Err())
}

// configure writes the settings to a file of their own, which initdb's file
// includes, so that a kept directory can be configured again.
func (in *instance) configure(parameters map[string]string) error {
	settings := map[string]string{
		"fsync":                   "off",
		"full_page_writes":        "off",
		"wal_level":               "logical",
		"lc_messages":             "C",
		"logging_collector":       "off",
		"unix_socket_permissions": "0700",
	}
	for name, value := range parameters {
		settings[name] = value
	}
	var text strings.Builder
	for name, value := range settings {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	if err := os.WriteFile(filepath.Join(in.data, "crossfade.conf"), []byte(text.String()), 0o644); err != nil {
		return err
	}
	const include = "include = 'crossfade.conf'\n"
	main, err := os.OpenFile(filepath.Join(in.data, "postgresql.conf"), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer main.Close()
	before, err := io.ReadAll(main)
	if err != nil || strings.HasSuffix(string(before), include) {
		return err
	}
	_, err = main.WriteString(include)
	return err
}

// run starts the server; it takes connections some time after.
func (in *instance) run() error {
	log, err := in.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	args := append([]string{"-D", in.data, "-p", strconv.Itoa(in.port)}, listen(in.host)...)
	if in.addresses != "" {
		args = append(args, "-c", "listen_addresses="+in.addresses) // the last one counts
	}
	cmd := in.account.command(in.dir, in.program("postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	in.process, err = startProcess(cmd)
	return err
}

// ended reports whether the server is down, after at most d.
func (in *instance) ended(d time.Duration) bool {
	if in.process != nil && in.process.wait(d) {
		in.process = nil
	}
	return in.process == nil
}

// quit stops the server, by force if need be.
func (in *instance) quit() error {
	if in.ended(0) {
		return nil
	}
	in.process.quit()
	if in.ended(stopTimeout) {
		return nil
	}
	return in.crash()
}

// crash kills the server and waits until it is gone.
func (in *instance) crash() error {
	if in.ended(0) {
		return nil
	}
	in.process.crash()
	if !in.ended(stopTimeout) {
		return errors.New("some of its processes are still running")
	}
	// The next server must not take the dead one's process id, which may be
	// another process by then, for a server that still runs. The watchdog
	// must not either.
	return errors.Join(
		removeFile(filepath.Join(in.data, "postmaster.pid")),
		removeFile(filepath.Join(in.dir, fmt.Sprintf(".s.PGSQL.%d.lock", in.port))))
}

func removeFile(name string) error {
	if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// remove removes the directory of a server that is down.
func (in *instance) remove() error {
	err := os.RemoveAll(in.dir)
	in.watchdog.release()
	return err
}

func (in *instance) program(name string) string {
	return filepath.Join(in.binDir, name)
}

func (in *instance) openLog() (*os.File, error) {
	return os.OpenFile(in.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// logTail formats the end of the server's log for an error.
func (in *instance) logTail() string {
	const lines = 20
	text, err := os.ReadFile(in.logFile())
	if err != nil || len(text) == 0 {
		return ""
	}
	all := slices.Collect(strings.Lines(string(text)))
	return "\nend of PostgreSQL's log:\n" + strings.TrimSpace(strings.Join(all[max(0, len(all)-lines):], ""))
}
