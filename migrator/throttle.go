package migrator

import (
	"errors"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// Throttle says what holds back a scan over the whole table: a backfill, a
// refill or a verification. Each limit is a signal of its own, looked at once a
// second; the scan stands still while one is exceeded, and no batch is under way
// meanwhile. Zero is the default, negative turns the signal off. Signals that
// look at other sessions need pg_read_all_stats, and see nothing without it.
type Throttle struct {
	// ReplicaLag is how many bytes of WAL the slowest standby or subscriber
	// that is connected may still have to replay. 0 means 256 MiB.
	ReplicaLag int64
	// SlotLag is how many bytes of WAL a replication slot may hold back. 0 means
	// 1 GiB.
	SlotLag int64
	// WALRate is how many bytes of WAL the whole server may write per second.
	// 0 means 256 MiB.
	WALRate int64
	// ActiveSessions is how many other sessions of clients may be at work on
	// the server. 0 means a quarter of max_connections, and at least 16.
	ActiveSessions int
	// VacuumWait is how long to wait for one vacuum of the table. 0 means 15
	// minutes.
	VacuumWait time.Duration
	// BatchLatency is how many times BatchTarget batches may take, on average,
	// before the scan rests between them. 0 means 4; less than 250 ms is never
	// too long.
	BatchLatency float64
	// HorizonAge is how many transactions old the oldest snapshot may be that
	// keeps dead rows from being cleaned up. 0 means 5 million.
	HorizonAge int64
}

// ThrottleOff turns every signal off.
var ThrottleOff = Throttle{
	ReplicaLag: -1, SlotLag: -1, WALRate: -1, ActiveSessions: -1, VacuumWait: -1, BatchLatency: -1, HorizonAge: -1,
}

// signals are those that are not turned off; never nil.
func (t Throttle) signals() []sweep.Signal {
	list := []sweep.Signal{}
	add := func(on bool, s sweep.Signal) {
		if on {
			list = append(list, s)
		}
	}
	add(t.ReplicaLag >= 0, &sweep.ReplicaLag{MaxBytes: t.ReplicaLag})
	add(t.SlotLag >= 0, &sweep.SlotLag{MaxBytes: t.SlotLag})
	add(t.WALRate >= 0, &sweep.WALRate{MaxBytes: t.WALRate})
	add(t.ActiveSessions >= 0, &sweep.ActiveSessions{Max: t.ActiveSessions})
	add(t.VacuumWait >= 0, &sweep.Vacuum{MaxWait: t.VacuumWait})
	add(t.BatchLatency >= 0, &sweep.BatchLatency{MaxTimes: t.BatchLatency})
	add(t.HorizonAge >= 0, &sweep.HorizonAge{Max: t.HorizonAge})
	return list
}

// validate: batches cannot be held to less than what they aim at.
func (t Throttle) validate() error {
	if t.BatchLatency > 0 && t.BatchLatency < 1 {
		return fmt.Errorf("Throttle.BatchLatency is %g times the target of a batch: at least 1, or negative for off", t.BatchLatency)
	}
	return nil
}

// Signal is what one signal of the throttle read last: Value and Limit, in Unit, and
// whether it Holds the scan, with the Reason.
type Signal = sweep.Reading

// errNegativeRate: a rate is a number of rows per second.
var errNegativeRate = errors.New("a rate is at least one row per second, or 0 for no limit; to stand still, pause")
