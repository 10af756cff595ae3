package logical

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config says what to follow and what to do with it. Conn, Slot, Tables (or
// Publication) and Apply are required; everything else may stay zero.
type Config struct {
	// Conn leads to the primary, directly: not to a standby and not through a
	// pooler. The tailer opens three connections from it, one of them for
	// replication. Required; it is copied.
	Conn *pgx.ConnConfig

	// Slot is the name of the replication slot: 1 to 63 of a-z, 0-9 and _.
	// Slots are the server's, not the database's. Required.
	Slot string
	// Temporary makes a slot that lives as long as its connection. Nothing is
	// stored then, and a connection that is lost ends Run with a SlotLost.
	Temporary bool
	// Failover asks for a slot that standbys keep in step (PostgreSQL 17 on),
	// and lets Run go on after a failover on which the slot has survived.
	Failover bool

	// Publication is the name of the publication; empty means the slot's name.
	Publication string
	// Tables are what the publication holds: Setup makes it, and Drop drops
	// it. Without tables the publication must exist and is left as it is.
	Tables []Table
	// NameLeaves makes changes of a partitioned table name the partition. By
	// default they name the table in Tables, and a TRUNCATE of one partition
	// is not seen.
	NameLeaves bool

	// Apply is given every batch, inside of a transaction (READ COMMITTED) on
	// an ordinary connection, after everything in the batch has become visible.
	// The position is stored in the same transaction. It must neither commit
	// nor keep tx. An error rolls back: see Run. Required.
	Apply func(ctx context.Context, tx pgx.Tx, batch Batch) error
	// BatchSize is the most changes in a batch. Zero means 1000. Up to four
	// times as many wait in memory.
	BatchSize int

	// Positions keeps how far the slot has been applied. Nil means a
	// PositionTable.
	Positions Positions

	// StatusInterval is the time between two status reports, to the server and
	// to OnStatus. Zero means 10 s; a third of wal_sender_timeout if that is
	// shorter.
	StatusInterval time.Duration
	// StandbyInterval is how often Run asks whether a slot that another process
	// uses has become free. Zero means 1 s.
	StandbyInterval time.Duration
	// SlotTimeout bounds the making of the slot, which waits for every
	// transaction that was open before. Zero means a minute.
	SlotTimeout time.Duration
	// MaxBackoff bounds the pause between two attempts to connect. Zero means
	// 10 s.
	MaxBackoff time.Duration

	// OnStatus is given each status, from one goroutine. Nil means nobody.
	OnStatus func(Status)
	// Logger takes reconnects and takeovers. Nil means slog.Default().
	Logger *slog.Logger

	// applyAtOnce leaves out the wait for visibility: what a naive tailer does.
	// Only tests set it.
	applyAtOnce bool
}

// Table is a table by its name as the catalog has it, without quotes.
type Table struct {
	// Schema is the table's schema; empty means public.
	Schema string
	Name   string
}

// String returns the name as SQL writes it.
func (t Table) String() string { return t.identifier().Sanitize() }

func (t Table) identifier() pgx.Identifier { return pgx.Identifier{t.Schema, t.Name} }

// queued is how many batches may wait in memory.
const queued = 4

// queuedBytes bounds the keys and messages that wait in memory.
const queuedBytes = 16 << 20

var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

func (c Config) validate() error {
	switch {
	case c.Conn == nil:
		return errors.New("logical: Config.Conn is required")
	case !slotName.MatchString(c.Slot):
		return fmt.Errorf("logical: Config.Slot %q: a slot's name is 1 to 63 of a-z, 0-9 and _", c.Slot)
	case c.Apply == nil:
		return errors.New("logical: Config.Apply is required")
	case len(c.Tables) == 0 && c.Publication == "":
		return errors.New("logical: Config.Tables is required, or a Publication that exists")
	case c.BatchSize < 0:
		return errors.New("logical: Config.BatchSize is negative")
	case c.Temporary && c.Failover:
		return errors.New("logical: a temporary slot does not survive a failover: set one of Temporary and Failover")
	}
	if err := validName(c.Publication); c.Publication != "" && err != nil {
		return fmt.Errorf("logical: Config.Publication: %w", err)
	}
	seen := map[Table]bool{}
	for _, t := range c.Tables {
		t = t.withDefaults()
		if err := errors.Join(validName(t.Schema), validName(t.Name)); err != nil {
			return fmt.Errorf("logical: Config.Tables: %w", err)
		}
		if seen[t] {
			return fmt.Errorf("logical: Config.Tables: %s is there twice", t)
		}
		seen[t] = true
	}
	return nil
}

// validName refuses what PostgreSQL would cut short or could not store.
func validName(name string) error {
	for _, r := range name {
		if r == 0 {
			return fmt.Errorf("name %q has a zero byte", name)
		}
	}
	if name == "" || len(name) > 63 {
		return fmt.Errorf("name %q: a name has 1 to 63 bytes", name)
	}
	return nil
}

func (t Table) withDefaults() Table {
	if t.Schema == "" {
		t.Schema = "public"
	}
	return t
}

func (c Config) withDefaults() Config {
	c.Conn = c.Conn.Copy()
	if c.Publication == "" {
		c.Publication = c.Slot
	}
	tables := make([]Table, len(c.Tables))
	for i, t := range c.Tables {
		tables[i] = t.withDefaults()
	}
	c.Tables = tables
	if c.BatchSize == 0 {
		c.BatchSize = 1000
	}
	if c.Positions == nil {
		c.Positions = PositionTable{}
	}
	if c.StatusInterval <= 0 {
		c.StatusInterval = 10 * time.Second
	}
	if c.StandbyInterval <= 0 {
		c.StandbyInterval = time.Second
	}
	if c.SlotTimeout <= 0 {
		c.SlotTimeout = time.Minute
	}
	if c.MaxBackoff <= 0 {
		c.MaxBackoff = 10 * time.Second
	}
	if c.OnStatus == nil {
		c.OnStatus = func(Status) {}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
