package rewrite

import (
	"fmt"
	"slices"
	"sync"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Rewriter rewrites texts for one catalog. It is safe for concurrent use.
type Rewriter struct {
	catalog Catalog
	parser  parser
	prescan *prescan
	// tables are the relations with rows in transition; tracked are these and the
	// others whose names lead to such rows. bare tells what the unqualified name
	// of one of them means under the catalog's search_path.
	tables  []*table
	tracked []tracked
	bare    map[string]meaning
	// opaque are the functions whose calls are of interest.
	opaque []function
	// names are the sources' and targets' names: the only columns whose
	// resolution matters.
	names map[string]bool
	// preserving: some move preserves comparisons.
	preserving bool
	// lengths has a bit for each length of the name of what is tracked.
	lengths uint64
}

// New makes a Rewriter. It fails when the catalog contradicts itself; the
// caller must not change the catalog afterwards.
func New(c Catalog) (*Rewriter, error) {
	r := &Rewriter{catalog: c, parser: oliphant{}, bare: map[string]meaning{}, names: map[string]bool{}}
	switch c.Stars {
	case "", StarsSource, StarsTarget:
	default:
		return nil, fmt.Errorf("new rewriter: stars: %q is neither %q nor %q", c.Stars, StarsSource, StarsTarget)
	}
	for _, p := range []Policy{c.OpaqueText, c.OpaqueCalls} {
		if p != "" && p != PolicyRefuse && p != PolicyReport {
			return nil, fmt.Errorf("new rewriter: policy: %q is neither %q nor %q", p, PolicyRefuse, PolicyReport)
		}
	}
	moves := map[Name][]*move{}
	for _, tr := range c.Transitions {
		m, err := newMove(tr, r)
		if err != nil {
			return nil, fmt.Errorf("new rewriter: transition %d: %w", tr.ID, err)
		}
		moves[tr.Table] = append(moves[tr.Table], m)
		r.preserving = r.preserving || m.preserves(transform.PreserveEquality)
		for _, c := range slices.Concat(m.sources, m.targets) {
			r.names[c.Name] = true
		}
	}
	for _, known := range c.Tables {
		if r.relation(known.Name.Schema, known.Name.Name) != nil {
			return nil, fmt.Errorf("new rewriter: %v stands twice", known.Name)
		}
		if len(moves[known.Of]) == 0 {
			return nil, fmt.Errorf("new rewriter: table %v: no transition is of it", known.Name)
		}
		t, err := newTable(known, moves[known.Of], c.Stars)
		if err != nil {
			return nil, fmt.Errorf("new rewriter: table %v: %w", known.Name, err)
		}
		r.tables, r.tracked = append(r.tables, t), append(r.tracked, t)
	}
	for of := range moves {
		if r.table(of.Schema, of.Name) == nil {
			return nil, fmt.Errorf("new rewriter: %v is in transition, but its columns are not known", of)
		}
	}
	if err := r.addOthers(); err != nil {
		return nil, fmt.Errorf("new rewriter: %w", err)
	}
	words := slices.Clone(sessionNames)
	for _, known := range r.tracked {
		name := known.called().Name
		r.bare[name] = r.unqualified(name)
		r.lengths |= 1 << (len(name) & 63)
		words = append(words, searchable(name))
	}
	for _, f := range r.opaque {
		r.lengths |= 1 << (len(f.Name.Name) & 63)
		words = append(words, searchable(f.Name.Name))
	}
	r.prescan = newPrescan(words)
	return r, nil
}

// maxScratch is how many tokens are worth keeping room for.
const maxScratch = 1 << 14

var scratch = sync.Pool{New: func() any { return new([]token) }}

// Rewrite says what to send instead of sql. It neither fails nor panics: what
// it cannot rewrite it refuses.
func (r *Rewriter) Rewrite(sql string) Result { return r.rewriteWith(sql, false) }

func (r *Rewriter) rewriteWith(sql string, unfenced bool) (result Result) {
	if !r.prescan.hit(sql) && !beginsSession(sql) {
		return Result{Outcome: Passed, SQL: sql}
	}
	buffer := scratch.Get().(*[]token)
	tokens := scan(sql, (*buffer)[:0])
	defer func() {
		if cap(tokens) <= maxScratch {
			*buffer = tokens
			scratch.Put(buffer)
		}
	}()
	resets, movesPath := session(sql, tokens)
	defer func() {
		if p := recover(); p != nil {
			result = refused(&Refusal{
				Message: fmt.Sprintf("crossfade cannot rewrite this statement: %v", p),
				Bare:    "crossfade cannot rewrite this statement",
				Hint:    "This is a bug in crossfade; please report it with the statement.",
				Offset:  -1,
			})
		}
		result.Resets, result.MovesPath = resets, movesPath
	}()
	if !r.mentions(sql, tokens) {
		return Result{Outcome: Passed, SQL: sql}
	}
	return r.rewrite(&walker{r: r, sql: sql, tokens: tokens, pathUnknown: r.catalog.PathUnknown || movesPath, unfenced: unfenced})
}

// mentions tells whether some token can be the name of something tracked.
// Strings count: a command inside one may name it.
func (r *Rewriter) mentions(sql string, tokens []token) bool {
	runs := runsStrings(sql, tokens)
	for i, t := range tokens {
		switch {
		case t.isIdent():
			if r.namesTracked(sql, tokens, i) {
				return true
			}
		case t.kind == kindString && runs:
			if r.mentionedIn(sql[t.start:t.end]) != nil {
				return true
			}
		case t.kind == kindBad:
			// What follows is not understood: the bare text must do.
			return r.mentionedIn(sql[t.start:]) != nil
		}
	}
	return false
}

func (r *Rewriter) namesTracked(sql string, tokens []token, i int) bool {
	t := tokens[i]
	if t.kind == kindWord && r.lengths&(1<<((t.end-t.start)&63)) == 0 && t.end-t.start <= maxIdent {
		return false
	}
	for _, known := range r.tracked {
		if identEquals(sql, tokens, i, known.called().Name) {
			return true
		}
	}
	return r.callsOpaque(sql, tokens, i)
}

// rewrite parses a text that mentions a table in transition and walks it.
func (r *Rewriter) rewrite(w *walker) Result {
	sql := w.sql
	if reason := guard(sql, w.tokens); reason != "" {
		return refused(&Refusal{
			Message: fmt.Sprintf("crossfade cannot check this text for columns in transition: %s", reason),
			Hint:    "Split the text, or run it on a connection without the hook while no column of its tables is in transition.",
			Offset:  -1,
		})
	}
	tree, err := r.parser.parse(sql)
	if err != nil {
		return refused(unparsed(err))
	}
	for _, raw := range tree.Stmts {
		if w.topLevel(raw); w.refusal != nil {
			return refused(w.refusal)
		}
	}
	if w.edits.count() == 0 {
		return Result{Outcome: Passed, SQL: sql, Reported: w.reported}
	}
	out, edits := w.edits.apply(sql)
	again, err := r.parser.parse(out)
	if err != nil {
		panic(fmt.Sprintf("the rewritten text does not parse: %v", err))
	}
	if len(again.Stmts) != len(tree.Stmts)+w.leading {
		panic("the rewritten text has another number of statements")
	}
	return Result{
		Outcome: Rewritten, SQL: out, Edits: edits, Leading: w.leading, Reported: w.reported, Reads: plainRead(tree), original: sql,
	}
}

func refused(refusal *Refusal) Result { return Result{Outcome: Refused, Refusal: refusal} }
