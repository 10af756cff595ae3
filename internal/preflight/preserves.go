package preflight

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkPreserves writes down which comparisons forward keeps: what the author
// vouches for, or what is known of the types.
func checkPreserves(ctx context.Context, in *inspection) error {
	m := &in.report.Definition.Move
	if len(m.Sources) == 0 || m.Kind == transform.Rename {
		return nil
	}
	if in.Preserves != nil {
		m.Preserves = *in.Preserves
		if m.Preserves != transform.PreserveNothing && (len(m.Sources) > 1 || len(m.Targets) > 1) {
			in.refuse("preserves-invalid", in.tableName(), "only a move of one column to one can preserve comparisons", "leave preserves out")
		}
		return nil
	}
	if m.Kind != transform.Change {
		return nil
	}
	plain, err := in.plain(ctx)
	if err != nil {
		return err
	}
	m.Preserves = known(m.Sources[0], m.Targets[0], plain)
	return nil
}

// plain tells whether the target is the source, cast or not.
func (in *inspection) plain(ctx context.Context) (bool, error) {
	m := in.report.Definition.Move
	source := ident(m.Sources[0].Name)
	for _, text := range []string{source, source + "::" + m.Targets[0].Type} {
		canonical, refused, err := in.canonical(ctx, expression{side: sourcesOnTrial, over: in.sources, gives: in.targets[0], text: text})
		if err != nil {
			return false, err
		}
		if refused == nil && canonical == m.Targets[0].Value {
			return true, nil
		}
	}
	return false, nil
}

// known is what a conversion preserves for certain; plain tells that it is a
// cast and no more.
func known(source, target transform.Column, plain bool) transform.Preserve {
	switch {
	case source.Collation != target.Collation:
		return transform.PreserveNothing
	case plain && lossless(source, target):
		return transform.PreserveComparison
	case source.BaseType == "timestamp without time zone" && target.BaseType == "timestamp with time zone" &&
		atFixedZone.MatchString(target.Value):
		return transform.PreserveOrder
	}
	return transform.PreserveNothing
}

// atFixedZone is a timestamp read in a zone that never changes its clocks, as
// PostgreSQL prints it: since 14 as it was written, before that as a function.
var atFixedZone = regexp.MustCompile(
	`^\(\S+ AT TIME ZONE '(UTC|[+-]\d{1,2}(:\d\d)?)'::text\)$|^timezone\('(UTC|[+-]\d{1,2}(:\d\d)?)'::text, \S+\)$`)

// lossless: each value of the source's type is one of the target's, and compares
// with all others just the same.
func lossless(source, target transform.Column) bool {
	ranks := []string{"smallint", "integer", "bigint"}
	if from := slices.Index(ranks, source.BaseType); from >= 0 {
		return slices.Index(ranks, target.BaseType) > from
	}
	from, to := modifiers(source), modifiers(target)
	switch source.BaseType {
	case "character varying":
		if target.BaseType == "text" {
			return true
		}
		return target.BaseType == source.BaseType && (to == nil || from != nil && to[0] >= from[0])
	case "numeric":
		if target.BaseType != source.BaseType || to == nil {
			return target.BaseType == source.BaseType
		}
		return from != nil && to[1] >= from[1] && to[0]-to[1] >= from[0]-from[1]
	case "real":
		return target.BaseType == "double precision"
	}
	return false
}

// modifiers are the numbers in the parentheses of a type; nil when it has none.
func modifiers(c transform.Column) []int {
	var length, scale int
	_, text, _ := strings.Cut(c.Type, "(")
	switch n, _ := fmt.Sscanf(text, "%d,%d", &length, &scale); n {
	case 0:
		return nil
	default:
		return []int{length, scale}
	}
}

// checkVouched looks in the sample whether what the author vouches for holds.
func checkVouched(ctx context.Context, in *inspection) error {
	m := in.report.Definition.Move
	if in.Preserves == nil || *in.Preserves == transform.PreserveNothing || len(m.Sources) != 1 || len(m.Targets) != 1 {
		return nil
	}
	rows, err := in.sample(ctx)
	if err != nil {
		return err
	}
	pairs := "select crossfade_s1 as s, " + ident(m.Targets[0].Name) + " as t from (" + in.forth(rows) + ") as pairs"
	broken := fmt.Sprintf(`exists (select from (%[1]s) p group by s having count(distinct t) + count(distinct t is null) > 2)
		or exists (select from (%[1]s) p group by t having count(distinct s) > 1)`, pairs)
	if *in.Preserves != transform.PreserveEquality {
		broken += fmt.Sprintf(` or exists (select from (select s, t, lag(s) over (order by s) as s0, lag(t) over (order by s) as t0
			from (%s) p where s is not null and t is not null) q where s > s0 and not t > t0)`, pairs)
	}
	var breaks bool
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		if err := hasten(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "select "+broken).Scan(&breaks)
	})
	object := "expression of " + in.columnName(m.Targets[0].Name)
	switch {
	case err != nil:
		return err
	case refused != nil && refused.Code == canceled:
		in.warn("sample-timeout", in.tableName(), "what preserves vouches for could not be looked at in time", "make sure of it by a query of your own")
	case refused != nil:
		in.refuse("preserves-broken", object, "its values cannot be compared: "+refused.Message, "leave preserves out")
	case breaks:
		in.refuse("preserves-broken", object, fmt.Sprintf("preserves says %q, and rows of the table show otherwise", *in.Preserves),
			"leave preserves out: comparisons are then made with "+ddl.Valued(m.Sources[0], m.Targets))
	}
	return nil
}
