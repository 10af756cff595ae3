package ledger

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
)

// report calls one of the functions that take what a hook has to say. It needs no
// more rights than joining. A ledger that does not know the function takes nothing,
// and neither does a standby. What a role has by default for its transactions does
// not count: that of a pool for reading may forbid writes.
func report(ctx context.Context, db Conn, function string, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	var known bool
	err = db.QueryRow(ctx, `select to_regprocedure('crossfade.`+function+`(jsonb)') is not null and not pg_is_in_recovery()`).Scan(&known)
	if err != nil || !known {
		return err
	}
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set transaction isolation level read committed, read write`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `select crossfade.`+function+`($1)`, string(text)) // in every exec mode
		return err
	})
}
