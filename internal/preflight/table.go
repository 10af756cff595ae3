package preflight

import (
	"context"
	"fmt"
	"strings"
)

// table is what pg_class says.
type table struct {
	OID         uint32
	Namespace   uint32
	Kind        string
	Persistence string
	Partition   bool
	Typed       bool
	Inherits    bool
	Owner       string
	Owned       bool
	MayCreate   bool
	HidesRows   bool
	Width       int
	RowType     uint32
	User        string
	InRecovery  bool
}

// maxColumns is MaxHeapAttributeNumber, dropped columns included.
const maxColumns = 1600

var kinds = map[string]string{
	"v": "a view", "m": "a materialized view", "p": "a partitioned table", "f": "a foreign table",
	"S": "a sequence", "i": "an index", "I": "a partitioned index", "c": "a composite type", "t": "a TOAST table",
}

// readTable finds the table. Where there is none it has refused.
func readTable(ctx context.Context, in *inspection) error {
	found, err := query[table](ctx, in, `
		select c.oid, c.relnamespace, c.relkind::text, c.relpersistence::text, c.relispartition, c.reloftype <> 0,
			exists (select from pg_inherits i where c.oid in (i.inhrelid, i.inhparent)),
			pg_get_userbyid(c.relowner), pg_has_role(c.relowner, 'usage'), has_schema_privilege(c.relnamespace, 'create'),
			row_security_active(c.oid), c.relnatts::int, c.reltype, current_user::text, pg_is_in_recovery()
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2`, in.Schema, in.Table)
	if err != nil {
		return fmt.Errorf("read table: %w", err)
	}
	if len(found) == 0 {
		in.refuse("table-missing", in.tableName(), "it does not exist in this database",
			"check the spelling, the schema and the database; names are case-sensitive here")
		in.over = true
		return nil
	}
	in.table = found[0]
	return nil
}

func checkTable(ctx context.Context, in *inspection) error {
	if err := readTable(ctx, in); err != nil || in.over {
		return err
	}
	refuse := func(message, hint string) {
		in.refuse("table-kind", in.tableName(), message, hint)
	}
	t := in.table
	kind, isOther := kinds[t.Kind]
	system := strings.HasPrefix(in.Schema, "pg_") || in.Schema == "information_schema" || in.Schema == "crossfade"
	switch {
	case isOther && t.Kind != "p":
		in.over = true
		refuse("it is "+kind, "only a table can be in transition")
	case system:
		refuse("it belongs to PostgreSQL or to crossfade itself", "only a table of the application can be in transition")
	case t.Partition:
		refuse("it is a partition", "name the table that it is a partition of: a move is one of the whole")
	case t.Inherits && t.Kind != "p":
		refuse("it inherits from a table, or a table inherits from it", "only declarative partitioning is supported: make it that")
	case t.Typed:
		refuse("it is a table of a composite type, which fixes its columns", "run `alter table ... not of` first")
	case t.Persistence == "t":
		refuse("it is a temporary table", "only a table that every session sees can be in transition")
	}
	in.checkOwner()
	if t.Width >= maxColumns {
		in.refuse("too-many-columns", in.tableName(), "it has had 1600 columns, dropped ones included", "rebuild the table")
	}
	return nil
}

// checkOwner: whether this role, on this server, can change the table and see
// all of its rows.
func (in *inspection) checkOwner() {
	t := in.table
	if !t.Owned {
		in.refuse("not-owner", in.tableName(), fmt.Sprintf("it belongs to %s, and %s is not a member of that role", t.Owner, t.User),
			"run crossfade as the owner of the table, or as a member of its role")
	}
	if t.HidesRows {
		in.refuse("row-security", in.tableName(), fmt.Sprintf("row security hides rows from %s: the backfill would miss them", t.User),
			"run crossfade as a role with BYPASSRLS, or as the owner of the table without FORCE ROW LEVEL SECURITY")
	}
	if t.InRecovery {
		in.refuse("standby", "server", "this server is a standby", "connect crossfade to the primary")
	}
}
