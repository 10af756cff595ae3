package postgres

import (
	"errors"
	"io"
	"os"
)

// Environment variables read by [Start]. A field of [Config] that is set wins
// over its variable.
const (
	// EnvURL is the connection string of an existing server to use.
	EnvURL = "CROSSFADE_DATABASE_URL"
	// EnvBinDir is the directory of initdb and postgres.
	EnvBinDir = "CROSSFADE_POSTGRES_BIN"
	// EnvNoDownload forbids the download when it is "1".
	EnvNoDownload = "CROSSFADE_NO_DOWNLOAD"
	// EnvRepository is the Maven repository to download from; unset means
	// Maven Central.
	EnvRepository = "CROSSFADE_POSTGRES_REPOSITORY"
)

// ErrNoPostgres means that there is no PostgreSQL to use. The error that wraps
// it says where Start looked and what would help.
var ErrNoPostgres = errors.New("no PostgreSQL found")

// Config says which PostgreSQL to use and how to run it. The zero value works.
type Config struct {
	// URL is the connection string of an existing server, as a URL or as
	// keywords and values. Nothing is started then and the fields below,
	// except Log, have no effect. Empty means $CROSSFADE_DATABASE_URL.
	URL string

	// Private makes Start ignore URL and $CROSSFADE_DATABASE_URL and start a
	// server that nobody else uses. Default false.
	Private bool

	// BinDir is the directory of initdb and postgres. When it is set, no
	// other place is searched. Empty means $CROSSFADE_POSTGRES_BIN, else the
	// newest PostgreSQL on this machine, else the download.
	BinDir string

	// NoDownload forbids the download, as CROSSFADE_NO_DOWNLOAD=1 does.
	// Default false.
	NoDownload bool

	// Parameters are settings of postgresql.conf, such as max_connections.
	// They win over the package's own: fsync and full_page_writes off,
	// wal_level logical. Nil means none.
	Parameters map[string]string

	// DataDir is a data directory to keep after Stop and to use again; Start
	// creates it when it does not exist. The server is always stopped at
	// once, so the next start goes through crash recovery. Empty means a
	// temporary directory.
	DataDir string

	// Log receives announcements of slow things, such as a download, a line
	// each. Nil discards them.
	Log io.Writer
}

func (c Config) withDefaults() Config {
	if c.URL == "" {
		c.URL = os.Getenv(EnvURL)
	}
	if c.Private {
		c.URL = ""
	}
	if c.BinDir == "" {
		c.BinDir = os.Getenv(EnvBinDir)
	}
	if os.Getenv(EnvNoDownload) == "1" {
		c.NoDownload = true
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}
