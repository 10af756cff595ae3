package logical

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SlotStatus is a slot as the server shows it.
type SlotStatus struct {
	Exists bool
	Active bool // a connection reads it
	PID    int  // of that connection's backend
	// WALStatus is reserved, extended, unreserved or lost.
	WALStatus string
	// Invalidation says why the server gave the slot up (PostgreSQL 17 on).
	Invalidation string
	// Restart is where decoding would start again: WAL from there on is kept.
	Restart LSN
	// Confirmed is what has been acknowledged.
	Confirmed LSN
	// Held is how much WAL the slot keeps from being removed, in bytes.
	Held int64
	// Safe is how much more WAL may be written before the slot may be lost;
	// negative when it is at risk, nil when there is no limit
	// (max_slot_wal_keep_size).
	Safe *int64
	// CatalogAge is how many transactions ago the oldest one began whose
	// catalog rows VACUUM keeps for the slot.
	CatalogAge int64

	plugin, kind string
	here         bool // it is of this database
	server       LSN
	now          time.Time
}

// readSlot reads the slot and the server's position and clock.
func (t *Tailer) readSlot(ctx context.Context, conn *pgx.Conn) (s SlotStatus, err error) {
	var restart, confirmed, server string
	err = conn.QueryRow(ctx, `
		select s.slot_name is not null, coalesce(s.active, false), coalesce(s.active_pid, 0),
			coalesce(s.wal_status, ''),
			coalesce(to_jsonb(s) ->> 'invalidation_reason', case when to_jsonb(s) ->> 'conflicting' = 'true' then 'conflict' end, ''),
			coalesce(s.restart_lsn, '0/0')::text, coalesce(s.confirmed_flush_lsn, '0/0')::text,
			coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint, s.safe_wal_size,
			coalesce(age(s.catalog_xmin), 0)::bigint,
			coalesce(s.database = current_database(), false), coalesce(s.plugin, ''), coalesce(s.slot_type, ''),
			pg_current_wal_lsn()::text, clock_timestamp()
		from (select) as one left join pg_catalog.pg_replication_slots s on s.slot_name = $1`, t.config.Slot).Scan(
		&s.Exists, &s.Active, &s.PID, &s.WALStatus, &s.Invalidation, &restart, &confirmed, &s.Held, &s.Safe, &s.CatalogAge,
		&s.here, &s.plugin, &s.kind, &server, &s.now)
	if err == nil {
		err = errors.Join(s.Restart.Scan(restart), s.Confirmed.Scan(confirmed), s.server.Scan(server))
	}
	if err != nil {
		return SlotStatus{}, fmt.Errorf("read slot %s: %w", t.config.Slot, err)
	}
	return s, nil
}

// usable tells whether the slot that exists can be read, and is ours.
func (t *Tailer) usable(s SlotStatus) error {
	switch {
	case s.kind != "logical" || s.plugin != "pgoutput" || !s.here:
		return &Refusal{Code: SlotForeign, Message: fmt.Sprintf("slot %s is a %s slot of plugin %q, or of another database", t.config.Slot, s.kind, s.plugin),
			Hint: "choose another Config.Slot"}
	case s.WALStatus == "lost" || s.Invalidation != "":
		return t.lost(Invalidated, fmt.Sprintf("the server has given it up: wal_status %s %s", s.WALStatus, s.Invalidation))
	}
	return nil
}

func (t *Tailer) lost(reason Reason, detail string) error {
	return &SlotLost{Slot: t.config.Slot, Reason: reason, Detail: detail}
}

// createSlot makes the lasting slot, unless there is one.
func (t *Tailer) createSlot(ctx context.Context, conn *pgx.Conn) error {
	arguments := ""
	if t.config.Failover {
		arguments = ", false, false, true"
	}
	// The server itself gives up: if it was left waiting, it would make the
	// slot later, when nobody reads it.
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('statement_timeout', $1, true)`, millis(t.config.SlotTimeout)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `select pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput'`+arguments+`)`, t.config.Slot)
		return err
	})
	return t.slotError(ctx, conn, err)
}

// createTemporary makes a slot that belongs to the replication connection.
func (t *Tailer) createTemporary(ctx context.Context, conn *pgx.Conn, repl *pgconn.PgConn) error {
	sql := "set statement_timeout = " + millis(t.config.SlotTimeout) +
		"; select pg_catalog.pg_create_logical_replication_slot('" + t.config.Slot + "', 'pgoutput', true)"
	_, err := repl.Exec(ctx, sql).ReadAll()
	if err == nil {
		_, err = repl.Exec(ctx, "set statement_timeout = 0").ReadAll()
	}
	return t.slotError(ctx, conn, err)
}

func millis(d time.Duration) string { return fmt.Sprint(max(1, d.Milliseconds())) }

func (t *Tailer) slotError(ctx context.Context, conn *pgx.Conn, err error) error {
	switch sqlState(err) {
	case codeDuplicate:
		if !t.config.Temporary {
			return nil
		}
	case codeCancelled:
		blockers, listErr := slotBlockers(ctx, conn, t.config.SlotTimeout)
		if listErr != nil {
			return listErr
		}
		return &SlotBlocked{Slot: t.config.Slot, Waited: t.config.SlotTimeout, Blockers: blockers}
	case codeSlotsUsed:
		return t.refuse(ctx, conn, NoSlot, "all replication slots are in use")
	case codePrivilege:
		return t.refuse(ctx, conn, NoRight, "the role "+t.config.Conn.User+" may not make a slot")
	case codeNotAllowed:
		return t.refuse(ctx, conn, WALLevel, "the server does not decode its log")
	}
	if err != nil {
		return fmt.Errorf("make slot %s: %w", t.config.Slot, err)
	}
	return nil
}

// slotBlockers lists the transactions, of all databases, that have an id and
// have been open for as long as the slot has waited.
func slotBlockers(ctx context.Context, conn *pgx.Conn, waited time.Duration) ([]string, error) {
	rows, err := conn.Query(ctx, `
		select line from (
			select xact_start as since, format('pid %s, role %s, application "%s", database %s, %s, open for %s', pid, usename,
				application_name, datname, state, date_trunc('second', clock_timestamp() - xact_start)) as line
			from pg_catalog.pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
			union all
			select prepared, format('prepared transaction "%s" of role %s in database %s, open for %s', gid, owner, database,
				date_trunc('second', clock_timestamp() - prepared))
			from pg_catalog.pg_prepared_xacts) as b
		where since <= clock_timestamp() - make_interval(secs => $1)
		order by since limit 10`, waited.Seconds())
	if err != nil {
		return nil, fmt.Errorf("list what a slot waits for: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list what a slot waits for: %w", err)
	}
	return lines, nil
}

// dropSlot drops the slot if it exists. A connection that has just been closed
// may read it for a moment more.
func (t *Tailer) dropSlot(ctx context.Context, conn *pgx.Conn) error {
	const patience = 10 * time.Second
	for deadline := time.Now().Add(patience); ; {
		s, err := t.readSlot(ctx, conn)
		if err != nil || !s.Exists {
			return err
		}
		if err := t.usable(s); err != nil {
			if _, ok := AsRefusal(err); ok {
				return err
			}
		}
		_, err = conn.Exec(ctx, `select pg_catalog.pg_drop_replication_slot($1)`, t.config.Slot)
		switch code := sqlState(err); {
		case err == nil, code == codeUndefined:
			return nil
		case code != codeInUse || time.Now().After(deadline):
			return fmt.Errorf("drop slot %s: %w", t.config.Slot, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
