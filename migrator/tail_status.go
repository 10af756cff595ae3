package migrator

import (
	"context"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// HalfWritten is a row that somebody without the hook has written, and that the
// tail has put right.
type HalfWritten = ledger.HalfWritten

// TailStatus is how a transition is followed in the log.
type TailStatus struct {
	// Slot is the name of its slot, which is also that of its publication; empty
	// when it is not followed any more.
	Slot string `json:"slot,omitempty"`
	// WALStatus is the server's word for the slot: reserved, extended, unreserved,
	// lost; "missing" when there is none. Held is how much of the log it keeps,
	// Safe how much more may be written before it may be lost; nil without a limit
	// (max_slot_wal_keep_size).
	WALStatus string `json:"wal_status,omitempty"`
	Held      int64  `json:"held_bytes"`
	Safe      *int64 `json:"safe_bytes,omitempty"`
	// Active is who reads the slot: nil when nobody does, and the log grows.
	Active *TailReader `json:"active,omitempty"`
	// Actor is who the active one is by his own word, LagBytes how much log is not
	// applied and Lag how old the oldest commit in it is, as he said NotedAgo ago;
	// nil when nobody has said anything yet.
	Actor    string         `json:"actor,omitempty"`
	LagBytes int64          `json:"lag_bytes"`
	Lag      time.Duration  `json:"lag_ns"`
	NotedAgo *time.Duration `json:"noted_ago_ns,omitempty"`
	// Repaired counts the rows that had one side only, since the backfill was done;
	// Recent are the last of them, the last one last.
	Repaired   int64         `json:"repaired"`
	RepairedAt *time.Time    `json:"repaired_at,omitempty"`
	Recent     []HalfWritten `json:"recent,omitempty"`
	// BarrierAt is when everything that writers without the hook had written was
	// applied, and none was left; nil before.
	BarrierAt *time.Time `json:"barrier_at,omitempty"`
}

// TailReader is the connection that reads a slot.
type TailReader struct {
	PID         int    `json:"pid"`
	Role        string `json:"role"`
	Application string `json:"application"`
	Client      string `json:"client"`
}

// String names it for people.
func (r TailReader) String() string {
	return fmt.Sprintf("pid %d, role %s, application %q, client %s", r.PID, r.Role, r.Application, r.Client)
}

// tailStatus is nil where nothing is, or was, followed.
func (s *session) tailStatus(ctx context.Context, t ledger.Transition) (*TailStatus, error) {
	tail, found, err := ledger.GetTail(ctx, s.conn, t.ID)
	if err != nil || !found {
		return nil, err
	}
	status := &TailStatus{
		Slot: tail.Slot, Actor: tail.Actor, LagBytes: tail.LagBytes, Lag: tail.Lag, NotedAgo: tail.NotedAgo,
		Repaired: tail.Repaired, RepairedAt: tail.RepairedAt, Recent: tail.Recent, BarrierAt: tail.BarrierAt,
	}
	if tail.Slot == "" {
		status.Actor, status.LagBytes, status.Lag, status.NotedAgo = "", 0, 0, nil
		return status, nil
	}
	var reader TailReader
	err = s.conn.QueryRow(ctx, `
		select coalesce(s.wal_status, 'missing'), coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint, s.safe_wal_size,
			coalesce(s.active_pid, 0), coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local')
		from (select) as one
		left join pg_catalog.pg_replication_slots s on s.slot_name = $1 and s.database = current_database()
		left join pg_catalog.pg_stat_activity a on a.pid = s.active_pid`, tail.Slot).
		Scan(&status.WALStatus, &status.Held, &status.Safe, &reader.PID, &reader.Role, &reader.Application, &reader.Client)
	if err != nil {
		return nil, fmt.Errorf("read slot %s: %w", tail.Slot, err)
	}
	if reader.PID != 0 {
		status.Active = &reader
	}
	return status, nil
}
