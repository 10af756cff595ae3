package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

// envToken holds the token where no flag does: others may see the flags of a process.
const envToken = "CROSSFADE_TOKEN"

func newServe(a *app) *cobra.Command {
	var c statuspage.Config
	var listen string
	var noToken bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Show the transitions as a page in the browser",
		Long: `Serves a page that shows every transition as it moves: the steps, what holds it, its
scans and their forecast, throughput and lag over time, the connections by what they
know, also on standbys named with --standby, laggards, writers without the hook,
refused statements, and the history. It changes nothing. The database is looked at
once in an interval, however many watch.

Beside the page there are /status.json, the document of "status --output json";
/metrics for Prometheus, with the names of docs/observability.md; and /healthz, 503
when the ledger cannot be read.

It listens on the loopback address. Any other needs a token, of --token or of
$CROSSFADE_TOKEN, or --no-token where something else guards it. Programs send it as
"Authorization: Bearer TOKEN"; a browser opens /?token=TOKEN once, and gets a cookie.
There is no TLS: put a proxy before it, or use ssh -L.`,
		Example: `  crossfade serve
  CROSSFADE_TOKEN=$(openssl rand -hex 16) crossfade serve --listen :7432
  curl -s localhost:7432/status.json | jq -r '.[].phase'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.Interval <= 0 || c.Window <= 0 || c.Events <= 0 || c.MaxStreams <= 0 {
				return &usageError{command: cmd.CommandPath(), cause: errors.New("--interval, --window, --events and --max-viewers are above zero")}
			}
			c.Token = cmp.Or(c.Token, os.Getenv(envToken))
			switch {
			case noToken && c.Token != "":
				return &usageError{command: cmd.CommandPath(), cause: errors.New("--no-token and a token contradict each other")}
			case !noToken && c.Token == "" && !onLoopback(listen):
				return &usageError{command: cmd.CommandPath(), cause: fmt.Errorf("whoever reaches %s could read the page: "+
					"give it a token by $%s or --token, or say --no-token", listen, envToken)}
			}
			return a.serve(cmd.Context(), listen, c)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:7432", "address and port of the page")
	flags.StringVar(&c.Token, "token", "", "what a reader must know, 16 characters or more (default $"+envToken+")")
	flags.BoolVar(&noToken, "no-token", false, "let whoever reaches the address read the page")
	flags.StringSliceVar(&c.Hosts, "host", nil, "a name by which the page may be called on a loopback address,\nbeside localhost: that of a proxy before it")
	flags.DurationVar(&c.Interval, "interval", 2*time.Second, "the time between two looks at the database")
	flags.DurationVar(&c.Window, "window", 30*time.Minute, "how far back the charts go")
	flags.IntVar(&c.Events, "events", 20, "how many of the last events of each history to show")
	flags.IntVar(&c.MaxStreams, "max-viewers", 100, "how many browsers are kept up to date at once")
	flags.BoolVar(&c.ShowStatements, "show-statements", false, "show the SQL of sessions that are waited for, with its values")
	a.standbyFlag(cmd)
	return cmd
}

// onLoopback tells whether nobody else can reach an address. A name is taken for
// what it says only if it is localhost.
func onLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return true // listening will say what is wrong
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (a *app) serve(ctx context.Context, listen string, c statuspage.Config) error {
	m, err := a.migrator()
	if err != nil {
		return err
	}
	c.Logger = a.logger(a.stderr)
	page, err := statuspage.New(m, c)
	if err != nil {
		return &usageError{cause: err, command: "crossfade serve"}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return &usageError{cause: err, command: "crossfade serve"}
	}
	if err := a.announce("http://" + l.Addr().String() + "/"); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := page.Serve(ctx, l); ctx.Err() == nil {
		return err
	}
	return nil // interrupted: that is how it ends
}

// announce says where the page is, in a line.
func (a *app) announce(url string) error {
	if a.output == outputJSON {
		return json.NewEncoder(a.stdout).Encode(struct {
			Event string `json:"event"`
			URL   string `json:"url"`
		}{"serving", url})
	}
	_, err := fmt.Fprintf(a.out(), "status page: %s (Ctrl-C ends it)\n", a.out().Style().Accent(url))
	return err
}
