package migrator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// standbysHaveReplayed: each standby that may be promoted knows all that has
// led here. Tokens keep rows right after any failover; this keeps a failover
// from going back more than one phase.
func standbysHaveReplayed(ctx context.Context, w *work) error {
	var lsn string
	if err := w.conn.QueryRow(ctx, `select pg_current_wal_insert_lsn()::text`).Scan(&lsn); err != nil {
		return fmt.Errorf("read the end of the WAL: %w", err)
	}
	for began := time.Now(); ; {
		behind, err := w.standbysBehind(ctx, lsn)
		if err != nil || len(behind) == 0 {
			return err
		}
		if time.Since(began) >= w.StandbyWait {
			return w.closed("wait until it has caught up and run again; list one that is never promoted with --ignore-standby",
				"these have not replayed what has been done so far (%s): %s", lsn, strings.Join(behind, "; "))
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// standbysBehind names the physical standbys that have not replayed so far. What
// only receives WAL (pg_receivewal, pg_basebackup) replays nothing; a standby
// that is just being set up will say so with its first answer.
func (w *work) standbysBehind(ctx context.Context, lsn string) ([]string, error) {
	ignored := w.IgnoreStandbys
	if ignored == nil {
		ignored = []string{}
	}
	rows, err := w.conn.Query(ctx, `
		select format('standby %s %s', quote_ident(application_name),
			case when state is null then 'does not show its state to this role: grant it pg_read_all_stats'
				else format('is at %s', replay_lsn) end)
		from pg_catalog.pg_stat_replication r
		where application_name <> all ($2)
			and (state is null or state in ('streaming', 'catchup') and replay_lsn < $1::text::pg_lsn)
			and not exists (select from pg_catalog.pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')
		order by 1`, lsn, ignored)
	if err != nil {
		return nil, fmt.Errorf("look at the standbys: %w", err)
	}
	behind, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look at the standbys: %w", err)
	}
	return behind, nil
}
