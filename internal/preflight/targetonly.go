package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// boundaries are values that only the wider of two types may hold.
var boundaries = map[string][]string{
	"integer":                  {"2147483647", "-2147483648"},
	"bigint":                   {"9223372036854775807", "-9223372036854775808"},
	"numeric":                  {"1.5", "-1", "1e30"},
	"real":                     {"1.5", "1e30"},
	"double precision":         {"1.5", "1e300"},
	"text":                     {"", " ", "a b", " a  b ", strings.Repeat("x", 300)},
	"character varying":        {"", " ", "a b", " a  b ", "x"},
	"timestamp with time zone": {"infinity", "2000-01-01 00:00:00.123456+00"},
	"date":                     {"infinity", "2000-01-01"},
	"boolean":                  {"true", "false"},
	"jsonb":                    {`{"a": 1.50}`, "[]", "null"},
}

// checkTargetOnly tries values on the targets that may have no counterpart among
// the sources. A write of one, under a target's name, cannot be kept on both
// sides; only where backward is declared lossy it need not be.
func checkTargetOnly(ctx context.Context, in *inspection) error {
	m := in.report.Definition.Move
	if len(m.Sources) == 0 || m.Kind == transform.Rename || m.Loses(transform.Backward) {
		return nil
	}
	var fail, change []string
	for i, c := range m.Targets {
		values := boundaries[c.BaseType]
		if len(m.Targets) > 1 && !c.NotNull {
			values = append([]string{null}, values...)
		}
		for _, value := range values {
			kept, refused, err := in.returns(ctx, in.rowWith(i, value))
			shown := fmt.Sprintf("%s = %.20q", c.Name, value)
			if value == null {
				shown = c.Name + " = NULL alone"
			}
			switch {
			case err != nil:
				return err
			case refused != "":
				fail = append(fail, shown)
			case !kept:
				change = append(change, shown)
			}
		}
	}
	if len(fail) > 0 {
		hint := "while both sides are written such a write fails; in complete it is accepted, and a rollback from there is not possible any more"
		if in.Sync == synctrigger.Sync {
			hint = "such a write fails until contract: the trigger keeps both sides until then"
		}
		in.info("target-only-values", in.tableName(), "backward fails for some values that the targets can hold, such as "+list(fail), hint)
	}
	if len(change) > 0 {
		in.warn("target-only-values", in.tableName(), "backward changes some values that the targets can hold, such as "+list(change),
			"such a write is taken back by the backfill, refused from the verification on, and stops a rollback once made in complete; "+
				"declare lossy: [backward] if it is to be accepted all along")
	}
	return nil
}

// null stands for NULL among the boundaries.
const null = "\x00"

// rowWith is a row of targets, as a list for a select: one of them is a value on
// trial, the others are ordinary ones.
func (in *inspection) rowWith(on int, value string) string {
	targets := in.report.Definition.Targets
	row := make([]string, len(targets))
	for i, c := range targets {
		given := null
		if others := boundaries[c.BaseType]; len(others) > 0 {
			given = others[len(others)-1]
		}
		if i == on {
			given = value
		}
		row[i] = "null::" + c.Type + " as " + ident(c.Name)
		if given != null {
			row[i] = literal(given, c) + " as " + ident(c.Name)
		}
	}
	return strings.Join(row, ", ")
}

// returns tells whether a row of targets comes back from backward and forward
// as it was. A message says that it fails.
func (in *inspection) returns(ctx context.Context, row string) (kept bool, failed string, err error) {
	m := in.report.Definition.Move
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "select "+same(m.Targets, "t", "f")+" from (select "+each(m.Targets, "crossfade_t$n")+", "+
			values(m.Targets, m.Sources, "crossfade_f")+" from (select "+each(m.Targets, "$c as crossfade_t$n")+", "+sourcesOf(m)+
			" from (select "+row+" offset 0) as targets offset 0) as sources) as trip").Scan(&kept)
	})
	if refused != nil {
		failed = refused.Message
	}
	return kept, failed, err
}

func literal(value string, c transform.Column) string {
	return "'" + strings.ReplaceAll(value, "'", "''") + "'::" + c.Type
}
