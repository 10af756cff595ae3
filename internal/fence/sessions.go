package fence

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Querier is what this package needs of a connection.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// NoEpoch is the Epoch of a session that holds no epoch lock.
const NoEpoch = -1

// Session is a session of this database, as pg_stat_activity shows it, or a
// prepared transaction (PID 0).
type Session struct {
	PID         int           `json:"pid"`
	User        string        `json:"user"`
	Application string        `json:"application"`
	Client      string        `json:"client"` // address, "local" for a unix socket
	State       string        `json:"state"`
	Query       string        `json:"query"` // its current or last statement; empty when hidden
	Prepared    string        `json:"prepared,omitempty"`
	Epoch       int           `json:"epoch"`    // NoEpoch without the hook
	Age         time.Duration `json:"age_ns"`   // of its transaction; of its state when it has none
	InTx        bool          `json:"in_tx"`    // it is in a transaction
	Waiting     string        `json:"waiting"`  // wait_event_type and wait_event
	HoldsOld    bool          `json:"blocking"` // it holds the token of the phase being left
	// Standby is the standby that the session is on; empty for the primary.
	Standby string `json:"standby,omitempty"`
	// Behind says why the standby's sessions are not known; it stands for no
	// session then.
	Behind string `json:"behind,omitempty"`
}

// Hooked tells whether the session embeds the hook.
func (s Session) Hooked() bool { return s.Epoch != NoEpoch }

// String names the session in one line for an operator.
func (s Session) String() string {
	on := ""
	if s.Standby != "" {
		on = "standby " + s.Standby + ": "
	}
	if s.Behind != "" {
		return on + s.Behind
	}
	if s.PID == 0 {
		return fmt.Sprintf("prepared transaction %q of %s, %s old", s.Prepared, s.User, s.Age.Round(time.Millisecond))
	}
	hook := "no hook"
	if s.Hooked() {
		hook = fmt.Sprintf("epoch %d", s.Epoch)
	}
	query := strings.Join(strings.Fields(s.Query), " ")
	if len(query) > 100 {
		query = query[:100] + "..."
	}
	if query == "" {
		query = "(hidden: grant pg_read_all_stats)"
	}
	return fmt.Sprintf("%spid %d, role %s, application %q, client %s, %s, %s for %s: %s",
		on, s.PID, s.User, s.Application, s.Client, hook, s.State, s.Age.Round(time.Millisecond), query)
}

// Older lists the client sessions of this database that hold no epoch lock at
// or above epoch. Crossfade's own connections are left out. A session that is
// about to join is listed too: it has not proved anything yet. So is a session
// of which this role may not see what it is.
//
// Of sessions of other roles a reader without pg_read_all_stats does not even
// see the kind: they count as clients then, rather than not at all.
func Older(ctx context.Context, db Querier, epoch int) ([]Session, error) {
	rows, err := db.Query(ctx, `
		with locks as (
			select pid, classid::bigint as class, min(objid::bigint)::int as epoch
			from pg_locks
			where locktype = 'advisory' and objsubid = 2 and granted and classid::bigint in ($1, $2)
				and database = (select oid from pg_database where datname = current_database())
			group by pid, classid)
		select a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local'),
			coalesce(a.state, 'unknown'), left(coalesce(a.query, ''), 500), '', coalesce(l.epoch, $3::int),
			coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.state_change)), 0)::float8,
			coalesce(a.state, 'unknown') <> 'idle',
			coalesce(a.wait_event_type || ':' || a.wait_event, ''), false
		from pg_stat_activity a
		left join locks l on l.pid = a.pid and l.class = $1
		where a.datname = current_database() and coalesce(a.backend_type, 'client backend') = 'client backend'
			and a.usename is not null and a.pid <> pg_backend_pid()
			and coalesce(l.epoch, $3::int) < $4
			and not exists (select from locks own where own.pid = a.pid and own.class = $2)
		order by a.pid`, EpochClass, OwnClass, NoEpoch, epoch)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return collect(rows)
}

// Holders lists the sessions and prepared transactions that hold a lock on the
// relation crossfade.token, and the prepared ones among them.
func Holders(ctx context.Context, db Querier, token string) ([]Session, error) {
	return holders(ctx, db, pgx.Identifier{"crossfade", token})
}

// HoldersOf lists the sessions and prepared transactions that hold a lock on a
// table, or a partition of it.
func HoldersOf(ctx context.Context, db Querier, schema, table string) ([]Session, error) {
	return holders(ctx, db, pgx.Identifier{schema, table})
}

// PreparedOn lists the prepared transactions that hold a lock on a table, or a
// partition of it, but not on the relation crossfade.token: they name the table
// without permission of the phase in force. They belong to no session, so no epoch
// lock speaks for them.
func PreparedOn(ctx context.Context, db Querier, schema, table, token string) ([]Session, error) {
	sessions, err := holders(ctx, db, pgx.Identifier{schema, table})
	if err != nil {
		return nil, err
	}
	sessions = slices.DeleteFunc(sessions, func(s Session) bool { return s.PID != 0 })
	if len(sessions) == 0 {
		return nil, nil
	}
	permitted, err := Holders(ctx, db, token)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(sessions, func(s Session) bool {
		return slices.ContainsFunc(permitted, func(p Session) bool { return p.PID == 0 && p.Prepared == s.Prepared })
	}), nil
}

func holders(ctx context.Context, db Querier, relation pgx.Identifier) ([]Session, error) {
	rows, err := db.Query(ctx, `
		select distinct coalesce(l.pid, 0), coalesce(a.usename, p.owner, ''), coalesce(a.application_name, ''),
			coalesce(host(a.client_addr), 'local'), coalesce(a.state, 'prepared'), left(coalesce(a.query, ''), 500),
			coalesce(p.gid, ''), coalesce(e.epoch, $2::int),
			coalesce(extract(epoch from statement_timestamp() - coalesce(a.xact_start, p.prepared, a.state_change)), 0)::float8,
			true, coalesce(a.wait_event_type || ':' || a.wait_event, ''), true
		from pg_locks l
		left join pg_stat_activity a on a.pid = l.pid
		left join pg_locks x on l.pid is null and x.pid is null and x.locktype = 'transactionid'
			and x.virtualtransaction = l.virtualtransaction
		left join pg_prepared_xacts p on p.transaction = x.transactionid
		left join lateral (
			select min(objid::bigint)::int as epoch from pg_locks
			where locktype = 'advisory' and objsubid = 2 and granted and classid::bigint = $3 and pid = l.pid) e on true
		where l.locktype = 'relation' and l.granted
			and l.relation in (select to_regclass($1) union select relid from pg_partition_tree(to_regclass($1)))
			and l.database = (select oid from pg_database where datname = current_database())
			and l.pid is distinct from pg_backend_pid()
		order by 1`, relation.Sanitize(), NoEpoch, EpochClass)
	if err != nil {
		return nil, fmt.Errorf("list holders of %s: %w", relation.Sanitize(), err)
	}
	return collect(rows)
}

func collect(rows pgx.Rows) ([]Session, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Session, error) {
		var s Session
		var age float64
		err := row.Scan(&s.PID, &s.User, &s.Application, &s.Client, &s.State, &s.Query, &s.Prepared, &s.Epoch,
			&age, &s.InTx, &s.Waiting, &s.HoldsOld)
		s.Age = time.Duration(age * float64(time.Second))
		return s, err
	})
}
