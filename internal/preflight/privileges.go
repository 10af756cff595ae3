package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkPrivileges: both the applications and the migrator need some of their
// own.
func checkPrivileges(ctx context.Context, in *inspection) error {
	if err := checkMonitor(ctx, in); err != nil {
		return err
	}
	return checkRoles(ctx, in)
}

// checkMonitor: without pg_read_all_stats PostgreSQL hides what sessions of
// other roles are and do, so a drain could not wait for them.
func checkMonitor(ctx context.Context, in *inspection) error {
	found, err := query[struct{ Sees, Signals bool }](ctx, in,
		`select pg_has_role('pg_read_all_stats', 'usage'), pg_has_role('pg_signal_backend', 'usage')`)
	if err != nil {
		return fmt.Errorf("read privileges: %w", err)
	}
	role := "role " + in.table.User
	if !found[0].Sees {
		in.refuse("no-read-all-stats", role, "it does not see the sessions of other roles, so it would not wait for them",
			"grant pg_read_all_stats to it; if all sessions on the table are of roles it is a member of, accept no-read-all-stats")
	}
	if !found[0].Signals {
		in.info("no-signal-backend", role, "it may not end sessions of other roles that hold up a drain",
			"grant pg_signal_backend to it if it shall")
	}
	return nil
}

// checkRoles looks at the roles that are connected: each must be able to join.
func checkRoles(ctx context.Context, in *inspection) error {
	roles, err := query[struct{ Name string }](ctx, in, `
		select distinct quote_ident(r.rolname)
		from pg_stat_activity a
		join pg_roles r on r.oid = a.usesysid
		join pg_namespace n on n.nspname = $1
		left join pg_class v on v.relnamespace = n.oid and v.relname = 'join_v1'
		where a.datname = current_database()
			and not (has_schema_privilege(r.oid, n.oid, 'usage') and coalesce(has_table_privilege(r.oid, v.oid, 'select'), false))
		order by 1`, ledger.Schema)
	if err != nil {
		return fmt.Errorf("read roles: %w", err)
	}
	for _, r := range roles {
		in.warn("role-cannot-join", "role "+r.Name, "it is connected, and may not read the ledger: a hook of this role cannot join",
			"run `crossfade init --grant-to "+r.Name+"`")
	}
	return nil
}
