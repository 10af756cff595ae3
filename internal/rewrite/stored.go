package rewrite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// Stored rewrites SQL that PostgreSQL keeps in its catalogs, as it prints it under
// an empty search_path: views, conditions of policies and triggers. What it makes
// reads the targets only, and is right as long as these serve. It names no
// token: it outlives every phase.
type Stored struct {
	r *Rewriter
}

// NewStored makes a Stored for the transitions of a catalog, whatever their
// phases. Views do not count: each is rewritten for itself.
func NewStored(c Catalog) (*Stored, error) {
	c.SearchPath, c.Views, c.Opaque, c.OpaqueText = []string{"pg_catalog"}, nil, nil, PolicyReport
	transitions := make([]Transition, len(c.Transitions))
	for i, t := range c.Transitions {
		t.Phase, t.Token = phase.Complete, "none"
		transitions[i] = t
	}
	c.Transitions = transitions
	r, err := New(c)
	return &Stored{r: r}, err
}

// Query rewrites a query. A refusal of the rewriter is the error.
func (s *Stored) Query(sql string) (string, error) {
	result := s.r.rewriteWith(sql, true)
	if result.Outcome == Refused {
		return "", errors.New(result.Refusal.Message)
	}
	return result.SQL, nil
}

// Condition rewrites a condition over what FROM lists.
func (s *Stored) Condition(from, condition string) (string, error) {
	return s.over(from, condition, "")
}

// Value rewrites an expression of any type.
func (s *Stored) Value(from, expression string) (string, error) {
	return s.over(from, expression, " IS NULL")
}

func (s *Stored) over(from, expression, test string) (string, error) {
	before, after := "SELECT FROM "+from+" WHERE (", ")"+test
	out, err := s.Query(before + expression + after)
	if err != nil {
		return "", err
	}
	head, tail := strings.HasPrefix(out, before), strings.HasSuffix(out, after)
	if !head || !tail || len(out) < len(before)+len(after) {
		return "", fmt.Errorf("%s has no form of its own over the targets", expression)
	}
	return out[len(before) : len(out)-len(after)], nil
}

// Trigger is the text of a CREATE TRIGGER, taken apart.
type Trigger struct {
	// Head goes up to the column list of UPDATE OF, Middle from there to the
	// condition of WHEN, Tail from there on. Without a list Middle is empty,
	// without a condition Tail is.
	Head, Middle, Tail string
	Condition          string
	Listed             bool
}

// ParseTrigger takes apart what pg_get_triggerdef prints.
func ParseTrigger(text string) Trigger {
	t := Trigger{Head: text}
	w := &walker{sql: text, tokens: scan(text, nil)}
	for i := range w.tokens {
		switch {
		case !t.Listed && w.is(i, "of") && w.is(i-1, "update"):
			end := w.until(i, func(i int) bool { return w.is(i, "on") || w.is(i, "or") })
			t.Listed, t.Head = true, text[:w.tokens[i-1].end]
			t.Middle = text[w.tokens[end].start:]
		case t.Tail == "" && w.is(i, "when") && w.kind(i+1) == '(':
			end := w.closing(i + 1)
			t.Condition = text[w.tokens[i+1].end:w.tokens[end].start]
			until, from := int(w.tokens[i+1].end), int(w.tokens[end].start)
			t.Tail = text[from:]
			if t.Listed {
				t.Middle = text[len(text)-len(t.Middle) : until]
			} else {
				t.Head = text[:until]
			}
		}
	}
	return t
}

// With is the text with other columns in the list, and another condition.
func (t Trigger) With(columns []string, condition string) string {
	text := t.Head
	if t.Listed {
		if len(columns) > 0 {
			quoted := make([]string, len(columns))
			for i, c := range columns {
				quoted[i] = quote(c)
			}
			text += " OF " + strings.Join(quoted, ", ")
		}
		text += " " + t.Middle
	}
	return text + condition + t.Tail
}
