package statuspage

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// mostRows is how many rows a table of the page has, mostPeople how many of sessions;
// status.json has all.
const (
	mostRows   = 25
	mostPeople = 10
)

// people is a list of sessions.
type people struct {
	List []person
	// More are not listed; Statements tells that there is a column for them.
	More       int
	Statements bool
}

// person is a session, or a prepared transaction.
type person struct {
	migrator.Session
	// Who is its pid, or the name of the transaction. Knows is its epoch.
	Who, Knows string
}

// newPeople lists those in a transaction first, the oldest on top.
func newPeople(sessions []migrator.Session, c Config) people {
	p := people{More: max(0, len(sessions)-mostPeople), Statements: c.ShowStatements}
	sessions = slices.Clone(sessions)
	rank := func(s migrator.Session) int { return map[bool]int{true: 0, false: 1}[s.InTx] }
	slices.SortStableFunc(sessions, func(a, b migrator.Session) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Age, a.Age))
	})
	for _, s := range sessions[:len(sessions)-p.More] {
		x := person{Session: s, Who: "pid " + strconv.Itoa(s.PID), Knows: epochName(s.Epoch)}
		switch {
		case s.Behind != "":
			x.Who, x.Knows, x.State = "standby "+s.Standby, "", s.Behind
		case s.PID == 0:
			x.Who = "prepared " + s.Prepared
		case s.Standby != "":
			x.Who += " on " + s.Standby
		}
		p.List = append(p.List, x)
	}
	return p
}

func epochName(epoch int) string {
	if epoch < 0 {
		return "no hook"
	}
	return "epoch " + strconv.Itoa(epoch)
}

// connections are the sessions of the database.
type connections struct {
	// Newest is the last epoch that has begun.
	Newest int
	census
	Chart    *chart
	Standbys []standby
}

// census is who is on one server.
type census struct {
	Groups    []group
	Instances []instance
	More      int
}

// standby is a server that reads what this one has written, and who is there.
type standby struct {
	migrator.StandbyStatus
	Who census
	// Lags: it has not replayed the newest epoch yet.
	Lags bool
}

// group is a share of the sessions.
type group struct {
	Class, Name string
	Count       int
	// Left and Width are where it stands in the bar, in percent.
	Left, Width float64
}

// instance is a line of the table.
type instance struct {
	migrator.InstanceSessions
	Class, Knows string
}

// newConnections is nil when no transition concerns connections.
func newConnections(list []migrator.Status, past series, now time.Time, c Config) *connections {
	if len(list) == 0 {
		return nil
	}
	v := &connections{Newest: newestEpoch(list)}
	if drawn, top := connectionsPlot.draw(past, now, c); top > 0 {
		v.Chart = &drawn
	}
	v.census = newCensus(list[0].Sessions, list[0].Instances, v.Newest)
	for _, s := range list[0].Standbys {
		v.Standbys = append(v.Standbys, standby{s, newCensus(s.Sessions, s.Instances, v.Newest), s.Looked && s.Trouble == "" && s.Epoch < v.Newest})
	}
	return v
}

func newCensus(sessions []migrator.EpochSessions, instances []migrator.InstanceSessions, newest int) (c census) {
	class := func(epoch int) string {
		switch {
		case epoch < 0:
			return "unhooked"
		case epoch < newest:
			return "older"
		}
		return "current"
	}
	total := 0
	for _, e := range sessions {
		total += e.Count
	}
	left := 0.0
	for _, e := range sessions {
		g := group{Class: class(e.Epoch), Name: epochName(e.Epoch), Count: e.Count, Left: left, Width: 100 * float64(e.Count) / float64(total)}
		c.Groups, left = append(c.Groups, g), left+g.Width
	}
	c.More = max(0, len(instances)-mostRows)
	for _, i := range instances[:len(instances)-c.More] {
		x := instance{i, class(i.Epoch), epochName(i.Epoch)}
		if i.Ignored {
			x.Class, x.Knows = "ignored", x.Knows+", ignored"
		}
		c.Instances = append(c.Instances, x)
	}
	return c
}
