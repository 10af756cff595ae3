package migrator

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

// EpochSessions counts the sessions that joined under one epoch.
type EpochSessions struct {
	// Epoch is -1 for sessions without the hook.
	Epoch int `json:"epoch"`
	Count int `json:"count"`
}

// InstanceSessions counts the sessions of an instance of an application by the
// epoch they joined in: instances are told apart by role, application_name and
// address.
type InstanceSessions struct {
	Application string `json:"application"`
	User        string `json:"user"`
	Client      string `json:"client"`
	// Epoch is -1 for sessions without the hook. Ignored tells that drains do not
	// wait for these, as the transition or the configuration says.
	Epoch   int  `json:"epoch"`
	Ignored bool `json:"ignored,omitempty"`
	Count   int  `json:"count"`
	// InTx of them are in a transaction, the oldest for so long.
	InTx   int           `json:"in_tx"`
	Oldest time.Duration `json:"oldest_ns,omitempty"`
}

func byEpoch(sessions []Session) []EpochSessions {
	counts := map[int]int{}
	for _, s := range sessions {
		counts[s.Epoch]++
	}
	list := []EpochSessions{}
	for _, epoch := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, EpochSessions{Epoch: epoch, Count: counts[epoch]})
	}
	return list
}

// byInstance lists those without the hook first, then older epochs, which are who
// may be waited for.
func (w *work) byInstance(sessions []Session) []InstanceSessions {
	counts := map[InstanceSessions]*InstanceSessions{}
	for _, s := range sessions {
		key := InstanceSessions{Application: s.Application, User: s.User, Client: s.Client, Epoch: s.Epoch,
			Ignored: !s.Hooked() && w.ignores(s)}
		i := counts[key]
		if i == nil {
			i = &InstanceSessions{}
			*i = key
			counts[key] = i
		}
		i.Count++
		if s.InTx {
			i.InTx++
			i.Oldest = max(i.Oldest, s.Age)
		}
	}
	list := []InstanceSessions{}
	for _, i := range counts {
		list = append(list, *i)
	}
	slices.SortFunc(list, func(a, b InstanceSessions) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Application, b.Application),
			cmp.Compare(a.Client, b.Client), cmp.Compare(a.User, b.User))
	})
	return list
}

// laggards are the sessions that know an older phase than the one in force.
func (w *work) laggards(sessions []Session) []Session {
	if !w.t.Definition.Moves() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(sessions), func(s Session) bool {
		return s.Epoch == fence.NoEpoch || s.Epoch >= w.t.Epoch
	})
}
