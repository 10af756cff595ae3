package main

import (
	"context"
	"fmt"
	"sort"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/migrator"
)

// audit compares what is in the table with what the processes know. It reads
// the table directly, without the hook.
type audit struct {
	url string
	log func(format string, args ...any)

	divergent   map[int64]bool // rows in which the columns differed
	compared    int64          // rows compared in all
	lostUpdates int64
	unexplained int64
	rows        int64
	findings    int
}

// note tells of the first few findings in words; all are counted.
func (a *audit) note(format string, args ...any) {
	const most = 10
	if a.findings++; a.findings <= most {
		a.log("audit: "+format, args...)
	}
}

// compareColumns counts the rows in which the two columns differ. It is one
// statement, so it sees every transaction wholly or not at all: in a phase in
// which all write both, there is nothing to find at any moment.
func (a *audit) compareColumns(ctx context.Context, p migrator.Phase) error {
	const query = `select (select count(*) from users),
		array(select id from users where full_name is distinct from name order by id)`
	return database.WithConn(ctx, a.url, func(conn *pgx.Conn) error {
		var rows int64
		var differ []int64
		if err := conn.QueryRow(ctx, query).Scan(&rows, &differ); err != nil {
			return fmt.Errorf("compare the columns: %w", err)
		}
		a.compared += rows
		for _, id := range differ {
			if !a.divergent[id] {
				a.note("user %d: %s and %s differ in phase %s", id, sourceColumn, targetColumn, p)
			}
			a.divergent[id] = true
		}
		return nil
	})
}

// stored is a row of the table.
type stored struct {
	Email string
	Name  string
}

// compareJournals reads the table when the traffic has ended. Every row has to
// be what its owner's journal says, or as it was at the beginning.
func (a *audit) compareJournals(ctx context.Context, column string, seeds int, processes []*process) error {
	table, err := a.readTable(ctx, column)
	if err != nil {
		return err
	}
	a.rows = int64(len(table))
	byEmail := map[string]int64{}
	for id, s := range table {
		byEmail[s.Email] = id
	}

	known := map[int64]bool{}
	counters := map[string]interval{}
	var lost []record
	for _, p := range processes {
		for _, c := range p.counters {
			sum := counters[c.Email]
			sum.Acked += c.Acked
			sum.Started += c.Started
			sum.Seen = max(sum.Seen, c.Seen)
			counters[c.Email] = sum
		}
		for _, r := range p.rows {
			if r.ID == 0 {
				lost = append(lost, r)
				continue
			}
			known[r.ID] = true
			a.compareRow(r, table)
		}
	}
	for _, r := range lost { // inserts of unknown outcome
		if id, ok := byEmail[r.Email]; ok && !known[id] {
			known[id] = true
			r.ID = id
			a.compareRow(r, table)
		}
	}
	a.compareCounters(counters, table, byEmail, known)
	a.compareRest(seeds, table, known)
	return nil
}

// compareRow looks for updates, inserts and deletes that were acknowledged and
// are not there.
func (a *audit) compareRow(r record, table map[int64]stored) {
	s, ok := table[r.ID]
	got := state{Exists: ok, Name: s.Name}
	if !r.allows(got) {
		a.lostUpdates++
		a.note("user %d is %q, must be %q", r.ID, got, r.May)
	}
	if ok && s.Email != r.Email {
		a.unexplained++
		a.note("user %d has the address of another", r.ID)
	}
}

// compareCounters checks that a shared row has grown by all that was
// acknowledged, and by nothing that was never begun.
func (a *audit) compareCounters(counters map[string]interval, table map[int64]stored, byEmail map[string]int64, known map[int64]bool) {
	emails := make([]string, 0, len(counters))
	for email := range counters {
		emails = append(emails, email)
	}
	sort.Strings(emails)
	for _, email := range emails {
		c := counters[email]
		id, ok := byEmail[email]
		var n int64
		if ok {
			known[id] = true
			var err error
			if n, err = counterValue(table[id].Name); err != nil {
				a.unexplained++
				a.note("user %d: %v", id, err)
				continue
			}
		}
		switch {
		case n < c.Acked:
			a.lostUpdates += c.Acked - n
			a.note("user %d counts %d, but %d updates were acknowledged", id, n, c.Acked)
		case n > c.Started:
			a.unexplained++
			a.note("user %d counts %d, but only %d updates were begun", id, n, c.Started)
		}
	}
}

// compareRest checks the rows that nobody claims to have written.
func (a *audit) compareRest(seeds int, table map[int64]stored, known map[int64]bool) {
	for id := int64(1); id <= int64(seeds); id++ {
		if s, ok := table[id]; !known[id] && (!ok || s.Name != seedName(id) || s.Email != seedEmail(id)) {
			a.unexplained++
			a.note("user %d is %q, and nobody has written it", id, state{ok, s.Name})
		}
	}
	for id, s := range table {
		if id > int64(seeds) && !known[id] {
			a.unexplained++
			a.note("user %d is %q, and nobody has inserted it", id, s.Name)
		}
	}
}

func (a *audit) readTable(ctx context.Context, column string) (map[int64]stored, error) {
	table := map[int64]stored{}
	err := database.WithConn(ctx, a.url, func(conn *pgx.Conn) error {
		// A name that is missing is a name that is wrong.
		query := `select id, email, coalesce(` + pgx.Identifier{column}.Sanitize() + `, '(null)') from users`
		rows, err := conn.Query(ctx, query)
		if err != nil {
			return err
		}
		var id int64
		var s stored
		_, err = pgx.ForEachRow(rows, []any{&id, &s.Email, &s.Name}, func() error {
			table[id] = s
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the table: %w", err)
	}
	return table, nil
}
