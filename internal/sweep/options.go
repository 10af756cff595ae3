package sweep

import (
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Table is the table to walk.
type Table struct {
	Schema, Name string
	// Key names the columns of the primary key, in the order of its index.
	Key []string
	// KeyTypes are their types, as they were when the transition began; a key
	// that has another type by now is an error. Nil: not checked.
	KeyTypes []string
}

// Options say what to walk, and how. Transition and Job are required, and
// Token for Copy; the zero value of everything else works.
type Options struct {
	// Transition owns the progress that is kept, and says what moves. The table
	// is taken from it where Table leaves it out.
	Transition ledger.Transition
	// Job is the name under which the progress is kept. Copy fills the targets,
	// but for ledger.Refill, which fills the sources.
	Job ledger.Job
	// Since voids progress that began in an earlier epoch: the sweep then
	// begins anew. Zero: progress of any epoch counts.
	Since int

	// Reverse makes Repair fill the sources from the targets.
	Reverse bool
	// Table is the table to walk; by default the transition's.
	Table Table
	// Token is the capability token (ledger.Allow) that each batch of Copy
	// names. Compare needs none.
	Token string

	// Worker is what others see of this worker; by default its session's
	// application_name.
	Worker string
	// Helpers are connections of more workers of this process. They leave when
	// nothing is left to take, and one that is lost holds up nobody.
	Helpers []*pgx.Conn
	// OnHelperLost is called when a helper fails while the others go on; nil:
	// nobody is told. It may be called by several goroutines at once.
	OnHelperLost func(error)
	// Join makes Copy and Compare help with a job that another process has begun,
	// and leave when nothing is left to take: ErrNoJob when there is none.
	Join bool

	// BatchTarget is how long a batch should take; by default 100 ms for Copy,
	// and 500 ms for Compare, which locks no rows. A batch that takes twice as
	// long, and longer than 800 ms, is given up and made smaller.
	BatchTarget time.Duration
	// MinBatch and MaxBatch bound the rows of a batch; by default 1, and
	// 50,000 for Copy, 500,000 for Compare.
	MinBatch, MaxBatch int
	// LockTimeout is how long a batch waits for a lock; by default 50 ms. A
	// batch of one row, which holds nothing meanwhile, waits up to ten times
	// as long.
	LockTimeout time.Duration

	// Rate is a limit of this sweep's own, in rows per second, beside that of the
	// ledger's Control; zero is none.
	Rate int
	// Signals hold batches back; nil are DefaultSignals, an empty slice is none.
	Signals []Signal
	// SignalInterval is the time between two looks at them, and at the ledger's
	// Control; by default a second and half a second.
	SignalInterval time.Duration
	// OnProgress is called after each batch of the worker on the connection that
	// the sweep was given, and when that has to wait; it is told of what all
	// workers have done. nil: nobody is told. It delays the next batch.
	OnProgress func(Report)
}

var (
	// ErrForbidden: the token does not exist (any more). The direction has
	// changed; nothing was copied.
	ErrForbidden = errors.New("copying in this direction is not permitted any more")
	// ErrNoJob: there is nothing to help with, or the progress has been deleted.
	ErrNoJob = ledger.ErrNoJob
	// ErrNoCounterpart: a row holds a value that the expressions cannot bring to
	// the other side. Nothing of its batch was copied.
	ErrNoCounterpart = errors.New("a value has no counterpart on the other side")
	// ErrConstraint: a constraint of the targets, or of the table, refuses what the
	// expressions make of a row. Only Keys tells.
	ErrConstraint = errors.New("a constraint refuses what a row would hold")
	// ErrColumnsChanged: a column of the key, a source or a target is missing, or of
	// another type than it was.
	ErrColumnsChanged = errors.New("somebody has changed the table since the transition began")
	// ErrKeyChanged: the key is not what it was when the transition began.
	ErrKeyChanged = errors.New("the key of the table has changed since the transition began")
)

// withDefaults fills in what is left out and rejects what cannot work.
func (o Options) withDefaults(copying bool) (Options, error) {
	t := o.Transition
	if o.Table.Name == "" {
		o.Table = Table{Schema: t.Schema, Name: t.Table, Key: t.Definition.Key, KeyTypes: t.Definition.KeyTypes}
	}
	if o.BatchTarget <= 0 {
		o.BatchTarget = 100 * time.Millisecond
		if !copying {
			o.BatchTarget = 500 * time.Millisecond
		}
	}
	if o.MinBatch <= 0 {
		o.MinBatch = 1
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 50_000
		if !copying {
			o.MaxBatch = 500_000
		}
	}
	o.MaxBatch = max(o.MaxBatch, o.MinBatch)
	if o.LockTimeout <= 0 {
		o.LockTimeout = 50 * time.Millisecond
	}
	if o.SignalInterval <= 0 {
		o.SignalInterval = time.Second
	}
	if o.Signals == nil {
		o.Signals = DefaultSignals()
	}
	switch {
	case t.ID == 0 || o.Job == "":
		return o, errors.New("no transition or no job")
	case o.Since > t.Epoch:
		return o, fmt.Errorf("progress is to count since epoch %d, the transition is at %d", o.Since, t.Epoch)
	case o.Table.Name == "" || !altered(t.Definition.Alteration, o.Job) && (len(t.Definition.Sources) == 0 || len(t.Definition.Targets) == 0):
		return o, errors.New("no table or no columns")
	case len(o.Table.Key) == 0:
		return o, fmt.Errorf("table %s.%s has no key to walk along", o.Table.Schema, o.Table.Name)
	case o.Table.KeyTypes != nil && len(o.Table.KeyTypes) != len(o.Table.Key):
		return o, fmt.Errorf("key %q has %d types", o.Table.Key, len(o.Table.KeyTypes))
	case copying && o.Token == "":
		return o, errors.New("no capability token")
	}
	return o, nil
}
