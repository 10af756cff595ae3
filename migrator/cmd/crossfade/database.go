package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

// connString is where the database is, as the flag or a variable of ours says.
func (a *app) connString() string {
	return cmp.Or(a.databaseURL, os.Getenv("CROSSFADE_DATABASE_URL"), os.Getenv("DATABASE_URL"))
}

// connConfig says where the database is. Without a flag or a variable of ours,
// pgx looks at libpq's variables.
func (a *app) connConfig() (*pgx.ConnConfig, error) {
	connString := a.connString()
	config, err := pgx.ParseConfig(connString)
	if err != nil {
		return nil, &usageError{cause: withoutPassword(connString, err)}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "crossfade"
	}
	return config, nil
}

// standbyConfigs says where the standbys are that were named.
func (a *app) standbyConfigs() ([]*pgx.ConnConfig, error) {
	var configs []*pgx.ConnConfig
	for _, connString := range a.standbys {
		config, err := pgx.ParseConfig(connString)
		if err != nil {
			return nil, &usageError{cause: fmt.Errorf("--standby: %w", withoutPassword(connString, err))}
		}
		configs = append(configs, config)
	}
	return configs, nil
}

// withoutPassword says what is wrong with a connection string. Only of a URL
// that can be taken apart is it known where the password stands; of any other
// string nothing is repeated.
func withoutPassword(connString string, err error) error {
	const expected = "the connection string cannot be read: " +
		"it is postgres://user@host:5432/database, with special characters percent-encoded, or key=value pairs"
	var parse *pgconn.ParseConfigError
	u, malformed := url.Parse(connString)
	if connString == "" || !errors.As(err, &parse) {
		return err
	}
	if malformed != nil || u.Scheme == "" {
		return errors.New(expected)
	}
	_, reason, ok := strings.Cut(parse.Error(), "`: ")
	if !ok {
		return errors.New(expected)
	}
	password, _ := u.User.Password()
	for _, secret := range []string{password, u.Query().Get("password"), u.Query().Get("sslpassword")} {
		if secret != "" && strings.Contains(reason, secret) {
			return errors.New(expected)
		}
	}
	return errors.New("read the connection string: " + reason)
}

// connect opens a connection for a command that looks for itself, marked so
// that no drain waits for it.
func (a *app) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := a.connConfig()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := fence.Own(ctx, conn); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}
