package lockstep

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Aspect is what two sides can differ in.
type Aspect string

// The aspects, in the order in which they are looked at.
const (
	Refused    Aspect = "refused"
	SQLSTATE   Aspect = "SQLSTATE"
	Position   Aspect = "position of the error"
	Parameters Aspect = "types of parameters"
	Columns    Aspect = "columns"
	Rows       Aspect = "rows"
	Tag        Aspect = "command tag"
	Number     Aspect = "number of results"
	Contents   Aspect = "tables afterwards"
	Faulty     Aspect = "rows whose two sides disagree"
	Sequences  Aspect = "sequences afterwards"
)

// Difference says how a side differs from the original.
type Difference struct {
	Side   *Side
	Aspect Aspect
	// Want is what the original gives, Got the side.
	Want, Got string
	// Rejected: the original rejects the statement.
	Rejected bool
}

// like tells whether the difference can stand for another one: it is of the same
// kind, and does not need a statement that the original rejects where the other
// one did without.
func (d Difference) like(other Difference) bool {
	if d.Aspect != other.Aspect || d.Rejected && !other.Rejected {
		return false
	}
	return d.Aspect != Refused && d.Aspect != SQLSTATE || kindOf(d.Got) == kindOf(other.Got)
}

// compare returns the first difference between an observation of the original
// and one of a side, or nil. What the original rejects may be refused.
func compare(side *Side, manner Manner, want, got Observation) *Difference {
	failed := slices.ContainsFunc(want.Answers, Answer.failed)
	differ := func(a Aspect, w, g any) *Difference {
		return &Difference{Side: side, Aspect: a, Want: fmt.Sprint(w), Got: fmt.Sprint(g), Rejected: failed}
	}
	// What is sent together is undone together.
	rejected := manner != Prepared && failed
	for i := range min(len(want.Answers), len(got.Answers)) {
		w, g := want.Answers[i], got.Answers[i]
		switch {
		case g.Refused != "" && (rejected || w.failed()):
			return nil // the rest was not run
		case g.Refused != "":
			return differ(Refused, "accepted", g.Refused)
		case w.Code != g.Code:
			return differ(SQLSTATE, describe(w), describe(g))
		case w.Position != g.Position && w.SQL == g.SQL && side.Translate == nil:
			return differ(Position, fmt.Sprint(w.Position, ": ", w.Message), fmt.Sprint(g.Position, ": ", g.Message))
		case !slices.Equal(w.ParamOIDs, g.ParamOIDs):
			return differ(Parameters, w.ParamOIDs, g.ParamOIDs)
		case !slices.Equal(w.Columns, g.Columns):
			return differ(Columns, strings.Join(w.Columns, ", "), strings.Join(g.Columns, ", "))
		case !slices.Equal(w.Rows, g.Rows):
			return differ(Rows, strings.Join(w.Rows, "\n"), strings.Join(g.Rows, "\n"))
		case w.Tag != g.Tag:
			return differ(Tag, w.Tag, g.Tag)
		}
	}
	switch {
	case len(want.Answers) != len(got.Answers):
		return differ(Number, len(want.Answers), len(got.Answers))
	case want.Contents != got.Contents:
		return differ(Contents, without(want.Contents, got.Contents), without(got.Contents, want.Contents))
	case got.Faulty != "":
		return differ(Faulty, "", got.Faulty)
	case want.Sequences != got.Sequences:
		return differ(Sequences, want.Sequences, got.Sequences)
	}
	return nil
}

// without are the lines of a text that another one does not have.
func without(text, other string) string {
	lines := strings.Split(other, "\n")
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return slices.Contains(lines, line) }), "\n")
}

func describe(a Answer) string {
	if a.Code == "" {
		return "success"
	}
	return a.Code + " " + a.Message
}

// Step runs a step on the original and on the given sides, and compares them.
func (w *World) Step(ctx context.Context, step Step, sides []*Side) (want Observation, found []Difference, err error) {
	w.steps++
	want, err = w.Original.Run(ctx, step, w.steps)
	if err != nil {
		return want, nil, err
	}
	for _, side := range sides {
		got, err := side.Run(ctx, step, w.steps)
		if err != nil {
			return want, found, err
		}
		if d := compare(side, step.Manner, want, got); d != nil {
			found = append(found, *d)
		}
	}
	return want, found, nil
}

// Restore puts the original and the given sides back to the beginning.
func (w *World) Restore(ctx context.Context, sides []*Side) error {
	w.steps = 0
	for _, side := range append([]*Side{w.Original}, sides...) {
		if err := side.Restore(ctx); err != nil {
			return err
		}
	}
	return nil
}
