//go:build !unix

package postgres

// watchdog does nothing here: a server whose program is killed stays.
type watchdog struct{}

func startWatchdog(_, _ string) (*watchdog, error) { return &watchdog{}, nil }

func (*watchdog) release() {}
