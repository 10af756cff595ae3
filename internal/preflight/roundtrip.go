package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// canceled is the SQLSTATE of a statement that took too long.
const canceled = "57014"

// hasten bounds what a query over the table may take.
func hasten(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `set local statement_timeout = '10s'`)
	return err
}

// checkRoundTrip takes a sample of the table forward and back. What does not
// come back is lost once the source is dropped, and reads under the source's
// name miss it from live on: somebody must have declared that.
func checkRoundTrip(ctx context.Context, in *inspection) error {
	m := in.report.Definition.Move
	if len(m.Sources) == 0 || m.Kind == transform.Rename {
		return nil
	}
	rows, err := in.sample(ctx)
	if err != nil {
		return err
	}
	var tried, differ, lack int
	var keys []*string
	refused, err := in.overSample(ctx, fmt.Sprintf(`select count(*), count(*) filter (where not %[1]s),
			(array_agg(crossfade_key) filter (where not %[1]s))[1:3], count(*) filter (where %[2]s) from (%[3]s) as trip`,
		same(m.Sources, "s", "b"), lacking(m.Targets), in.trip(rows)), &tried, &differ, &keys, &lack)
	switch {
	case err != nil:
		return err
	case refused != "":
		return in.blame(ctx, rows, refused)
	}
	examples := exampleKeys(keys)
	if differ > 0 && !m.Loses(transform.Forward) {
		in.refuse("lossy-undeclared", in.tableName(), fmt.Sprintf("%d of %d rows tried do not come back from forward and backward as they were%s",
			differ, tried, examples), "change the expressions or these rows, or, if the loss is meant, declare lossy: [forward]")
	}
	if differ > 0 && m.Loses(transform.Forward) {
		in.warn("lossy-rows", in.tableName(), fmt.Sprintf("%d of %d rows tried do not come back as they were%s", differ, tried, examples),
			"look whether that is the loss that is meant")
	}
	if err := in.checkPartialNulls(ctx, rows); err != nil {
		return err
	}
	if lack > 0 {
		in.refuse("null-in-not-null", in.tableName(), fmt.Sprintf("in %d of %d rows tried a target that is to be NOT NULL would be NULL", lack, tried),
			"change the expression, or set not_null: false")
	}
	return nil
}

// checkPartialNulls tries the sample with one source after the other NULL, as it
// may become: where a merge gives NULL for that, the other sources are lost.
func (in *inspection) checkPartialNulls(ctx context.Context, rows string) error {
	m := in.report.Definition.Move
	if len(m.Sources) < 2 || m.Loses(transform.Forward) {
		return nil
	}
	for i, c := range m.Sources {
		if c.NotNull {
			continue
		}
		list := make([]string, len(m.Sources))
		for j, other := range m.Sources {
			list[j] = ident(other.Name)
		}
		list[i] = "null::" + c.Type + " as " + ident(c.Name)
		var differ int
		failed, err := in.overSample(ctx, "select count(*) from ("+in.trip("select crossfade_key, "+strings.Join(list, ", ")+
			" from ("+rows+") as sample")+") as trip where not "+same(m.Sources, "s", "b"), &differ)
		if err != nil {
			return err
		}
		if differ > 0 || failed != "" {
			in.refuse("lossy-undeclared", in.columnName(c.Name), "where it is NULL, the other sources do not come back",
				"make the expressions cope with it (coalesce), or the column NOT NULL, or declare lossy: [forward]")
		}
	}
	return nil
}

// overSample runs a query over a sample. The message of what failed is empty
// when nothing did, or when it took too long, which it has reported.
func (in *inspection) overSample(ctx context.Context, sql string, into ...any) (failed string, err error) {
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		if err := hasten(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sql).Scan(into...)
	})
	switch {
	case err != nil || refused == nil:
		return "", err
	case refused.Code == canceled:
		in.warn("sample-timeout", in.tableName(), "a sample of its rows could not be tried in time", "try the expressions on rows of your own choice")
		return "", nil
	}
	return refused.Message, nil
}

// blame finds out which direction fails for some row of the sample.
func (in *inspection) blame(ctx context.Context, rows, message string) error {
	m := in.report.Definition.Move
	var n int
	forward, err := in.overSample(ctx, "select count(*) from ("+in.forth(rows)+") as forth where row("+each(m.Targets, "$c")+") is null", &n)
	if err != nil {
		return err
	}
	if forward != "" {
		in.refuse("forward-fails", in.tableName(), "forward fails for a row of the table: "+forward,
			"every row has to be copied, so make the expression cope with it (case when ... end), or change the row; what it drops is lossy: [forward]")
		return nil
	}
	in.refuse("backward-fails", in.tableName(), "backward fails for what forward makes of a row of the table: "+message,
		"reads under the source's name need it, so make the expression cope with every target (case when ... end)")
	return nil
}

// lacking is true where a target that is to be NOT NULL is NULL.
func lacking(targets []transform.Column) string {
	texts := []string{"false"}
	for i, c := range targets {
		if c.NotNull {
			texts = append(texts, fmt.Sprintf("crossfade_t%d is null", i+1))
		}
	}
	return strings.Join(texts, " or ")
}

func exampleKeys(keys []*string) string {
	var known []string
	for _, key := range keys {
		if key != nil {
			known = append(known, "("+*key+")")
		}
	}
	if len(known) == 0 {
		return ""
	}
	return ", as those with the keys " + strings.Join(known, " ")
}
