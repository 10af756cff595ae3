package statuspage

import "github.com/pgcrossfade/crossfade/migrator"

// stage is a phase on the way, with the steps that are done in it; the steps alone
// where no column moves.
type stage struct {
	// Name is the phase; empty where there is none.
	Name string
	// Class is past, now, next (being entered or left) or left; flat without a name.
	Class string
	Word  string
	Steps []migrator.StepStatus
}

// newTrack arranges the steps by the phases in which they work.
func newTrack(s migrator.Status) []stage {
	var track []stage
	for _, step := range s.Steps {
		name := string(step.Phase)
		if n := len(track); n == 0 || track[n-1].Name != name {
			track = append(track, stage{Name: name})
		}
		if !step.Flip { // it is the phase itself
			last := &track[len(track)-1]
			last.Steps = append(last.Steps, step)
		}
	}
	passed := true
	for i := range track {
		t := &track[i]
		switch {
		case t.Name == "":
			t.Class = "flat"
		case t.Name == string(s.Phase):
			t.Class, t.Word, passed = "now", "in force", false
		case passed:
			t.Class, t.Word = "past", "passed"
		default:
			t.Class, t.Word = "left", "ahead"
		}
	}
	for _, step := range s.Steps {
		for i := range track {
			if step.Flip && step.State == migrator.StepUnderway && track[i].Name == string(step.Phase) && track[i].Class != "now" {
				track[i].Class, track[i].Word = "next", "under way"
			}
		}
	}
	return track
}
