package migrator

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// readersKnow: nobody reads the sources on a standby without knowing of the
// transition. Nothing would fail there: from complete on they would read what is
// not written any more. A session that knows names a token in each statement.
func readersKnow(ctx context.Context, w *work) error {
	var looked []*standby
	var readers []Session
	for _, standby := range w.standbys {
		sessions, err := w.olderOn(ctx, standby, w.t.RegisteredEpoch)
		if err != nil {
			return err
		}
		for _, s := range sessions {
			if s.Behind != "" || s.Hooked() || !w.ignores(s) {
				readers = append(readers, s)
			}
		}
		if !slices.ContainsFunc(sessions, func(s Session) bool { return s.Behind != "" }) {
			looked = append(looked, standby)
		}
	}
	others, twice, err := w.otherStandbys(ctx, looked)
	switch {
	case err != nil:
		return err
	case twice != "":
		return w.closed("give each of them once", "%s are the same standby", twice)
	}
	if len(readers) > 0 {
		return w.closed("end these sessions, or restart what they belong to; those of an application that never reads the column "+
			"are listed under ignore_applications", "these may read %s on a standby as it was before: %s",
			strings.Join(w.t.Definition.SourceNames(), ", "), strings.Join(lines(readers), "; "))
	}
	if len(others) > 0 {
		return w.closed("give the URL of each with --standby", "nobody looks at the sessions of standby %s: "+
			"those who read %s there would not notice that it is not written any more",
			strings.Join(others, ", "), strings.Join(w.t.Definition.SourceNames(), ", "))
	}
	return nil
}

// otherStandbys are the names of those that stream from here, or from one that is
// looked at, and are not looked at themselves. twice names two that are the same.
func (s *session) otherStandbys(ctx context.Context, looked []*standby) (others []string, twice string, err error) {
	if others, err = walSenders(ctx, s.conn); err != nil {
		return nil, "", err
	}
	var names []string
	seen := map[time.Time]string{}
	for _, standby := range looked {
		place, err := standby.place(ctx)
		if err != nil {
			return nil, "", fmt.Errorf("look at standby %s: %w", standby.name, err)
		}
		if twin, ok := seen[place.started]; ok {
			return nil, twin + " and " + standby.name, nil
		}
		seen[place.started] = standby.name
		names, others = append(names, place.name), append(others, place.senders...)
	}
	for _, name := range names {
		if i := slices.Index(others, name); i >= 0 {
			others = slices.Delete(others, i, i+1)
		}
	}
	return others, "", nil
}

// walSenders are the application names of the standbys that replay what this
// server sends.
func walSenders(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `
		select r.application_name from pg_catalog.pg_stat_replication r
		where (r.state is null or r.state in ('streaming', 'catchup') and r.replay_lsn is not null)
			and not exists (select from pg_catalog.pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')
		order by 1`)
	if err != nil {
		return nil, fmt.Errorf("look at the standbys: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look at the standbys: %w", err)
	}
	return names, nil
}

// place is where a standby stands among others.
type place struct {
	// name is its application name at the server that it streams from; empty when
	// it does not stream.
	name    string
	started time.Time
	senders []string
}

func (s *standby) place(ctx context.Context) (place, error) {
	ctx, cancel := context.WithTimeout(ctx, standbyPatience)
	defer cancel()
	var p place
	var err error
	if p.senders, err = walSenders(ctx, s.conn); err != nil {
		return p, err
	}
	var hidden bool
	var conninfo string
	err = s.conn.QueryRow(ctx, `select pg_postmaster_start_time(), coalesce(conninfo, ''), pid is not null and conninfo is null
		from (select) always left join pg_stat_wal_receiver on true`).Scan(&p.started, &conninfo, &hidden)
	if err == nil && hidden {
		err = errors.New("it does not show its pg_stat_wal_receiver to this role: grant it pg_read_all_stats")
	}
	for _, name := range receiverNames {
		if match := name.FindStringSubmatch(conninfo); match != nil && p.name == "" {
			p.name = match[1]
		}
	}
	return p, err
}

// receiverNames find the application name in the conninfo of a WAL receiver, where
// values are not quoted.
var receiverNames = []*regexp.Regexp{
	regexp.MustCompile(`(?:^| )application_name=(.*?)(?: \w+=|$)`),
	regexp.MustCompile(`(?:^| )fallback_application_name=(.*?)(?: \w+=|$)`),
}
