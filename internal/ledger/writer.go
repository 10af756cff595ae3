package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Writer is somebody who wrote the sources of a transition alone, as its trigger
// noted it; or, under a tail, who was seen with a lock on the table.
type Writer struct {
	Role        string `json:"role"`
	Application string `json:"application"`
	// Client is the address, "local" for a unix socket.
	Client string `json:"client"`
	// Sessions is how many sessions of it have been seen.
	Sessions int       `json:"sessions"`
	LastSeen time.Time `json:"last_seen"`
	// Ago is the time since then, by the clock of the database.
	Ago time.Duration `json:"ago_ns"`
}

// Writers lists who was seen writing, the last first. A note is made at most
// once in ten minutes for each session.
func Writers(ctx context.Context, db Conn, id int64) ([]Writer, error) {
	rows, err := db.Query(ctx, `
		select role, application, client, count(distinct pid), max(at),
			greatest(extract(epoch from clock_timestamp() - max(at)), 0)::float8
		from crossfade.writer where transition_id = $1 group by 1, 2, 3 order by 5 desc`, id)
	if err != nil {
		return nil, fmt.Errorf("list writers: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Writer, error) {
		var w Writer
		var ago float64
		err := row.Scan(&w.Role, &w.Application, &w.Client, &w.Sessions, &w.LastSeen, &ago)
		w.Ago = time.Duration(ago * float64(time.Second))
		return w, err
	})
	if err != nil {
		return nil, fmt.Errorf("list writers: %w", err)
	}
	return list, nil
}
