package preflight

import (
	"context"
	"fmt"
	"slices"
)

// dependent is an object that pg_depend ties to a source.
type dependent struct {
	Class       string // the catalog it is in
	OID         uint32
	Sub         int32
	Description string
}

func readDependents(ctx context.Context, in *inspection) error {
	var err error
	in.dependents, err = query[dependent](ctx, in, `
		select distinct d.classid::regclass::text, d.objid, d.objsubid, pg_describe_object(d.classid, d.objid, d.objsubid)
		from pg_depend d
		where d.refclassid = 'pg_class'::regclass and d.refobjid = $1 and d.refobjsubid = any($2)
		order by 1, 4`, in.table.OID, in.numbers())
	if err != nil {
		return fmt.Errorf("read dependents: %w", err)
	}
	return nil
}

// of lists the dependents that are in a catalog.
func (in *inspection) of(class string) []uint32 {
	ids := []uint32{} // not nil: it travels as an empty array
	for _, d := range in.dependents {
		if d.Class == class {
			ids = append(ids, d.OID)
		}
	}
	return ids
}

// looked are the catalogs whose dependents have a check of their own.
var looked = []string{
	"pg_attrdef", "pg_class", "pg_constraint", "pg_policy", "pg_proc", "pg_publication_rel", "pg_rewrite",
	"pg_statistic_ext", "pg_trigger",
}

// checkOther refuses what this package does not know: a later PostgreSQL may
// have new kinds of objects, and dropping the source would fail.
func checkOther(_ context.Context, in *inspection) error {
	for _, d := range in.dependents {
		if !slices.Contains(looked, d.Class) {
			in.refuse("depends", d.Description, "it depends on the source", "drop it, or make it depend on something else")
		}
	}
	return nil
}
