package dualwrite

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5/pgconn"
)

// followPath asks the session for its search_path if a callback of the
// application has changed it, so that names mean what they mean to the server.
// A change outside of a callback is not followed: whether and when it takes
// effect cannot be seen from the text, and names that rest on it are refused.
func (c *conn) followPath(ctx context.Context, pc *pgconn.PgConn) error {
	if !c.pathMoved {
		return nil
	}
	result := pc.ExecParams(ctx, `select array_to_json(pg_catalog.current_schemas(true))`, nil, nil, nil, nil).Read()
	if result.Err != nil {
		return result.Err
	}
	var path []string
	if err := json.Unmarshal(result.Rows[0][0], &path); err != nil {
		return err
	}
	texts, err := c.world.under(path)
	if err != nil {
		return err
	}
	c.texts, c.pathMoved = texts, false
	return nil
}
