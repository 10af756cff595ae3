package preflight

import (
	"context"
	"fmt"
)

// backlog is how much WAL a standby may lag behind, and a slot hold back,
// without a word.
const backlog = 64 << 20

func checkReplication(ctx context.Context, in *inspection) error {
	standbys, err := query[struct {
		Name, Client, State string
		Lag                 int64
	}](ctx, in, `
		select coalesce(r.application_name, ''), coalesce(host(r.client_addr), 'local'), coalesce(r.state, ''),
			coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(r.replay_lsn, r.flush_lsn)), 0)::bigint
		from pg_stat_replication r
		left join pg_replication_slots s on s.active_pid = r.pid
		where not pg_is_in_recovery() and coalesce(s.slot_type, 'physical') = 'physical' and coalesce(r.state, '') <> 'backup'
		order by 1, 2`)
	if err != nil {
		return fmt.Errorf("read standbys: %w", err)
	}
	for _, s := range standbys {
		object := fmt.Sprintf("standby %q at %s", s.Name, s.Client)
		if !in.Standbys {
			in.warn("standby-attached", object, "who reads there is not looked at, and complete has a gate that asks for it",
				"give its URL with --standby, in each command that moves the transition")
		}
		if s.Lag > backlog {
			in.warn("replica-lag", object, fmt.Sprintf("it is %s behind", bytes(s.Lag)), "let it catch up before the backfill, which adds to it")
		}
	}
	slots, err := query[struct {
		Name    string
		Backlog int64
	}](ctx, in, `
		select slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint from pg_replication_slots
		where not pg_is_in_recovery() and restart_lsn is not null
			and pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > $1
		order by 1`, backlog)
	if err != nil {
		return fmt.Errorf("read slots: %w", err)
	}
	for _, s := range slots {
		in.warn("slot-backlog", "replication slot "+s.Name, "it holds back "+bytes(s.Backlog)+" of WAL, and the backfill adds to it",
			"let its consumer catch up, or drop the slot if it has none")
	}
	return nil
}

// bytes prints a size for people.
func bytes(n int64) string {
	const units = "kMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	size, unit := float64(n)/1024, 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	return fmt.Sprintf("%.1f %cB", size, units[unit])
}
