package preflight

import (
	"context"
	"fmt"
)

func checkTarget(ctx context.Context, in *inspection) error {
	types, err := query[struct{ Type string }](ctx, in, `
		select format_type(atttypid, atttypmod) from pg_attribute
		where attrelid = $1 and attname = $2 and attnum > 0 and not attisdropped`, in.table.OID, in.Target)
	if err != nil {
		return fmt.Errorf("read target: %w", err)
	}
	for _, target := range types {
		message, hint := "it exists already", "choose another name; if an earlier transition left it behind and "+
			"nothing uses it, drop it (alter table ... drop column ...)"
		if target.Type != in.column.Type {
			message = fmt.Sprintf("it exists already with type %s, the source has %s", target.Type, in.column.Type)
		}
		in.refuse("target-exists", in.targetName(), message, hint)
	}
	return nil
}
