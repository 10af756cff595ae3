package lockstep

import (
	"fmt"
	"strings"
)

// Spelling says for which database a statement is written.
type Spelling int

const (
	// Original: the database as it was before the transition.
	Original Spelling = iota
	// Expanded: the database in transition, whose target names are usable.
	Expanded
)

// Part is a piece of a statement.
type Part interface{ write(*writer) }

// Text is a piece that is the same in every spelling.
type Text string

// Either is a piece with two spellings.
type Either struct{ Original, Expanded Part }

// Param is a parameter; it gets its number when the statement is written, so
// that leaving one out leaves no gap.
type Param struct {
	// Value is the value in text format; nil is null.
	Value *string
}

// Node is a piece that the shrinker may leave out or replace.
type Node struct {
	// Sort names what the node is: nodes of one sort can stand for each other.
	// The empty sort stands for nothing else.
	Sort  string
	Parts []Part
	// Sep, if any, stands between those parts that are not left out.
	Sep string
	// Switch tells whether the node is left out; nil: it never is. Nodes that
	// only make sense together share one.
	Switch *Switch
	// Simple is the simplest text of the sort; empty when there is none.
	Simple string
	// Width is the number of columns that an output item has.
	Width int
	// Total marks an ORDER BY after which rows can only differ in order when
	// they are equal.
	Total bool
}

// Switch is shared by nodes that are left out together.
type Switch struct{ off bool }

// Positions are the numbers of the output columns of a list of items.
type Positions struct{ Items *Node }

// seq makes a node of texts and parts.
func seq(sort string, parts ...any) *Node {
	n := &Node{Sort: sort}
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			n.Parts = append(n.Parts, Text(p))
		case Part:
			n.Parts = append(n.Parts, p)
		default:
			panic(fmt.Sprintf("a part of type %T", p))
		}
	}
	return n
}

// list makes a node of elements that can be left out.
func list(sep string, elements ...*Node) *Node {
	n := &Node{Sep: sep}
	for _, e := range elements {
		n.Parts = append(n.Parts, optional(e))
	}
	return n
}

// optional makes a node that can be left out.
func optional(n *Node) *Node {
	if n.Switch == nil {
		n.Switch = &Switch{}
	}
	return n
}

func (n *Node) off() bool { return n.Switch != nil && n.Switch.off }

// writer spells a statement.
type writer struct {
	strings.Builder
	spelling Spelling
	numbers  map[*Param]int
	args     [][]byte
	ordered  bool
}

func (t Text) write(w *writer) { w.WriteString(string(t)) }

func (e Either) write(w *writer) {
	if w.spelling == Original {
		e.Original.write(w)
		return
	}
	e.Expanded.write(w)
}

func (p *Param) write(w *writer) {
	n, ok := w.numbers[p]
	if !ok {
		n = len(w.args) + 1
		w.numbers[p] = n
		var value []byte
		if p.Value != nil {
			value = []byte(*p.Value)
		}
		w.args = append(w.args, value)
	}
	fmt.Fprintf(w, "$%d", n)
}

func (n *Node) write(w *writer) {
	if n.off() {
		return
	}
	w.ordered = w.ordered || n.Total
	first := true
	for _, p := range n.Parts {
		if child, ok := p.(*Node); ok && child.off() {
			continue
		}
		if !first {
			w.WriteString(n.Sep)
		}
		first = false
		p.write(w)
	}
}

func (p Positions) write(w *writer) {
	at := 1
	for _, part := range p.Items.Parts {
		item, ok := part.(*Node)
		if !ok || item.off() {
			continue
		}
		for range item.Width {
			if at > 1 {
				w.WriteString(", ")
			}
			fmt.Fprint(w, at)
			at++
		}
	}
}

// Statement is a statement in one spelling.
type Statement struct {
	SQL  string
	Args [][]byte
	// Ordered: the order of the rows is determined.
	Ordered bool
}

// Spell writes a statement for a database.
func (n *Node) Spell(s Spelling) Statement {
	w := &writer{spelling: s, numbers: map[*Param]int{}}
	n.write(w)
	return Statement{SQL: strings.TrimSpace(w.String()), Args: w.args, Ordered: w.ordered}
}

// walk calls f for n and what is in it, from the outside in. What is left out
// is passed over.
func (n *Node) walk(f func(*Node)) {
	if n.off() {
		return
	}
	f(n)
	for _, p := range n.Parts {
		walkPart(p, f)
	}
}

func walkPart(p Part, f func(*Node)) {
	switch p := p.(type) {
	case *Node:
		p.walk(f)
	case Either:
		walkPart(p.Original, f)
		walkPart(p.Expanded, f)
	}
}
