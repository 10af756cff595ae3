package logical

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// Check tells what stands in the way of Setup and Run: the error joins the
// refusals (AsRefusal returns the first). It changes nothing.
func (t *Tailer) Check(ctx context.Context) error {
	conn, err := t.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	return t.check(ctx, conn)
}

// Setup makes the publication, the slot and the stored position, as far as they
// do not exist. From then on every change is kept until Run has applied it: call
// it before a first copy of the tables. Changes of before are not seen. It
// waits for the transactions that are open, for Config.SlotTimeout at most. It
// is safe to repeat, also after a crash half way.
//
// A slot that was there and is gone is not made anew: the error is a SlotLost.
// With Config.Temporary it makes the publication only.
func (t *Tailer) Setup(ctx context.Context) error {
	conn, err := t.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if err := t.check(ctx, conn); err != nil {
		return err
	}
	return t.setup(ctx, conn)
}

// setup does it in an order in which a crash leaves nothing wrong: the slot
// decodes with the publication of its time, and a position means that there was
// a slot.
func (t *Tailer) setup(ctx context.Context, conn *pgx.Conn) error {
	if t.config.Temporary {
		return t.setupPublication(ctx, conn)
	}
	_, known, err := t.loadPosition(ctx, conn)
	if err != nil {
		return err
	}
	slot, err := t.readSlot(ctx, conn)
	switch {
	case err != nil:
		return err
	case known && !slot.Exists:
		return t.lost(Missing, "it was set up before and does not exist")
	}
	if err := t.setupPublication(ctx, conn); err != nil {
		return err
	}
	if !slot.Exists {
		if err := t.createSlot(ctx, conn); err != nil {
			return err
		}
	}
	if slot, err = t.finishedSlot(ctx, conn); err != nil {
		return err
	}
	if err := t.usable(slot); err != nil {
		return err
	}
	repl, system, err := t.connectReplication(ctx, conn)
	if err != nil {
		return err
	}
	closeReplication(ctx, repl)
	return t.createPosition(ctx, conn, slot, system)
}

// finishedSlot waits for a slot that another process is making: it has no
// position until the transactions that it waits for have ended.
func (t *Tailer) finishedSlot(ctx context.Context, conn *pgx.Conn) (SlotStatus, error) {
	for deadline := time.Now().Add(t.config.SlotTimeout); ; {
		slot, err := t.readSlot(ctx, conn)
		switch {
		case err != nil:
			return slot, err
		case !slot.Exists:
			return slot, t.lost(Missing, "somebody has dropped it while it was set up")
		case slot.Confirmed != 0 || slot.kind != "logical":
			return slot, nil
		case time.Now().After(deadline):
			blockers, err := slotBlockers(ctx, conn, t.config.SlotTimeout)
			if err != nil {
				return slot, err
			}
			return slot, &SlotBlocked{Slot: t.config.Slot, Waited: t.config.SlotTimeout, Blockers: blockers}
		}
		select {
		case <-ctx.Done():
			return slot, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (t *Tailer) createPosition(ctx context.Context, conn *pgx.Conn, slot SlotStatus, system pglogrepl.IdentifySystemResult) error {
	published, missing, err := t.published(ctx, conn)
	switch {
	case err != nil:
		return err
	case missing != "":
		return t.lost(Unpublished, missing)
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := t.config.Positions.Prepare(ctx, tx); err != nil {
			return err
		}
		return t.config.Positions.Create(ctx, tx, t.config.Slot,
			Position{LSN: slot.Confirmed, System: system.SystemID, Timeline: system.Timeline, Published: published})
	})
	if err != nil {
		return fmt.Errorf("store position: %w", err)
	}
	return nil
}

// Drop removes what Setup has made: the slot, the position, the publication. It
// is safe to repeat. A slot that a process reads is not dropped.
func (t *Tailer) Drop(ctx context.Context) error {
	conn, err := t.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if err := t.dropSlot(ctx, conn); err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		err := t.config.Positions.Remove(ctx, tx, t.config.Slot)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove position: %w", err)
	}
	return t.dropPublication(ctx, conn)
}
