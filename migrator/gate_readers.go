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
	senders, err := walSenders(ctx, w.conn)
	if err != nil {
		return err
	}
	var names []string
	var readers []Session
	seen := map[time.Time]string{}
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
		if slices.ContainsFunc(sessions, func(s Session) bool { return s.Behind != "" }) {
			continue
		}
		place, err := standby.place(ctx)
		if err != nil {
			return fmt.Errorf("look at standby %s: %w", standby.name, err)
		}
		if twice, ok := seen[place.started]; ok {
			return w.closed("give each of them once", "%s and %s are the same standby", twice, standby.name)
		}
		seen[place.started] = standby.name
		names = append(names, place.name)
		senders = append(senders, place.senders...)
	}
	if len(readers) > 0 {
		return w.closed("end these sessions, or restart what they belong to; those of an application that never reads the column "+
			"are listed under ignore_applications", "these may read %s on a standby as it was before: %s",
			strings.Join(w.t.Definition.SourceNames(), ", "), strings.Join(lines(readers), "; "))
	}
	for _, name := range names {
		if i := slices.Index(senders, name); i >= 0 {
			senders = slices.Delete(senders, i, i+1)
		}
	}
	if len(senders) > 0 {
		return w.closed("give the URL of each with --standby", "nobody looks at the sessions of standby %s: "+
			"those who read %s there would not notice that it is not written any more",
			strings.Join(senders, ", "), strings.Join(w.t.Definition.SourceNames(), ", "))
	}
	return nil
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
