package example

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// Verdict is how an example judges itself. It is the first part of a report.
type Verdict struct {
	// OK: it got to the end, and the rest is 0.
	OK            bool  `json:"ok"`
	Errors        int64 `json:"errors"`         // that the application got
	LostUpdates   int64 `json:"lost_updates"`   // acknowledged, and not in the table
	WrongReads    int64 `json:"wrong_reads"`    // not what the application knows it has written
	DivergentRows int64 `json:"divergent_rows"` // sides at odds where a phase keeps both
	Unexplained   int64 `json:"unexplained_rows"`
}

// Damage tells whether something went wrong that must not.
func (v Verdict) Damage() bool {
	return v.Errors+v.LostUpdates+v.WrongReads+v.DivergentRows+v.Unexplained > 0
}

// Print writes the verdict in words, and the whole report as JSON on the last line.
func (v Verdict) Print(w io.Writer, report any) {
	if v.OK {
		fmt.Fprintln(w, "Nothing was lost, and nobody noticed.")
	} else {
		fmt.Fprintln(w, "THE AUDIT FAILED, or the migration did not get to its end.")
	}
	_ = json.NewEncoder(w).Encode(report)
}

// MS is a duration in milliseconds, as reports have it.
func MS(d time.Duration) float64 { return math.Round(float64(d.Microseconds())/100) / 10 }
