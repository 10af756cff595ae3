package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Latest reads the transition of that name that was registered last, removed or
// not; false when there never was one.
func Latest(ctx context.Context, db Conn, name string) (Transition, bool, error) {
	rows, err := db.Query(ctx, `select `+transitionColumns+` from crossfade.transition where name = $1 order by id desc limit 1`, name)
	if err != nil {
		return Transition{}, false, fmt.Errorf("read transition %q: %w", name, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanTransition)
	if errors.Is(err, pgx.ErrNoRows) {
		return Transition{}, false, nil
	}
	if err != nil {
		return Transition{}, false, fmt.Errorf("read transition %q: %w", name, err)
	}
	return t, true, nil
}
