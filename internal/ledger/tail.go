package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// PositionTable is where, in Schema, the positions of slots stand.
const PositionTable = "position"

// SlotName is the name of a transition's slot. Slots are the server's, so it tells
// the database too: a copy of the database has no slot of that name.
func SlotName(ctx context.Context, db Conn, id int64) (name string, err error) {
	err = db.QueryRow(ctx, `select format('crossfade_%s_t%s', oid, $1::bigint) from pg_catalog.pg_database
		where datname = current_database()`, id).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("name the slot: %w", err)
	}
	return name, nil
}

// Tailed is a transition that is, or was, followed in the log.
type Tailed struct {
	// Slot is empty when it is not followed any more.
	Slot string
	// Repaired rows had one side only when they were looked at, after the backfill.
	Repaired   int64
	RepairedAt *time.Time
	Recent     []HalfWritten
	// BarrierAt is when everything that writers without the hook had written was
	// applied; nil before.
	BarrierAt *time.Time
	// Actor, LagBytes and Lag are what the active process said last, NotedAgo ago;
	// nil when none has said anything.
	Actor    string
	LagBytes int64
	Lag      time.Duration
	NotedAgo *time.Duration
}

// HalfWritten is a row that somebody without the hook has written. The log does
// not say who.
type HalfWritten struct {
	Key []string `json:"key"`
	// XID is the last transaction that changed the row, At when it committed.
	XID uint32    `json:"xid"`
	At  time.Time `json:"at"`
}

// recentRows is how many rows are remembered.
const recentRows = 20

// BeginTail writes down that a transition is followed from now on. A barrier of
// before counts no more.
func BeginTail(ctx context.Context, db Conn, id int64, slot string) error {
	_, err := db.Exec(ctx, `
		insert into crossfade.tail (transition_id, slot) values ($1, $2)
		on conflict (transition_id) do update set slot = excluded.slot, barrier_lsn = null, barrier_at = null`, id, slot)
	if err != nil {
		return fmt.Errorf("write down the tail: %w", err)
	}
	return nil
}

// EndTail writes down that it is not followed any more: all tails end.
func EndTail(ctx context.Context, db Conn, id int64) error {
	if _, err := db.Exec(ctx, `update crossfade.tail set slot = '' where transition_id = $1`, id); err != nil {
		return fmt.Errorf("end the tail: %w", err)
	}
	return nil
}

// ForgetPositions removes how far the log has been applied, also what came with a
// copy of another database.
func ForgetPositions(ctx context.Context, db Conn, id int64) error {
	_, err := db.Exec(ctx, `delete from crossfade.position where slot ~ format('^crossfade_\d+_t%s$', $1::bigint)`, id)
	if err != nil {
		return fmt.Errorf("forget positions: %w", err)
	}
	return nil
}

// ForgetTail removes what is known of it.
func ForgetTail(ctx context.Context, db Conn, id int64) error {
	if _, err := db.Exec(ctx, `delete from crossfade.tail where transition_id = $1`, id); err != nil {
		return fmt.Errorf("forget the tail: %w", err)
	}
	return nil
}

// SetBarrier notes the marker behind the last writer; "" takes it away.
func SetBarrier(ctx context.Context, db Conn, id int64, lsn string) error {
	_, err := db.Exec(ctx, `update crossfade.tail set barrier_lsn = nullif($2, '')::pg_lsn,
		barrier_at = case when $2 <> '' then clock_timestamp() end where transition_id = $1`, id, lsn)
	if err != nil {
		return fmt.Errorf("note the barrier: %w", err)
	}
	return nil
}

// NoteTail says what the active process has to say.
func NoteTail(ctx context.Context, db Conn, id int64, actor string, bytes int64, lag time.Duration) error {
	_, err := db.Exec(ctx, `update crossfade.tail set actor = $2, lag_bytes = $3, lag_seconds = $4, noted_at = clock_timestamp()
		where transition_id = $1`, id, actor, bytes, lag.Seconds())
	if err != nil {
		return fmt.Errorf("note the lag: %w", err)
	}
	return nil
}

// NoteRepaired counts rows that were half written. Before the backfill is done a
// row says nothing about who wrote it.
func NoteRepaired(ctx context.Context, tx pgx.Tx, id int64, count int, rows []HalfWritten) error {
	if len(rows) > recentRows {
		rows = rows[len(rows)-recentRows:]
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		update crossfade.tail set repaired = repaired + $2, repaired_at = clock_timestamp(), recent = (
			select coalesce(jsonb_agg(e order by n), '[]') from (
				select e, n from jsonb_array_elements(recent || $3::jsonb) with ordinality as r (e, n)
				order by n desc limit $4) last)
		where transition_id = $1 and exists (
			select from crossfade.progress where transition_id = $1 and job = 'backfill' and finished_at is not null)`,
		id, count, string(text), recentRows)
	if err != nil {
		return fmt.Errorf("note repaired rows: %w", err)
	}
	return nil
}

// GetTail reads it; false when the transition never was followed.
func GetTail(ctx context.Context, db Conn, id int64) (Tailed, bool, error) {
	var t Tailed
	var recent []byte
	var lag float64
	var ago *float64
	err := db.QueryRow(ctx, `select slot, repaired, repaired_at, recent, barrier_at, actor, lag_bytes, lag_seconds,
		extract(epoch from clock_timestamp() - noted_at)::float8 from crossfade.tail where transition_id = $1`, id).
		Scan(&t.Slot, &t.Repaired, &t.RepairedAt, &recent, &t.BarrierAt, &t.Actor, &t.LagBytes, &lag, &ago)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, false, nil
	}
	if err == nil {
		err = json.Unmarshal(recent, &t.Recent)
	}
	if err != nil {
		return t, false, fmt.Errorf("read the tail: %w", err)
	}
	t.Lag = time.Duration(lag * float64(time.Second))
	if ago != nil {
		d := time.Duration(*ago * float64(time.Second))
		t.NotedAgo = &d
	}
	return t, true, nil
}

// SampleWriters notes the sessions without the hook that hold a lock on the table,
// or a partition, as those who write do: those that hold no advisory lock of the
// classes. Short transactions are easily missed.
func SampleWriters(ctx context.Context, db Conn, t Transition, classes ...int64) error {
	_, err := db.Exec(ctx, `
		insert into crossfade.writer (transition_id, role, application, client, pid)
		select distinct on (a.pid) $1::bigint, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local'), a.pid
		from pg_catalog.pg_locks l
		join pg_catalog.pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted
			and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
			and l.relation in (select relid from pg_catalog.pg_partition_tree(to_regclass($2)) union select to_regclass($2))
			and not exists (
				select from pg_catalog.pg_locks h where h.pid = a.pid and h.locktype = 'advisory' and h.objsubid = 2
					and h.classid::bigint = any($3))
			and not exists (
				select from crossfade.writer w where w.transition_id = $1 and w.pid = a.pid
					and w.role = coalesce(a.usename, '') and w.at > clock_timestamp() - interval '10 minutes')`,
		t.ID, pgx.Identifier{t.Schema, t.Table}.Sanitize(), classes)
	if err != nil {
		return fmt.Errorf("sample writers: %w", err)
	}
	return nil
}
