package dualwrite

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/otel/metric"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// statement is what became of a text of the application.
type statement struct {
	// original is the application's text, and result what to do with it.
	original string
	result   rewrite.Result
	// send is the text that the server gets.
	send string
	// by is who made it; nil when that does not matter any more.
	by *translator
	// doubtful: a prepared statement that may have another text.
	doubtful bool
	// pairs are its forms for the transitions that it touches, once it was sampled.
	pairs atomic.Pointer[[]pair]
}

// changed tells whether the server gets another text than the application's.
func (s *statement) changed() bool { return s != nil && s.result.Outcome != rewrite.Passed }

// special tells whether executing it does something to the session that the
// connection rests on.
func (s *statement) special() bool {
	return s != nil && (s.result.Resets || s.result.MovesPath)
}

// parsable is the statement as Parse can send it: a refusal where statements of
// the hook's own stand before it, as Parse takes one.
func (s *statement) parsable() *statement {
	if s.result.Leading == 0 {
		return s
	}
	r := &rewrite.Refusal{
		Message: "crossfade: this COPY into a table in transition cannot be prepared, only sent as it is",
		Hint:    "Send it by CopyFrom of pgx or pgconn, or by Exec without arguments.",
		Offset:  -1,
	}
	return &statement{
		original: s.original, send: refusalText(r), by: s.by,
		result: rewrite.Result{
			Outcome: rewrite.Refused, Refusal: r, Resets: s.result.Resets, MovesPath: s.result.MovesPath,
		},
	}
}

// position maps a byte offset to the character, from 1, as PostgreSQL counts.
func position(text string, offset int) int {
	return utf8.RuneCountInString(text[:min(offset, len(text))]) + 1
}

// offset is the inverse of position.
func offset(text string, position int) int {
	for i := range text {
		if position--; position == 0 {
			return i
		}
	}
	return len(text)
}

// originalPosition maps a character position in the text that was sent to one
// in the application's text.
func (s *statement) originalPosition(p int) int {
	return position(s.original, s.result.OriginalOffset(offset(s.send, p)))
}

// writes tells whether the column at a position of the text that was sent is one
// that the application does not name: what a star was written out to.
func (s *statement) writes(p int) bool {
	if p <= 0 || s.result.Outcome != rewrite.Rewritten {
		return false
	}
	name := columnAt(s.send[offset(s.send, p):])
	return name != "" && !strings.Contains(strings.ToLower(s.original), strings.ToLower(name))
}

// columnAt is the column that a text begins with, qualified or not.
func columnAt(text string) string {
	for {
		name, rest := identifierAt(text)
		after, qualifies := strings.CutPrefix(rest, ".")
		if !qualifies {
			return name
		}
		text = after
	}
}

// identifierAt is the identifier that a text begins with, and what follows it.
func identifierAt(text string) (name, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexFunc(text, func(r rune) bool { return r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:]
	}
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if strings.HasPrefix(text[i+1:], `"`) {
			i++
			continue
		}
		return strings.ReplaceAll(text[1:i], `""`, `"`), text[i+1:]
	}
	return "", ""
}

// translator rewrites texts under one catalog. All connections of a process
// that joined under the same one share it; it is safe for concurrent use.
type translator struct {
	rewriter *rewrite.Rewriter
	catalog  rewrite.Catalog
	cache    *cache
	// twins are rewriters for other phases than those in force.
	twins sync.Map
	// rewrites measures how long a text takes; nil: nobody does.
	rewrites metric.Float64Histogram

	young, old map[string]*statement // guarded by cache.mu
}

func newTranslator(c rewrite.Catalog) (*translator, error) {
	r, err := rewrite.New(c)
	if err != nil {
		return nil, fmt.Errorf("prepare for rewriting: %w", err)
	}
	return &translator{rewriter: r, catalog: c, cache: newCache()}, nil
}

// beside makes a translator for another search_path, with the same cache.
func (t *translator) beside(c rewrite.Catalog) (*translator, error) {
	other, err := newTranslator(c)
	if err == nil {
		other.cache, other.rewrites = t.cache, t.rewrites
	}
	return other, err
}

// in returns a rewriter that differs in the phase of the i-th transition.
func (t *translator) in(i int, p phase.Phase) (*rewrite.Rewriter, error) {
	type twin struct {
		transition int
		phase      phase.Phase
	}
	if r, ok := t.twins.Load(twin{i, p}); ok {
		return r.(*rewrite.Rewriter), nil
	}
	c := t.catalog
	c.Transitions = slices.Clone(c.Transitions)
	c.Transitions[i].Phase = p
	r, err := rewrite.New(c)
	if err != nil {
		return nil, fmt.Errorf("prepare for rewriting: %w", err)
	}
	known, _ := t.twins.LoadOrStore(twin{i, p}, r)
	return known.(*rewrite.Rewriter), nil
}

// translate returns what becomes of text, which it does not keep.
func (t *translator) translate(text []byte) *statement {
	s, young := t.cached(text)
	if young {
		return s
	}
	if s == nil {
		s = t.make(string(text))
		if len(text) > cacheLongest || !t.cache.again(text) {
			return s
		}
	}
	t.keep(s)
	return s
}

func (t *translator) make(text string) *statement {
	began := time.Now()
	s := &statement{original: text, result: t.rewriter.Rewrite(text), by: t}
	t.measureRewrite(s, began)
	switch s.result.Outcome {
	case rewrite.Passed:
		s.send = text
	case rewrite.Rewritten:
		s.send = s.result.SQL
	default:
		s.send = refusalText(s.result.Refusal)
	}
	return s
}

// refusalText fails in the server's scanner, whatever its parameters are, and
// whatever the role may read. The comment tells a reader of the server's log.
func refusalText(r *rewrite.Refusal) string {
	comment := make([]byte, 0, len(r.Message))
	for i := range len(r.Message) {
		// Nothing that ends the comment, or that some encoding lacks.
		if c := r.Message[i]; c != '*' && c >= ' ' && c < 0x7f {
			comment = append(comment, c)
		}
	}
	return "/* crossfade refused a statement: " + string(comment) + " */ " + refusedName
}

// refusedName is no keyword, and the name of no prepared statement.
const refusedName = "crossfade_refused"
