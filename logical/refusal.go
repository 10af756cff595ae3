package logical

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Code names a precondition that does not hold.
type Code string

// The codes of refusals.
const (
	Pooler          Code = "pooler"           // the connection does not lead to the server itself
	NoRight         Code = "no-replication"   // the role lacks REPLICATION
	WALLevel        Code = "wal-level"        // wal_level is not logical
	Version         Code = "version"          // PostgreSQL before 13
	Standby         Code = "standby"          // the server is in recovery
	NoSlot          Code = "no-slot"          // max_replication_slots is used up
	NoWALSender     Code = "no-wal-sender"    // max_wal_senders is used up
	NoTable         Code = "no-table"         // there is no such table, or it cannot be published
	NoIdentity      Code = "no-identity"      // UPDATE and DELETE of the application would fail
	NoKey           Code = "no-key"           // nothing tells one row from another
	SlotForeign     Code = "slot-foreign"     // the slot is of another database or plugin
	Publication     Code = "publication"      // it is missing, or somebody else's
	NoFailoverSlots Code = "no-failover-slot" // Config.Failover before PostgreSQL 17
)

// Refusal is a precondition that does not hold.
type Refusal struct {
	Code    Code
	Message string
	// Hint says what to do, on the managed service that the server looks like.
	Hint string
}

// Error returns message and hint.
func (r *Refusal) Error() string { return "logical: " + r.Message + ": " + r.Hint }

// AsRefusal tells whether err, or what it wraps, is a refusal, and returns the
// first one.
func AsRefusal(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}

// Service is a managed PostgreSQL.
type Service string

// The services that hints are given for. The empty one is a plain server.
const (
	Plain    Service = ""
	RDS      Service = "Amazon RDS or Aurora"
	CloudSQL Service = "Google Cloud SQL"
	Azure    Service = "Azure Database"
	Neon     Service = "Neon"
	Supabase Service = "Supabase"
)

// roles are what each service leaves in every database.
var roles = map[string]Service{
	"rds_superuser":     RDS,
	"cloudsqlsuperuser": CloudSQL,
	"azure_pg_admin":    Azure,
	"neon_superuser":    Neon,
	"supabase_admin":    Supabase,
}

// hints say what to do, by code and service. The plain one serves where a
// service has none of its own. docs/logical.md has the same table.
var hints = map[Code]map[Service]string{
	WALLevel: {
		Plain:    "set wal_level = logical in postgresql.conf and restart the server",
		RDS:      "set rds.logical_replication = 1 in the (cluster) parameter group and reboot the writer",
		CloudSQL: "set the flag cloudsql.logical_decoding = on, which restarts the instance",
		Azure:    "set the server parameter wal_level = logical and restart the server",
		Neon:     "enable logical replication in the project's settings; computes restart, and it cannot be undone",
		Supabase: "wal_level is logical by default: ask its support",
	},
	NoRight: {
		Plain:    "a superuser runs: alter role %s replication",
		RDS:      "grant rds_replication to %s",
		CloudSQL: "alter role %s with replication, as a user that is a cloudsqlsuperuser",
		Azure:    "alter role %s with replication, as the server's administrator",
		Neon:     "alter role %s with replication; roles made in the console have it by way of neon_superuser",
		Supabase: "connect as postgres, or alter role %s with replication",
	},
	Pooler: {
		Plain:    "connect to the server itself, not by way of PgBouncer or another pooler",
		RDS:      "use the instance's (or the cluster writer's) endpoint, not RDS Proxy",
		CloudSQL: "use the instance's address or the Auth Proxy, not managed connection pooling",
		Azure:    "use port 5432, not the built-in PgBouncer on 6432",
		Neon:     "use the host name without -pooler",
		Supabase: "use the direct connection (db.<project>.supabase.co:5432), not Supavisor",
	},
	NoSlot: {
		Plain: "drop a slot that nobody uses (select slot_name, active from pg_replication_slots), or raise max_replication_slots and restart",
		RDS:   "drop a slot that nobody uses, or raise max_replication_slots in the parameter group and reboot",
	},
	NoWALSender: {
		Plain: "end a replication connection (pg_stat_replication), or raise max_wal_senders and restart",
		RDS:   "end a replication connection (pg_stat_replication), or raise max_wal_senders in the parameter group and reboot",
	},
	Standby: {
		Plain: "connect to the primary: target_session_attrs=read-write chooses it among several hosts",
		RDS:   "use the writer's endpoint, not a reader's",
		Neon:  "use the primary compute, not a read replica",
	},
}

// hint returns the text for a code on a service; %s in it is the role.
func hint(code Code, service Service, role string) string {
	text, ok := hints[code][service]
	if !ok {
		text = hints[code][Plain]
	}
	if code == NoRight {
		return fmt.Sprintf(text, pgx.Identifier{role}.Sanitize())
	}
	return text
}

// detectService tells which managed service the server looks like.
func detectService(ctx context.Context, conn *pgx.Conn) Service {
	names := make([]string, 0, len(roles))
	for name := range roles {
		names = append(names, name)
	}
	var role string
	err := conn.QueryRow(ctx, `select rolname from pg_catalog.pg_roles where rolname = any($1) order by 1 limit 1`, names).Scan(&role)
	if err != nil {
		return Plain // a guess that only improves a hint
	}
	return roles[role]
}
