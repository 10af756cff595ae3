package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// RefusedStatement is a statement that hooks have refused.
type RefusedStatement struct {
	// Transition is the id of one that the statement names a table of; of a statement
	// that is refused for another reason, each one. Of a report.
	Transition int64 `json:"transition,omitempty"`
	// Fingerprint identifies Statement and Message.
	Fingerprint string `json:"fingerprint"`
	// Statement is without constants. It is empty where it is not known what of it is
	// one.
	Statement string `json:"statement"`
	// Message says why, and Hint what to do instead, as the application was told.
	Message string `json:"message"`
	Hint    string `json:"hint"`
	// Phase and Epoch are those of the connection, Application is its
	// application_name, and Instance the process: of the last one that was refused.
	Phase       string `json:"phase"`
	Epoch       int    `json:"epoch"`
	Application string `json:"application"`
	Instance    string `json:"instance"`
	// Count is how often it was refused since FirstAt.
	Count   int64     `json:"count"`
	FirstAt time.Time `json:"first_at,omitzero"`
	LastAt  time.Time `json:"last_at,omitzero"`
	// Ago is the time since LastAt, by the clock of the database.
	Ago time.Duration `json:"ago_ns"`
}

// RefusedReport is what a hook says of the statements that it has refused since its
// last report that arrived.
type RefusedReport struct {
	Instance string             `json:"instance"`
	Refused  []RefusedStatement `json:"refused"`
}

// ReportRefused writes a report down, as ReportReads does.
func ReportRefused(ctx context.Context, db Conn, r RefusedReport) error {
	if err := report(ctx, db, "report_refused_v1", r); err != nil {
		return fmt.Errorf("report refused statements: %w", err)
	}
	return nil
}

// Refused lists the statements about a transition that were refused within the last
// day, the last one first.
func Refused(ctx context.Context, db Conn, id int64) ([]RefusedStatement, error) {
	rows, err := db.Query(ctx, `
		select fingerprint, statement, message, hint, phase, epoch, application, instance, count, first_at, last_at,
			greatest(extract(epoch from clock_timestamp() - last_at), 0)::float8
		from crossfade.refused
		where transition_id = $1 and last_at > clock_timestamp() - interval '1 day'
		order by last_at desc, fingerprint`, id)
	if err != nil {
		return nil, fmt.Errorf("list refused statements: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s RefusedStatement, err error) {
		var ago float64
		err = row.Scan(&s.Fingerprint, &s.Statement, &s.Message, &s.Hint, &s.Phase, &s.Epoch, &s.Application, &s.Instance,
			&s.Count, &s.FirstAt, &s.LastAt, &ago)
		s.Ago = time.Duration(ago * float64(time.Second))
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list refused statements: %w", err)
	}
	return list, nil
}
