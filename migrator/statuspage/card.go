package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// card is a transition as the page shows it.
type card struct {
	migrator.Status
	// Mood is a class of the style sheet, Word the same for people.
	Mood, Word string
	// Reads and Writes say what statements do in the phase; empty without one.
	Reads, Writes string
	// Wanted is the phase that is asked for, where it is another one.
	Wanted string
	Track  []stage
	Holds  []hold
	// Scans are those under way, Past those that are over.
	Scans, Past []scan
	Charts      []chart
	// Compared is what was found of reads; nil where they are not compared.
	Compared *readings
	// Refusals are the statements that hooks have refused.
	Refusals refusals
	// Waiting are those that a drain waits for, Behind those that know an older
	// phase and that nobody waits for.
	Waiting, Behind people
	// Events are the last ones, the last first.
	Events []migrator.HistoryEvent
}

// The moods of a card, and how they are called, in the order of the page.
const (
	moodBad  = "bad"
	moodHeld = "held"
	moodBusy = "busy"
	moodRest = "rest"
	moodDone = "done"
)

var moods = []struct{ mood, word string }{
	{moodBad, "needs attention"}, {moodHeld, "held"}, {moodBusy, "under way"}, {moodRest, "at rest"}, {moodDone, "done"},
}

func newCard(s migrator.Status, past series, now time.Time, c Config) card {
	k := card{Status: s, Track: newTrack(s), Holds: holdsOf(s), Charts: charts(past, now, c), Compared: newReadings(s), Refusals: newRefusals(s)}
	if s.Phase != "" {
		b := s.Phase.Behaviour()
		k.Reads, k.Writes = readsOf(s), "target"
		switch {
		case b.WritesBoth():
			k.Writes = "both"
		case b.WriteSource:
			k.Writes = "source"
		}
	}
	if r := s.Request; r != nil && r.Phase != "" && r.Phase != s.Phase {
		k.Wanted = string(r.Phase)
	}
	for _, j := range s.Jobs {
		if x := newScan(j, s.Control); j.Finished {
			k.Past = append(k.Past, x)
		} else {
			k.Scans = append(k.Scans, x)
		}
	}
	if s.Drain != nil {
		k.Waiting = newPeople(s.Drain.Waiting, c)
	}
	k.Behind = newPeople(slices.DeleteFunc(slices.Clone(s.Laggards), func(l migrator.Session) bool {
		return s.Drain != nil && slices.ContainsFunc(s.Drain.Waiting, func(w migrator.Session) bool { return w.PID == l.PID })
	}), c)
	k.Events = slices.Clone(s.History)
	slices.Reverse(k.Events)
	k.Mood = k.mood()
	k.Word = moods[slices.IndexFunc(moods, func(m struct{ mood, word string }) bool { return m.mood == k.Mood })].word
	return k
}

// mood sums a transition up: what is wrong counts more than what waits.
func (k card) mood() string {
	graves := func(mood string) bool {
		return slices.ContainsFunc(k.Holds, func(h hold) bool { return h.Mood == mood })
	}
	switch {
	case graves(moodBad):
		return moodBad
	case graves(moodHeld):
		return moodHeld
	case k.Underway != "" || k.Drain != nil || k.Removed || k.Wanted != "":
		return moodBusy
	case k.Ended, k.Phase.SourceGone() && !slices.ContainsFunc(k.Steps, func(s migrator.StepStatus) bool { return s.State != migrator.StepDone }):
		return moodDone
	}
	return moodRest
}

// sortCards puts what needs somebody first.
func sortCards(cards []card) {
	rank := func(k card) int {
		return slices.IndexFunc(moods, func(m struct{ mood, word string }) bool { return m.mood == k.Mood })
	}
	slices.SortStableFunc(cards, func(a, b card) int { return cmp.Compare(rank(a), rank(b)) })
}

// summary counts the moods.
func summary(cards []card) string {
	var parts []string
	for _, m := range moods {
		n := 0
		for _, k := range cards {
			if k.Mood == m.mood {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, m.word))
		}
	}
	return strings.Join(parts, " · ")
}

// Arrow is what moves, or what else is done.
func (k card) Arrow() string {
	if len(k.Sources) == 0 {
		return k.Does
	}
	return strings.Join(k.Sources, ", ") + " → " + strings.Join(k.Targets, ", ")
}

// Now is what is being done; empty when nothing is.
func (k card) Now() string {
	for _, s := range k.Steps {
		if s.State == migrator.StepUnderway {
			if s.Undoing {
				return "undoing " + s.Name
			}
			return s.Summary
		}
	}
	return ""
}
