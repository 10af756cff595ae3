package main

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// The program and its processes talk in lines: orders on a process's standard
// input, messages in JSON on its standard output.

// order is a line to a process. The end of its input, which comes also when
// the program has been killed, means: end at once.
type order string

const (
	// orderHold: begin the write that will be held back (see unsafe.go).
	orderHold order = "hold"
	// orderRelease: let it go.
	orderRelease order = "release"
	// orderStop: finish what is under way, report the journal, end.
	orderStop order = "stop"
)

// message is a line from a process; one of its fields is set.
type message struct {
	Ready   bool      `json:"ready,omitempty"`   // connected, traffic begins
	Totals  *totals   `json:"totals,omitempty"`  // several times a second
	Held    string    `json:"held,omitempty"`    // this SQL is being held back
	Problem string    `json:"problem,omitempty"` // an error or a wrong read, in words
	Row     *record   `json:"row,omitempty"`     // the journal, a row at a time
	Counter *interval `json:"counter,omitempty"` // the journal's shared rows
	Done    bool      `json:"done,omitempty"`    // the journal is complete
}

// totals is what a process has counted so far.
type totals struct {
	Statements   int64 `json:"statements"`
	Writes       int64 `json:"writes"` // acknowledged, checked by the audit
	Reads        int64 `json:"reads"`  // values checked against the journal
	Errors       int64 `json:"errors"`
	Refused      int64 `json:"refused"` // those of the errors that the hook made
	WrongReads   int64 `json:"wrong_reads"`
	StaleRetries int64 `json:"stale_retries"`
	// LongestStall is the longest that a statement, or getting a connection
	// for one, has taken.
	LongestStall time.Duration `json:"longest_stall"`
	StalledOn    string        `json:"stalled_on"`
}

func (t *totals) add(other totals) {
	t.Statements += other.Statements
	t.Writes += other.Writes
	t.Reads += other.Reads
	t.Errors += other.Errors
	t.Refused += other.Refused
	t.WrongReads += other.WrongReads
	t.StaleRetries += other.StaleRetries
	t.stall(other.LongestStall, other.StalledOn)
}

func (t *totals) stall(took time.Duration, what string) {
	if took > t.LongestStall {
		t.LongestStall, t.StalledOn = took, what
	}
}

// sender writes messages. It is safe for concurrent use.
type sender struct {
	mu      sync.Mutex // guards encoder
	encoder *json.Encoder
}

func newSender(w io.Writer) *sender { return &sender{encoder: json.NewEncoder(w)} }

func (s *sender) send(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.encoder.Encode(m) // nobody listens any more: standard input ends, too
}
