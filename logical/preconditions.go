package logical

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// check looks at what must hold before anything is made. The error joins all
// refusals.
func (t *Tailer) check(ctx context.Context, conn *pgx.Conn) error {
	version, err := serverVersion(ctx, conn)
	switch {
	case err != nil:
		return err
	case version < 130000:
		return &Refusal{Code: Version, Message: "the server is older than PostgreSQL 13", Hint: "upgrade it, or use a trigger"}
	}
	var refusals []error
	if t.config.Failover && version < 170000 {
		refusals = append(refusals, &Refusal{Code: NoFailoverSlots, Message: "this server has no failover slots",
			Hint: "leave Config.Failover unset, and set up anew after a failover"})
	}
	var level string
	var free, exists bool
	err = conn.QueryRow(ctx, `select current_setting('wal_level'),
		current_setting('max_replication_slots')::int > (select count(*) from pg_catalog.pg_replication_slots),
		exists (select from pg_catalog.pg_replication_slots where slot_name = $1)`, t.config.Slot).Scan(&level, &free, &exists)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if level != "logical" {
		refusals = append(refusals, t.refuse(ctx, conn, WALLevel, "wal_level is "+level+", not logical"))
	}
	if !free && !exists {
		refusals = append(refusals, t.refuse(ctx, conn, NoSlot, "all replication slots are in use"))
	}
	for _, table := range t.config.Tables {
		refusal, err := t.checkTable(ctx, conn, table)
		if err != nil {
			return fmt.Errorf("inspect %s: %w", table, err)
		}
		if refusal != nil {
			refusals = append(refusals, refusal)
		}
	}
	if len(t.config.Tables) == 0 {
		var found bool
		err := conn.QueryRow(ctx, `select exists (select from pg_catalog.pg_publication where pubname = $1)`, t.config.Publication).Scan(&found)
		if err != nil {
			return fmt.Errorf("look up publication: %w", err)
		}
		if !found {
			refusals = append(refusals, &Refusal{Code: Publication, Message: fmt.Sprintf("there is no publication %q", t.config.Publication),
				Hint: "create it, or list the tables in Config.Tables"})
		}
	}
	// Last: on a server of another wal_level it would not say more.
	repl, _, err := t.connectReplication(ctx, conn)
	if err == nil {
		closeReplication(ctx, repl)
	} else if r, ok := AsRefusal(err); ok {
		refusals = append(refusals, r)
	} else if len(refusals) == 0 {
		return err
	}
	return errors.Join(refusals...)
}

func serverVersion(ctx context.Context, conn *pgx.Conn) (version int, err error) {
	if err := conn.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return 0, fmt.Errorf("read the server's version: %w", err)
	}
	return version, nil
}

// checkTable looks at a table and its partitions. A published table without a
// replica identity takes no UPDATE or DELETE: that would hit the application.
func (t *Tailer) checkTable(ctx context.Context, conn *pgx.Conn, table Table) (*Refusal, error) {
	rows, err := conn.Query(ctx, `
		with tree as (
			select to_regclass($1)::oid as oid
			union select relid::oid from pg_catalog.pg_partition_tree(to_regclass($1)))
		select c.oid::regclass::text, c.oid = to_regclass($1)::oid, c.relkind::text, c.relpersistence::text, c.relreplident::text,
			exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid),
			exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisreplident and i.indisvalid)
		from tree join pg_catalog.pg_class c on c.oid = tree.oid
		order by 2 desc, 1`, table.String())
	if err != nil {
		return nil, err
	}
	type relation struct {
		Name                        string
		Top                         bool
		Kind, Persistence, Identity string
		Primary, Index              bool
	}
	relations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
	if err != nil {
		return nil, err
	}
	if len(relations) == 0 {
		return &Refusal{Code: NoTable, Message: fmt.Sprintf("there is no table %s", table), Hint: "names are taken as the catalog has them"}, nil
	}
	for _, r := range relations {
		// Of a partitioned table the root gives the key, if it gives the name.
		named := r.Top != t.config.NameLeaves || len(relations) == 1
		identified := r.Identity == "d" && r.Primary || r.Identity == "i" && r.Index || r.Identity == "f"
		switch {
		case r.Kind != "r" && r.Kind != "p":
			return &Refusal{Code: NoTable, Message: r.Name + " is not a table", Hint: "name the table behind it"}, nil
		case r.Persistence != "p":
			return &Refusal{Code: NoTable, Message: r.Name + " is unlogged or temporary", Hint: "only what is logged can be followed: use a trigger"}, nil
		case !identified && (r.Kind == "r" || named):
			return &Refusal{Code: NoIdentity, Message: "publishing " + r.Name + " would make its UPDATE and DELETE fail: it has no replica identity",
				Hint: "add a primary key, or: alter table " + r.Name + " replica identity using index (a unique one on columns that are not null)"}, nil
		case r.Identity == "f" && !r.Primary && named:
			return &Refusal{Code: NoKey, Message: r.Name + " has REPLICA IDENTITY FULL and no primary key",
				Hint: "add a primary key: nothing else tells one row from another"}, nil
		}
	}
	return nil, nil
}
