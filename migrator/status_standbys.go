package migrator

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

// StandbyStatus is a standby of the database, and who is connected there.
type StandbyStatus struct {
	// Name is the address, as Config.Standbys has it; of a standby that it lacks, the
	// name under which it streams.
	Name string `json:"name"`
	// Looked tells that somebody has looked: it is one of Config.Standbys. Nothing is
	// known of others.
	Looked bool `json:"looked"`
	// Trouble says why nothing, or not all, is known of one that was looked at.
	Trouble string `json:"trouble,omitempty"`
	// Epoch is the last one that has been replayed there; -1 when that is not known.
	Epoch int `json:"epoch"`
	// Sessions and Instances are as in Status.
	Sessions  []EpochSessions    `json:"sessions,omitempty"`
	Instances []InstanceSessions `json:"instances,omitempty"`
}

// statusPatience bounds a status's look at the standbys: who looks again and again
// must not wait long for one that is out of reach.
const statusPatience = 3 * time.Second

// lookAtStandbys looks at all of them at once, for a whole status. It returns what
// there is besides: standbys that nobody looks at, or why these are not known.
func (s *session) lookAtStandbys(ctx context.Context) (others []StandbyStatus, err error) {
	system := ""
	if len(s.standbys) > 0 {
		if system, err = s.cluster(ctx); err != nil {
			return nil, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	var looks sync.WaitGroup
	for _, standby := range s.standbys {
		looks.Go(func() {
			seen := standby.look(limited, system, math.MaxInt32)
			standby.seen = &seen
		})
	}
	looks.Wait()
	var looked []*standby
	for _, standby := range s.standbys {
		if standby.seen.trouble == "" {
			looked = append(looked, standby)
		}
	}
	names, twice, err := s.otherStandbys(ctx, looked)
	other := func(name, trouble string) {
		others = append(others, StandbyStatus{Name: name, Epoch: fence.NoEpoch, Trouble: trouble})
	}
	switch {
	case err != nil && (s.conn.IsClosed() || ctx.Err() != nil):
		return nil, err
	case err != nil:
		other("others", err.Error())
	case twice != "":
		other("others", twice+" are the same standby")
	}
	for _, name := range names {
		other(name, "")
	}
	return others, nil
}

// forgetStandbys ends what lookAtStandbys has begun.
func (s *session) forgetStandbys() {
	for _, standby := range s.standbys {
		standby.seen = nil
	}
}

// standbysStatus are those that were looked at, and their laggards.
func (w *work) standbysStatus() (list []StandbyStatus, laggards []Session) {
	for _, standby := range w.standbys {
		seen := standby.seen
		list = append(list, StandbyStatus{
			Name: standby.name, Looked: true, Trouble: seen.trouble, Epoch: seen.replayed,
			Sessions: byEpoch(seen.sessions), Instances: w.byInstance(seen.sessions),
		})
		laggards = append(laggards, w.laggards(seen.sessions)...)
	}
	return list, laggards
}
