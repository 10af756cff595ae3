package logical

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// newRelation finds the columns of the key by name. full are those of the
// primary key, for a table whose whole row is its replica identity. A relation
// without a key is no error yet: partitions are described too whose changes come
// under the name of the root.
func newRelation(m *pglogrepl.RelationMessage, full []string) *Relation {
	const keyFlag, identityFull = 1, 'f'
	r := &Relation{ID: m.RelationID, Schema: m.Namespace, Name: m.RelationName}
	if m.ReplicaIdentity == identityFull {
		for _, name := range full {
			i := slices.IndexFunc(m.Columns, func(c *pglogrepl.RelationMessageColumn) bool { return c.Name == name })
			if i < 0 {
				r.Key, r.positions = nil, nil
				break
			}
			r.Key, r.positions = append(r.Key, name), append(r.positions, i)
		}
	} else {
		for i, c := range m.Columns {
			if c.Flags&keyFlag != 0 {
				r.Key, r.positions = append(r.Key, c.Name), append(r.positions, i)
			}
		}
	}
	return r
}

// key reads the key out of a tuple. A value that is stored out of line and has
// not changed is left out of a new tuple; the old one has it then.
func (r *Relation) key(tuple, old *pglogrepl.TupleData) ([]string, error) {
	if len(r.positions) == 0 {
		return nil, &Refusal{Code: NoKey, Message: fmt.Sprintf("%s has no key in the log", r.Table()),
			Hint: "give it a primary key (under REPLICA IDENTITY FULL, one with the columns of that time), drop the slot, and set up anew"}
	}
	key := make([]string, len(r.positions))
	for i, position := range r.positions {
		column := tupleColumn(tuple, position)
		if column != nil && column.DataType == pglogrepl.TupleDataTypeToast {
			column = tupleColumn(old, position)
		}
		if column == nil || column.DataType != pglogrepl.TupleDataTypeText {
			return nil, fmt.Errorf("decode the log: a row of %s without a value of its key column %q", r.Table(), r.Key[i])
		}
		key[i] = string(column.Data)
	}
	return key, nil
}

func tupleColumn(tuple *pglogrepl.TupleData, position int) *pglogrepl.TupleDataColumn {
	if tuple == nil || position >= len(tuple.Columns) {
		return nil
	}
	return tuple.Columns[position]
}

// primaryKeys reads the primary keys of the tables whose whole row is, or may
// become, their replica identity: the log does not mark them.
func primaryKeys(ctx context.Context, conn *pgx.Conn, publication string) (map[uint32][]string, error) {
	rows, err := conn.Query(ctx, `
		select c.oid, array_agg(a.attname::text order by k.place)
		from pg_catalog.pg_class c
		join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
		cross join lateral unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality as k (attnum, place)
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
		where c.relreplident = 'f' or c.oid in (
			select r.prrelid from pg_catalog.pg_publication_rel r
			join pg_catalog.pg_publication p on p.oid = r.prpubid where p.pubname = $1)
		group by c.oid`, publication)
	if err != nil {
		return nil, fmt.Errorf("read primary keys: %w", err)
	}
	keys := map[uint32][]string{}
	var oid uint32
	var names []string
	_, err = pgx.ForEachRow(rows, []any{&oid, &names}, func() error {
		keys[oid] = slices.Clone(names)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read primary keys: %w", err)
	}
	return keys, nil
}
