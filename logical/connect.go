package logical

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// closeTimeout bounds the goodbye of a connection.
const closeTimeout = 5 * time.Second

// formats fix what the text of keys depends on, whatever the role's settings.
var formats = map[string]string{
	"client_encoding":    "UTF8",
	"datestyle":          "ISO",
	"intervalstyle":      "postgres",
	"extra_float_digits": "3",
	"bytea_output":       "hex",
}

// connect opens an ordinary connection, to the server itself.
func (t *Tailer) connect(ctx context.Context) (*pgx.Conn, error) {
	config := t.config.Conn.Copy()
	delete(config.RuntimeParams, "replication")
	setParams(config.RuntimeParams, formats)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	// What is acknowledged must survive a crash, so a commit must wait for the
	// disk, whatever the role's default.
	var pid uint32
	var replica bool
	err = conn.QueryRow(ctx, `select pg_backend_pid(), pg_is_in_recovery(),
		set_config('synchronous_commit', case when current_setting('synchronous_commit') in ('off', 'local')
			then 'on' else current_setting('synchronous_commit') end, false) is null`,
		pgx.QueryExecModeSimpleProtocol).Scan(&pid, &replica, nil)
	switch {
	case err != nil:
		err = fmt.Errorf("connect: %w", err)
	case pid != conn.PgConn().PID():
		err = t.refuse(ctx, conn, Pooler, "the connection leads to a pooler")
	case replica:
		err = t.refuse(ctx, conn, Standby, "the server is a standby")
	}
	if err != nil {
		closeConn(ctx, conn)
		return nil, err
	}
	return conn, nil
}

// connectReplication opens a replication connection to the server that conn is
// connected to, and tells which it is.
func (t *Tailer) connectReplication(ctx context.Context, conn *pgx.Conn) (_ *pgconn.PgConn, _ pglogrepl.IdentifySystemResult, err error) {
	var system pglogrepl.IdentifySystemResult
	config := t.config.Conn.Config.Copy()
	setParams(config.RuntimeParams, formats)
	config.RuntimeParams["replication"] = "database"
	repl, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, system, t.refuseReplication(ctx, conn, err)
	}
	defer func() {
		if err != nil {
			closeReplication(ctx, repl)
		}
	}()
	if system, err = pglogrepl.IdentifySystem(ctx, repl); err != nil {
		return nil, system, fmt.Errorf("identify the server: %w", err)
	}
	results, err := repl.Exec(ctx, "select pg_backend_pid()").ReadAll()
	if err != nil {
		return nil, system, fmt.Errorf("identify the server: %w", err)
	}
	if string(results[0].Rows[0][0]) != fmt.Sprint(repl.PID()) {
		return nil, system, t.refuse(ctx, conn, Pooler, "the replication connection leads to a pooler")
	}
	// With several hosts the two connections could lead to different servers.
	var same bool
	err = conn.QueryRow(ctx, `select exists (select from pg_catalog.pg_stat_activity where pid = $1 and backend_type = 'walsender')`,
		int32(repl.PID())).Scan(&same)
	switch {
	case err != nil:
		return nil, system, fmt.Errorf("compare servers: %w", err)
	case !same:
		return nil, system, fmt.Errorf("connect: the replication connection leads to another server")
	}
	return repl, system, nil
}

func setParams(params, values map[string]string) {
	for name, value := range values {
		params[name] = value
	}
}

// refuseReplication makes a refusal of an error of a replication connection,
// where an ordinary one works.
func (t *Tailer) refuseReplication(ctx context.Context, conn *pgx.Conn, err error) error {
	switch code := sqlState(err); {
	case code == codeTooMany:
		return t.refuse(ctx, conn, NoWALSender, "the server takes no further replication connection")
	case code == codePrivilege, code == codeAuthorization:
		return t.refuse(ctx, conn, NoRight, "the role "+t.config.Conn.User+" may not replicate")
	case code == codeProtocol || strings.Contains(err.Error(), "startup parameter"):
		return t.refuse(ctx, conn, Pooler, "the address does not take replication connections")
	}
	return fmt.Errorf("connect for replication: %w", err)
}

// refuse makes a refusal whose hint suits the server.
func (t *Tailer) refuse(ctx context.Context, conn *pgx.Conn, code Code, message string) *Refusal {
	return &Refusal{Code: code, Message: message, Hint: hint(code, detectService(ctx, conn), t.config.Conn.User)}
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx) // what it did is committed or rolled back either way
}

func closeReplication(ctx context.Context, conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
