package preflight

import (
	"context"
	"fmt"
	"slices"
)

func checkTarget(ctx context.Context, in *inspection) error {
	found, err := query[struct{ Name, Type string }](ctx, in, `
		select attname, format_type(atttypid, atttypmod) from pg_attribute
		where attrelid = $1 and attname = any($2) and attnum > 0 and not attisdropped order by attnum`,
		in.table.OID, in.Move.TargetNames())
	if err != nil {
		return fmt.Errorf("read targets: %w", err)
	}
	for _, target := range found {
		message, hint := "it exists already", "choose another name; if an earlier transition left it behind and "+
			"nothing uses it, drop it (alter table ... drop column ...)"
		if !slices.ContainsFunc(in.sources, func(c column) bool { return c.Type == target.Type }) {
			message = fmt.Sprintf("it exists already with type %s, the source has %s", target.Type, in.sources[0].Type)
		}
		in.refuse("target-exists", in.columnName(target.Name), message, hint)
	}
	return nil
}
