package synctrigger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// The compatibility matrix: one row, an instance in each of two phases, and
// somebody who copies forward (a backfill, or a tail), in every order of their
// operations. The specification is one register. What the matrix forbids must go
// wrong in some order, or the model would prove nothing.

// null stands for NULL, in a column, and in the register for no row.
const null = -1

const shift = 1000 // the target is the source and that

// cell is the row and the register. A row that is not there has NULL in both.
type cell struct{ s, t, register int }

func forward(s int) int {
	if s == null {
		return null
	}
	return s + shift
}

func backward(t int) int {
	if t == null {
		return null
	}
	return t - shift
}

// read is what a phase reads.
func (c cell) read(p phase.Phase) int {
	if p.Behaviour().Read == phase.Target {
		return backward(c.t)
	}
	return c.s
}

// mode is what the trigger does: nothing without one, and in mode count.
type mode int

const (
	without mode = iota
	syncing
	refusing
)

// writer puts v where a phase writes; of a new row the rest is NULL. refused: the
// statement fails.
type writer func(c cell, p phase.Phase, v int, m mode) (next cell, refused bool)

// write is what the rewriter and the trigger do. The trigger goes by what has
// changed.
func write(c cell, p phase.Phase, v int, m mode) (next cell, refused bool) {
	next = c
	b := p.Behaviour()
	if b.WritesBoth() || !b.WriteTarget {
		next.s = v
	}
	if b.WriteTarget {
		next.t = forward(v)
	}
	source, target := next.s != c.s, next.t != c.t
	switch {
	case m == without || next.t == forward(next.s) || source == target:
	case m == refusing:
		return c, true
	case source:
		next.t = forward(next.s)
	default:
		next.s = backward(next.t)
	}
	return next, false
}

// step is what somebody does. It may not apply; it is not right when it reads what
// nobody has written last.
type step struct {
	name string
	do   func(c cell, p phase.Phase, v int, m mode, write writer) (next cell, applies, right bool)
}

var steps = []step{
	{"insert", func(c cell, p phase.Phase, v int, m mode, write writer) (cell, bool, bool) {
		if c.register != null {
			return c, false, true
		}
		next, refused := write(cell{null, null, null}, p, v, m)
		next.register = v
		return next, !refused, true
	}},
	{"set", func(c cell, p phase.Phase, v int, m mode, write writer) (cell, bool, bool) {
		next, refused := write(c, p, v, m)
		next.register = v
		return next, c.register != null && !refused, true
	}},
	{"add", func(c cell, p phase.Phase, _ int, m mode, write writer) (cell, bool, bool) {
		v := c.read(p)
		right := v == c.register
		if v != null {
			v++
		}
		next, refused := write(c, p, v, m)
		next.register = c.register + 1
		return next, c.register != null && !refused, right
	}},
	{"touch", func(c cell, _ phase.Phase, _ int, _ mode, _ writer) (cell, bool, bool) {
		return c, c.register != null, true
	}},
	{"read", func(c cell, p phase.Phase, _ int, _ mode, _ writer) (cell, bool, bool) {
		return c, c.register != null, c.read(p) == c.register
	}},
	{"delete", func(c cell, _ phase.Phase, _ int, _ mode, _ writer) (cell, bool, bool) {
		return cell{null, null, null}, c.register != null, true
	}},
}

// verdict is what was found of a pair: every read was right; in every state that
// can be reached the source is right, and so is the target, at once or when
// whoever copies has been there.
type verdict struct{ reads, source, target, converges bool }

var allRight = verdict{true, true, true, true}

// act is a step of one of the two, or of who copies.
type act struct {
	step   int // of steps; copying for who copies
	second bool
}

const copying = -1

// matrix is a search of every sequence of depth operations of an instance in phase
// a and one in b.
type matrix struct {
	a, b   phase.Phase
	begin  cell
	copier bool
	mode   mode
	depth  int
	write  writer
}

// search also returns the sequences that end with a wrong read, one for each
// operation that makes it, and how many it has run.
func (x matrix) search() (v verdict, wrong [][]act, runs int) {
	v = allRight
	found := map[act]bool{}
	look := func(c cell) {
		if c.register == null {
			return
		}
		v.source = v.source && c.s == c.register
		v.target = v.target && c.t == forward(c.register)
		v.converges = v.converges && forward(c.s) == forward(c.register)
	}
	var walk func(c cell, path []act)
	walk = func(c cell, path []act) {
		look(c)
		if len(path) == x.depth {
			runs++
			return
		}
		for n, s := range steps {
			for i, p := range []phase.Phase{x.a, x.b} {
				if i == 1 && x.a == x.b {
					continue // the same again
				}
				next, applies, right := s.do(c, p, value(len(path), i), x.mode, x.write)
				if !applies {
					continue
				}
				did := act{n, i == 1}
				if v.reads = v.reads && right; !right && !found[did] {
					found[did] = true
					wrong = append(wrong, append(slices.Clone(path), did))
				}
				walk(next, append(path, did))
			}
		}
		if x.copier && c.register != null {
			next := c
			next.t = forward(c.s)
			walk(next, append(path, act{step: copying}))
		}
	}
	walk(x.begin, make([]act, 0, x.depth))
	return v, wrong, runs
}

// value is what an operation writes, each one something else.
func value(level, who int) int { return 10*(level+1) + who }

// pairs is the matrix: reads after the backfill, before it, while it runs, and
// after it when somebody copies forward still; which side the next step may rely
// on; and whether what is half written becomes whole.
var pairs = []struct {
	a, b                    phase.Phase
	after, before, copies   bool
	source, target, catches bool
}{
	{phase.Off, phase.Off, true, true, true, true, false, true},
	{phase.Off, phase.DualWrite, true, true, true, true, false, true},
	{phase.Off, phase.Shadow, true, true, true, true, false, true},
	{phase.Off, phase.Live, false, false, false, false, false, false},
	{phase.Off, phase.Complete, false, false, false, false, false, false},
	{phase.DualWrite, phase.DualWrite, true, true, true, true, true, true},
	{phase.DualWrite, phase.Shadow, true, true, true, true, true, true},
	{phase.Shadow, phase.Shadow, true, true, true, true, true, true},
	{phase.DualWrite, phase.Live, true, false, true, true, true, true},
	{phase.Shadow, phase.Live, true, false, true, true, true, true},
	{phase.DualWrite, phase.Complete, false, false, false, false, false, false},
	{phase.Shadow, phase.Complete, false, false, false, false, false, false},
	{phase.Live, phase.Live, true, false, true, true, true, true},
	{phase.Live, phase.Complete, true, false, false, false, true, false},
	{phase.Complete, phase.Complete, true, false, false, false, true, false},
	// From here on the source does not exist, and nobody copies.
	{phase.Complete, phase.Contracted, true, false, false, false, true, false},
	{phase.Contracted, phase.Contracted, true, false, false, false, true, false},
}

var (
	filled   = cell{1, 1 + shift, 1}
	unfilled = cell{1, null, 1}
)

func TestCompatibilityMatrix(t *testing.T) {
	t.Parallel()
	depth := 5
	if testing.Short() {
		depth = 4
	}
	total := 0
	for _, row := range pairs {
		find := func(begin cell, copier bool, m mode) verdict {
			v, _, runs := matrix{row.a, row.b, begin, copier, m, depth, write}.search()
			total += runs
			return v
		}
		name := fmt.Sprintf("%s with %s", row.a, row.b)
		after := find(filled, false, without)
		require.Equal(t, row.after, after.reads, "%s: reads after the backfill", name)
		require.Equal(t, row.before, find(unfilled, true, without).reads, "%s: reads before the backfill", name)
		copied := find(filled, true, without)
		require.Equal(t, row.copies, copied.reads, "%s: reads while somebody copies", name)
		// A tail is somebody who copies: what is half written becomes whole, as
		// long as the source is the authority.
		require.Equal(t, row.catches, copied.converges, "%s: becomes whole", name)
		if row.after {
			require.Equal(t, row.source, after.source, "%s: the source", name)
			require.Equal(t, row.target, after.target, "%s: the target", name)
		}
		// With the trigger everything works together after the backfill, and what
		// one that refuses lets pass does too.
		require.Equal(t, allRight, find(filled, true, syncing), "%s: with a trigger", name)
		require.Equal(t, allRight, find(filled, true, refusing), "%s: with a trigger that refuses", name)
	}
	t.Logf("%d runs of %d operations", total, depth)
	require.Greater(t, total, 10_000)
}

// TestMatrixFindsFaults: a rewriter or a trigger with a fault changes what the
// search finds of a pair that works together.
func TestMatrixFindsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		a, b   phase.Phase
		mode   mode
		faulty writer
	}{
		{"dualwrite leaves the target out", phase.DualWrite, phase.Live, without, func(c cell, p phase.Phase, v int, m mode) (cell, bool) {
			if p == phase.DualWrite {
				p = phase.Off
			}
			return write(c, p, v, m)
		}},
		{"live leaves the source out", phase.Shadow, phase.Live, without, func(c cell, p phase.Phase, v int, m mode) (cell, bool) {
			if p == phase.Live {
				p = phase.Complete
			}
			return write(c, p, v, m)
		}},
		{"the trigger knows one direction", phase.Off, phase.Complete, syncing, func(c cell, p phase.Phase, v int, _ mode) (cell, bool) {
			next, _ := write(c, p, v, without)
			if next.s != c.s {
				next.t = forward(next.s)
			}
			return next, false
		}},
		{"the trigger goes by the phase, not by what has changed", phase.Off, phase.Live, syncing, func(c cell, p phase.Phase, v int, _ mode) (cell, bool) {
			next, _ := write(c, p, v, without)
			if p != phase.Off {
				next.t = forward(next.s)
			}
			return next, false
		}},
		{"the trigger does not see inserts", phase.Off, phase.Live, syncing, func(c cell, p phase.Phase, v int, m mode) (cell, bool) {
			if c.register == null {
				m = without
			}
			return write(c, p, v, m)
		}},
		{"the trigger refuses nothing", phase.Off, phase.Live, refusing, func(c cell, p phase.Phase, v int, _ mode) (cell, bool) {
			return write(c, p, v, without)
		}},
	} {
		right, _, _ := matrix{c.a, c.b, filled, false, c.mode, 4, write}.search()
		require.Equal(t, allRight, right, c.name)
		wrong, _, _ := matrix{c.a, c.b, filled, false, c.mode, 4, c.faulty}.search()
		require.NotEqual(t, right, wrong, c.name)
	}
}
