package statuspage

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config tunes a Page. The zero value works.
type Config struct {
	// Interval is the time between two looks at the database. 0 means 2 seconds.
	Interval time.Duration
	// Window is how far back the charts go; what they show is kept in memory. 0
	// means 30 minutes.
	Window time.Duration
	// Events is how many of the last events of each history are shown. 0 means 20.
	Events int
	// MaxStreams bounds the browsers that are kept up to date by events; those
	// beyond it load the page now and then. 0 means 100.
	MaxStreams int
	// Token, unless empty, is asked of everybody, as "Authorization: Bearer TOKEN"
	// or, once, as ?token=TOKEN, which a cookie takes the place of. It has 16
	// characters or more. Empty means that whoever reaches the page may read it.
	Token string
	// Hosts are names by which the page may be called on a loopback address, beside
	// localhost and the addresses themselves; others are turned away, since a page
	// elsewhere could have its name lead here. "*" is any name.
	Hosts []string
	// ShowStatements shows what sessions are at that are waited for, with the values
	// that the application has put into its SQL. They are in status.json in any case.
	ShowStatements bool
	// Logger is told when the database cannot be read, and when it can be again. Nil
	// means slog.Default().
	Logger *slog.Logger
}

// minToken is how short a token may be.
const minToken = 16

func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = 2 * time.Second
	}
	if c.Window == 0 {
		c.Window = 30 * time.Minute
	}
	if c.Events == 0 {
		c.Events = 20
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 100
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Interval", c.Interval}, {"Window", c.Window}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %s", d.name, d.value))
		}
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"Events", c.Events}, {"MaxStreams", c.MaxStreams}} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %d", n.name, n.value))
		}
	}
	if c.Token != "" && len(c.Token) < minToken {
		errs = append(errs, fmt.Errorf("the token has %d characters, it takes at least %d", len(c.Token), minToken))
	}
	return errors.Join(errs...)
}
