package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Token stands for the token of a phase, whose real name says when the phase
// began.
const Token = "token"

// Explanation is what a statement becomes.
type Explanation struct {
	Statement
	Phases []Outcome `json:"phases"`
	// Plan is set when the statement reads the column and plans were asked for.
	Plan *Plan `json:"plan,omitempty"`
}

// Refused tells whether some phase refuses the statement.
func (e Explanation) Refused() bool {
	return slices.ContainsFunc(e.Phases, func(o Outcome) bool { return o.Outcome == rewrite.Refused })
}

// Outcome is what a statement becomes in a phase.
type Outcome struct {
	Phase   phase.Phase     `json:"phase"`
	Outcome rewrite.Outcome `json:"outcome"`
	// SQL is the text that is sent; empty when refused.
	SQL string `json:"sql,omitempty"`
	// Edits lead from the statement to SQL, by byte offsets in the statement.
	Edits []Edit `json:"edits,omitempty"`
	// Message says why the statement is refused, Hint what to do instead, and
	// At where in the file it is refused, if that is known.
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"`
	At      string `json:"at,omitempty"`
	// Reported are what the hook cannot see into and would report, by its default
	// policy: a function whose body names the column.
	Reported []string `json:"reported,omitempty"`
}

// Edit replaces the bytes from Start up to End.
type Edit struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// SameAs tells whether two phases make the same of a statement.
func (o Outcome) SameAs(p Outcome) bool {
	return o.Outcome == p.Outcome && o.SQL == p.SQL && o.Message == p.Message && o.Hint == p.Hint &&
		slices.Equal(o.Reported, p.Reported)
}

// Explainer rewrites statements as a connection would that joins in one of the
// phases of a transition, everything else being as it is in the database.
type Explainer struct {
	Snapshot catalog.Snapshot
	View     fence.View
	// Subject is the transition's place in the view.
	Subject int
	Stars   rewrite.Stars
}

// Member is the transition that is explained.
func (x *Explainer) Member() fence.Member { return x.View.Transitions[x.Subject] }

// Explain tells what statements become in each of the phases.
func (x *Explainer) Explain(statements []Statement, phases []phase.Phase) ([]Explanation, error) {
	explained := make([]Explanation, len(statements))
	for i, statement := range statements {
		explained[i].Statement = statement
	}
	for _, p := range phases {
		r, err := x.rewriter(p, Token)
		if err != nil {
			return nil, err
		}
		for i, statement := range statements {
			explained[i].Phases = append(explained[i].Phases, outcome(statement, p, r.Rewrite(statement.SQL)))
		}
	}
	return explained, nil
}

// rewriter is that of a connection which joined in phase p.
func (x *Explainer) rewriter(p phase.Phase, token string) (*rewrite.Rewriter, error) {
	view := x.View
	view.Transitions = slices.Clone(view.Transitions)
	view.Transitions[x.Subject].Phase, view.Transitions[x.Subject].Token = p, token
	return rewrite.New(x.Snapshot.Catalog(view, x.Stars))
}

func outcome(s Statement, p phase.Phase, r rewrite.Result) Outcome {
	o := Outcome{Phase: p, Outcome: r.Outcome, SQL: r.SQL}
	for _, e := range r.Edits {
		o.Edits = append(o.Edits, Edit{e.Start, e.End, e.Text})
	}
	for _, reported := range r.Reported {
		o.Reported = append(o.Reported, reported.Message)
	}
	if r.Refusal == nil {
		return o
	}
	o.Message, o.Hint = r.Refusal.Message, r.Refusal.Hint
	if offset := r.Refusal.Offset; s.File != "" && offset >= 0 && offset <= len(s.SQL) {
		o.At = place(s.File, s.first()+strings.Count(s.SQL[:offset], "\n"))
	}
	return o
}

// first is the line on which the statement begins, comments included.
func (s Statement) first() int {
	pieces, _ := rewrite.Split(s.SQL)
	if len(pieces) == 0 {
		return s.Line
	}
	return s.Line - pieces[0].Line + 1
}

func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
