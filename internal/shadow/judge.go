package shadow

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Reason says why a read is not compared.
type Reason string

// The reasons, beside those that a text gives (rewrite.Unfit).
const (
	// Relation: a view, or a foreign table.
	Relation Reason = "relation"
	// RowSecurity: policies apply to the role, which may ask for the session.
	RowSecurity Reason = "row-security"
	// Alike: the two forms do not differ.
	Alike Reason = "alike"
	// Rows: there are more rows than may be compared.
	Rows Reason = "rows"
	// Timeout and Locked: it took too long, or waited for a lock.
	Timeout Reason = "timeout"
	Locked  Reason = "lock"
	// Phase: the phase in which it was sampled has ended.
	Phase Reason = "phase"
	// Server: the server could not, whatever the statement was.
	Server Reason = "server"
	// Failed: the form that reads the source fails here, so nothing can be said.
	Failed Reason = "failed"
	// Session: the application's session differs from that of the comparison.
	Session Reason = Reason(rewrite.UnfitSession)
)

//go:embed judge.sql
var judgeSQL string

// Verdict is whether a read is compared, and how.
type Verdict struct {
	// Reason says why not; empty when it is.
	Reason Reason
	// Difference is set where the two forms differ before they are run.
	Difference *Difference
	// Types are those of the parameters.
	Types []uint32
	// Ordered: the rows come in one order only.
	Ordered bool
}

// Passing tells whether the reason is one of the moment, so that it is worth asking
// again.
func (v Verdict) Passing() bool {
	return v.Reason == Timeout || v.Reason == Locked || v.Reason == Server
}

// Judge tells whether a read may be run in both forms. types are those of the
// parameters as far as the application gives them. After an error the connection
// is of no use.
func Judge(ctx context.Context, pc *pgconn.PgConn, source, target string, types []uint32) (Verdict, error) {
	if source == target {
		return Verdict{Reason: Alike}, nil
	}
	v := Verdict{Ordered: true}
	grouped := false
	for _, sql := range []string{source, target} {
		reading := rewrite.Read(sql)
		if reading.Unfit != "" {
			return Verdict{Reason: Reason(reading.Unfit)}, nil
		}
		reason, aggregates, ordered, err := ask(ctx, pc, reading)
		if err != nil || reason != "" {
			return Verdict{Reason: reason}, err
		}
		grouped = grouped || aggregates || reading.Grouped
		v.Ordered = v.Ordered && ordered
	}
	return v, v.describe(ctx, pc, source, target, types, grouped)
}

// ask asks the catalog about what a text names.
func ask(ctx context.Context, pc *pgconn.PgConn, r rewrite.Reading) (reason Reason, aggregates, ordered bool, err error) {
	question, err := json.Marshal(asked(r))
	if err != nil {
		return "", false, false, fmt.Errorf("judge a read: %w", err)
	}
	result := pc.ExecParams(ctx, judgeSQL, [][]byte{question}, nil, nil, nil).Read()
	failure := new(pgconn.PgError)
	switch {
	case errors.As(result.Err, &failure) && !pc.IsClosed():
		return reasonOf(failure), false, false, nil
	case result.Err != nil:
		return "", false, false, fmt.Errorf("judge a read: %w", result.Err)
	case len(result.Rows) != 1 || len(result.Rows[0]) != 3:
		return "", false, false, errors.New("judge a read: expected one row")
	}
	row := result.Rows[0]
	return Reason(row[0]), string(row[1]) == "t", string(row[2]) == "t", nil
}

type named struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
}

type cut struct {
	named
	Columns []string `json:"columns"`
	IsOrder bool     `json:"is_order"`
}

// question is what judge.sql is asked.
type question struct {
	Functions []named  `json:"functions"`
	Types     []named  `json:"types"`
	Relations []named  `json:"relations"`
	Operators []string `json:"operators"`
	CTEs      []string `json:"ctes"`
	Orderless []string `json:"orderless"`
	Cuts      []cut    `json:"cuts"`
}

func asked(r rewrite.Reading) question {
	q := question{
		Functions: namesOf(r.Functions), Types: namesOf(r.Types), Relations: namesOf(r.Relations),
		Operators: append([]string{}, r.Operators...), CTEs: append([]string{}, r.CTEs...), Orderless: []string{}, Cuts: []cut{},
	}
	for _, f := range r.Functions {
		if rewrite.Orderless(f.Name) {
			q.Orderless = append(q.Orderless, f.Name)
		}
	}
	for _, c := range r.Cuts {
		q.Cuts = append(q.Cuts, cut{named: named(c.Relation), Columns: append([]string{}, c.Columns...)})
	}
	if c := r.Order; c != nil {
		q.Cuts = append(q.Cuts, cut{named: named(c.Relation), Columns: append([]string{}, c.Columns...), IsOrder: true})
	}
	return q
}

func namesOf(names []rewrite.Name) []named {
	list := make([]named, len(names))
	for i, n := range names {
		list[i] = named(n)
	}
	return list
}

// describe lets PostgreSQL say what the two forms take and give: the application
// sees no difference.
func (v *Verdict) describe(ctx context.Context, pc *pgconn.PgConn, source, target string, types []uint32, grouped bool) error {
	first, err := pc.Prepare(ctx, "", source, types)
	if failure := new(pgconn.PgError); errors.As(err, &failure) {
		v.Reason = reasonOf(failure)
		return nil
	}
	if err != nil {
		return fmt.Errorf("prepare a read: %w", err)
	}
	v.Types = first.ParamOIDs
	second, err := pc.Prepare(ctx, "", target, v.Types)
	if failure := new(pgconn.PgError); errors.As(err, &failure) {
		if v.Reason = reasonOf(failure); v.Reason == Failed {
			v.Reason, v.Difference = "", fails("target", failure)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("prepare a read: %w", err)
	}
	if d := columnsDiffer(first.Fields, second.Fields); d != "" {
		v.Difference = &Difference{Kind: KindColumns, Detail: d}
		return nil
	}
	for _, f := range first.Fields {
		const float4, float8 = 700, 701
		if grouped && (f.DataTypeOID == float4 || f.DataTypeOID == float8) {
			v.Reason = Reason(rewrite.UnfitOrder) // the last digits depend on it
		}
	}
	return nil
}

func columnsDiffer(source, target []pgconn.FieldDescription) string {
	if len(source) != len(target) {
		return fmt.Sprintf("%d columns from the source, %d from the target", len(source), len(target))
	}
	for i, s := range source {
		if t := target[i]; s.Name != t.Name || s.DataTypeOID != t.DataTypeOID {
			return fmt.Sprintf("column %d is %q of type %d from the source, %q of type %d from the target", i+1, s.Name, s.DataTypeOID, t.Name, t.DataTypeOID)
		}
	}
	return ""
}
