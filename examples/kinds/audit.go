package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/migrator"
)

// audit compares the table with what the shop knows.
type audit struct {
	url string
	log func(format string, args ...any)

	divergent   int64 // rows in which the two sides were at odds
	lost        int64 // rows that are not as the journal has them
	unexplained int64 // rows that nobody has written
	audited     int64
	findings    int
}

// note tells of the first few findings in words; all are counted.
func (a *audit) note(format string, args ...any) {
	const most = 10
	if a.findings++; a.findings <= most {
		a.log("audit: "+format, args...)
	}
}

// compareSides counts the rows in which the two sides of a transition are at
// odds, without the hook. It is one statement, so it sees every transaction wholly
// or not at all: in a phase in which all write both, there is nothing to find at
// any moment.
func (a *audit) compareSides(ctx context.Context, m move, p migrator.Phase) error {
	return database.WithConn(ctx, a.url, func(conn *pgx.Conn) error {
		var n int64
		if err := conn.QueryRow(ctx, `select count(*) from orders where `+m.atOdds).Scan(&n); err != nil {
			return fmt.Errorf("compare the sides of %s: %w", m.Name, err)
		}
		if a.divergent += n; n > 0 {
			a.note("%d rows in phase %s of %s: %s", n, p, m.Name, m.atOdds)
		}
		return nil
	})
}

// compareJournal reads the whole table, by the names of each client that has
// worked on it, when the traffic has ended.
func (a *audit) compareJournal(ctx context.Context, t *traffic) error {
	for _, client := range t.clients {
		rows, err := t.pool.Query(ctx, client.list)
		if err != nil {
			return fmt.Errorf("audit by the %s: %w", client.names, err)
		}
		list, err := client.orders(rows)
		if err != nil {
			return fmt.Errorf("audit by the %s: %w", client.names, err)
		}
		left := t.journal.all()
		for _, got := range list {
			want, known := left[got.ID]
			delete(left, got.ID)
			switch {
			case !known:
				a.unexplained++
				a.note("%s: %+v, and nobody has written it", client.names, got)
			case got != want:
				a.lost++
				a.note("%s: %+v, must be %+v", client.names, got, want)
			}
		}
		for _, want := range left {
			a.lost++
			a.note("%s: %+v is not there", client.names, want)
		}
		a.audited += int64(len(list))
	}
	return nil
}
