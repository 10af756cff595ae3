// Package postgres finds or starts a PostgreSQL for tests and examples. It is
// not for production: a started server trades durability for speed.
//
// [Start] takes the first of these that exists:
//
//   - a server that already runs: [Config.URL], else $CROSSFADE_DATABASE_URL;
//   - PostgreSQL on this machine: [Config.BinDir], else
//     $CROSSFADE_POSTGRES_BIN, else the usual places;
//   - a download by the nested module in download/, unless
//     [Config.NoDownload] or CROSSFADE_NO_DOWNLOAD=1 forbids it.
//
// When there is none, the error is [ErrNoPostgres].
//
// A started [Server] lives in a private temporary directory and listens on a
// Unix socket in it (on Windows: on a loopback TCP port). Both go away with
// [Server.Stop], and also when the program panics or is killed. Started by
// root, the server runs as user postgres, else nobody, since PostgreSQL
// refuses to run as root.
package postgres
