package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Reads are what the hooks have counted of the reads of a transition since its
// phase began.
type Reads struct {
	// Compared is how many reads were run both ways, of which Mismatched differed.
	Compared   int64 `json:"compared"`
	Mismatched int64 `json:"mismatched"`
	// Skipped counts what was sampled and not compared, by the reason; Dropped what
	// was sampled while too much was waiting already.
	Skipped map[string]int64 `json:"skipped,omitempty"`
	Dropped int64            `json:"dropped,omitempty"`
	// SourceFailed and TargetFailed count comparisons of which only that side
	// failed; the times are those of the Timed ones in which none did. TargetTimeouts
	// are those of Mismatched in which the target's read took longer than it may.
	SourceFailed  int64   `json:"source_failed,omitempty"`
	TargetFailed  int64   `json:"target_failed,omitempty"`
	Timed         int64   `json:"timed"`
	SourceSeconds float64 `json:"source_seconds"`
	TargetSeconds float64 `json:"target_seconds"`
	// SourceSlower and TargetSlower are those of the Timed ones in which that side took
	// longer by more than Noticeable.
	SourceSlower   int64 `json:"source_slower,omitempty"`
	TargetSlower   int64 `json:"target_slower,omitempty"`
	TargetTimeouts int64 `json:"target_timeouts,omitempty"`
	// Statements are rewritten ones of the application, by the side that their
	// connection reads; Errors are those that failed.
	SourceStatements int64 `json:"source_statements"`
	SourceErrors     int64 `json:"source_errors,omitempty"`
	TargetStatements int64 `json:"target_statements"`
	TargetErrors     int64 `json:"target_errors,omitempty"`
}

// Noticeable is the least difference between the times of two reads that is one.
const Noticeable = time.Millisecond

// Took adds a timed comparison.
func (r *Reads) Took(source, target time.Duration) {
	r.Timed++
	r.SourceSeconds += source.Seconds()
	r.TargetSeconds += target.Seconds()
	switch {
	case source-target > Noticeable:
		r.SourceSlower++
	case target-source > Noticeable:
		r.TargetSlower++
	}
}

// Averages are how long a timed read took on either side; 0 when none was timed.
func (r Reads) Averages() (source, target time.Duration) {
	if r.Timed == 0 {
		return 0, 0
	}
	average := func(seconds float64) time.Duration {
		return time.Duration(seconds / float64(r.Timed) * float64(time.Second))
	}
	return average(r.SourceSeconds), average(r.TargetSeconds)
}

// Mismatch is a statement whose two readings differed.
type Mismatch struct {
	Fingerprint string `json:"fingerprint"`
	// Statement is without constants and Parameters are missing, unless the
	// application's Config lets them be kept.
	Statement  string   `json:"statement"`
	Parameters []string `json:"parameters,omitempty"`
	// Kind is "rows", "order", "columns", "timeout" or "error", with the SQLSTATE in
	// Code; of the last one seen, like Detail, Phase, Epoch and Instance.
	Kind     string    `json:"kind"`
	Code     string    `json:"code,omitempty"`
	Detail   string    `json:"detail"`
	Phase    string    `json:"phase"`
	Epoch    int       `json:"epoch,omitempty"`
	Instance string    `json:"instance,omitempty"`
	Count    int64     `json:"count"`
	FirstAt  time.Time `json:"first_at,omitzero"`
	LastAt   time.Time `json:"last_at,omitzero"`
	// Ago is the time since LastAt, by the clock of the database.
	Ago time.Duration `json:"ago_ns,omitempty"`
}

// Report is what a hook says about the reads of an instance.
type Report struct {
	Instance    string             `json:"instance"`
	Transitions []TransitionReport `json:"transitions"`
}

// TransitionReport is a report about one transition: Reads since the phase that
// began in Epoch, Mismatches since the last report that arrived.
type TransitionReport struct {
	ID         int64      `json:"id"`
	Epoch      int        `json:"epoch"`
	Reads      Reads      `json:"reads"`
	Mismatches []Mismatch `json:"mismatches"`
}

// MergeMismatches adds other mismatches to a list, which has each statement once.
func MergeMismatches(list, other []Mismatch) []Mismatch {
	if list == nil {
		list = []Mismatch{}
	}
	for _, m := range other {
		i := slices.IndexFunc(list, func(known Mismatch) bool { return known.Fingerprint == m.Fingerprint })
		if i < 0 {
			list = append(list, m)
			continue
		}
		m.Count += list[i].Count
		list[i] = m
	}
	return list
}

// Recipient is a database as one that reports are sent to.
type Recipient struct {
	// Cluster is the same for a server and its standbys; empty when the role may not
	// know it.
	Cluster string
	Standby bool
	// Takes: reports are written down there.
	Takes bool
}

// ReportsTo asks a database whether it takes reports.
func ReportsTo(ctx context.Context, db Conn) (r Recipient, err error) {
	var identified bool
	err = db.QueryRow(ctx, `select pg_is_in_recovery(), to_regprocedure('crossfade.report_reads_v1(jsonb)') is not null and not pg_is_in_recovery(),
		has_function_privilege('pg_catalog.pg_control_system()', 'execute')`).Scan(&r.Standby, &r.Takes, &identified)
	if err == nil && identified {
		err = db.QueryRow(ctx, `select system_identifier::text from pg_catalog.pg_control_system()`).Scan(&r.Cluster)
	}
	if err != nil {
		return r, fmt.Errorf("report reads: %w", err)
	}
	return r, nil
}

// ReportReads writes a report down. It needs no more rights than joining; a ledger
// that knows no reports takes none, and neither does a standby.
func ReportReads(ctx context.Context, db Conn, r Report) error {
	if err := report(ctx, db, "report_reads_v1", r); err != nil {
		return fmt.Errorf("report reads: %w", err)
	}
	return nil
}

// ReadsOf reads what each instance has reported about a transition in the phase
// that it is in.
func ReadsOf(ctx context.Context, db Conn, t Transition) (map[string]Reads, error) {
	rows, err := db.Query(ctx, `select instance, to_jsonb(r) from crossfade.reads r where transition_id = $1 and epoch = $2`, t.ID, t.Epoch)
	if err != nil {
		return nil, fmt.Errorf("read what hooks have reported: %w", err)
	}
	byInstance := map[string]Reads{}
	var instance string
	var text []byte
	_, err = pgx.ForEachRow(rows, []any{&instance, &text}, func() error {
		var r Reads
		err := json.Unmarshal(text, &r)
		byInstance[instance] = r
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what hooks have reported: %w", err)
	}
	return byInstance, nil
}

// Add adds the counters of another instance.
func (r *Reads) Add(o Reads) {
	r.Compared += o.Compared
	r.Mismatched += o.Mismatched
	r.Dropped += o.Dropped
	r.SourceFailed += o.SourceFailed
	r.TargetFailed += o.TargetFailed
	r.Timed += o.Timed
	r.SourceSeconds += o.SourceSeconds
	r.TargetSeconds += o.TargetSeconds
	r.SourceSlower += o.SourceSlower
	r.TargetSlower += o.TargetSlower
	r.TargetTimeouts += o.TargetTimeouts
	r.SourceStatements += o.SourceStatements
	r.SourceErrors += o.SourceErrors
	r.TargetStatements += o.TargetStatements
	r.TargetErrors += o.TargetErrors
	for reason, n := range o.Skipped {
		if r.Skipped == nil {
			r.Skipped = map[string]int64{}
		}
		r.Skipped[reason] += n
	}
}

// Since is what was counted after before. Counters of an instance that has just
// closed connections can be off by theirs for a moment.
func (r Reads) Since(before Reads) Reads {
	return Reads{
		Compared: max(0, r.Compared-before.Compared), Mismatched: max(0, r.Mismatched-before.Mismatched),
		Dropped: max(0, r.Dropped-before.Dropped), Timed: max(0, r.Timed-before.Timed),
		SourceFailed: max(0, r.SourceFailed-before.SourceFailed), TargetFailed: max(0, r.TargetFailed-before.TargetFailed),
		SourceSeconds: max(0, r.SourceSeconds-before.SourceSeconds), TargetSeconds: max(0, r.TargetSeconds-before.TargetSeconds),
		SourceSlower: max(0, r.SourceSlower-before.SourceSlower), TargetSlower: max(0, r.TargetSlower-before.TargetSlower),
		TargetTimeouts:   max(0, r.TargetTimeouts-before.TargetTimeouts),
		SourceStatements: max(0, r.SourceStatements-before.SourceStatements), SourceErrors: max(0, r.SourceErrors-before.SourceErrors),
		TargetStatements: max(0, r.TargetStatements-before.TargetStatements), TargetErrors: max(0, r.TargetErrors-before.TargetErrors),
	}
}

// Mismatches lists the statements of a transition whose readings differed, the last
// one first.
func Mismatches(ctx context.Context, db Conn, id int64) ([]Mismatch, error) {
	rows, err := db.Query(ctx, `select fingerprint, statement, parameters, kind, code, detail, phase, epoch, instance, count, first_at, last_at,
			greatest(extract(epoch from clock_timestamp() - last_at), 0)::float8
		from crossfade.mismatch where transition_id = $1 order by last_at desc, fingerprint`, id)
	if err != nil {
		return nil, fmt.Errorf("list mismatches: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Mismatch, err error) {
		var ago float64
		err = row.Scan(&m.Fingerprint, &m.Statement, &m.Parameters, &m.Kind, &m.Code, &m.Detail, &m.Phase, &m.Epoch, &m.Instance,
			&m.Count, &m.FirstAt, &m.LastAt, &ago)
		m.Ago = time.Duration(ago * float64(time.Second))
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("list mismatches: %w", err)
	}
	return list, nil
}

// ForgetMismatches deletes what Mismatches lists, and records it as e, in one
// transaction. Without any nothing is recorded.
func ForgetMismatches(ctx context.Context, db Conn, t Transition, e Event) (n int, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from crossfade.mismatch where transition_id = $1`, t.ID)
		if n = int(tag.RowsAffected()); err != nil || n == 0 {
			return err
		}
		e.Evidence = map[string]any{"statements": n}
		return Record(ctx, tx, t, e)
	})
	if err != nil {
		return 0, fmt.Errorf("forget the mismatches of %q: %w", t.Name, err)
	}
	return n, nil
}
