package preflight

import (
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Request says which columns are to move where.
type Request struct {
	// Name is the transition's name.
	Name string
	// Schema and Table, and the names in Move, are as PostgreSQL stores them.
	Schema, Table string
	// Move is what is asked for: its kind, the names of the sources; names, types
	// and collations of targets, but for a rename; the expressions as somebody
	// wrote them, where a plain cast would not do; what is lossy.
	Move transform.Move
	// Alteration is what is asked for when no column moves; Move has its Kind
	// alone then. Of it these are read: the names and types; the expressions as
	// somebody wrote them, of an index and a constraint in Create and Body; and
	// as the table of References a name that has yet to be looked up.
	Alteration *ledger.Alteration
	// NotNull says whether the target of a change or a merge becomes NOT NULL; nil
	// means it does when all sources are.
	NotNull *bool
	// Preserves is what the author vouches for; nil means what is known of the
	// types and the expression.
	Preserves *transform.Preserve
	// Path are the schemas in which names in expressions and types are looked
	// up, before the table's own; nil means those of the connection.
	Path []string
	// Sync is the mode of the trigger for writers without the hook; empty for none.
	Sync synctrigger.Mode
	// Tail: writers without the hook are followed in the log.
	Tail bool
	// IgnoreApplications are the application_names of sessions that are known
	// not to use the table, though they lack the hook.
	IgnoreApplications []string
	// Standbys: somebody looks at those who read from standbys.
	Standbys bool
	// LongTransaction is the age from which on a transaction is listed: a flip
	// waits for it if it uses the table, an index build in any case. 0 means
	// five minutes.
	LongTransaction time.Duration
	// Accept lists the codes of findings that the operator takes care of. Only
	// codes that are Acceptable may stand here.
	Accept []string
}

// Severity tells what a finding means for the start.
type Severity string

const (
	// Refuse: the transition must not start.
	Refuse Severity = "refuse"
	// Warn: it may start, and somebody should look.
	Warn Severity = "warn"
	// Info: good to know.
	Info Severity = "info"
)

// Finding is one thing that Check has seen.
type Finding struct {
	Severity Severity `json:"severity"`
	// Code is stable, in kebab-case: programs and Accept go by it.
	Code string `json:"code"`
	// Object is what the finding is about, as PostgreSQL would name it.
	Object string `json:"object"`
	// Message says what was seen, Hint what to do.
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Accepted: it would refuse, but the Request accepts it.
	Accepted bool `json:"accepted,omitempty"`
}

// String is the finding in one or two lines.
func (f Finding) String() string {
	text := fmt.Sprintf("%s %s: %s: %s", f.Severity, f.Code, f.Object, f.Message)
	if f.Accepted {
		text += " (accepted)"
	}
	if f.Hint != "" {
		text += "\n  hint: " + f.Hint
	}
	return text
}

// Size is what the table holds and what the move will add, both estimates.
type Size struct {
	Rows int64 `json:"rows"`
	// TableBytes includes TOAST; IndexBytes are the table's indexes together.
	TableBytes int64 `json:"table_bytes"`
	IndexBytes int64 `json:"index_bytes"`
	// Indexes is how many the table has.
	Indexes int `json:"indexes"`
	// NewIndexBytes are the indexes to build on the target.
	NewIndexBytes int64 `json:"new_index_bytes"`
	// Backfill is the forecast for the backfill alone.
	Backfill ledger.Forecast `json:"backfill"`
	// WALBytes and GrowthBytes are the forecast for backfill and index builds.
	WALBytes    int64 `json:"wal_bytes"`
	GrowthBytes int64 `json:"growth_bytes"`
}

// Report is the result of Check.
type Report struct {
	// Definition is complete when the report does not refuse.
	Definition ledger.Definition `json:"definition"`
	// Findings are sorted: Refuse first, then Warn, then Info.
	Findings []Finding `json:"findings"`
	Size     Size      `json:"size"`
}

// Refused tells whether any finding keeps the transition from starting.
func (r Report) Refused() bool {
	for _, f := range r.Findings {
		if f.Severity == Refuse {
			return true
		}
	}
	return false
}
