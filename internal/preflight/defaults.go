package preflight

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkDefaults writes down the DEFAULTs that the targets get before contract.
// A rename takes the source's along. Of other moves it is what forward makes of
// the sources' defaults, where those are constants; otherwise only the hook can
// supply it.
func checkDefaults(ctx context.Context, in *inspection) error {
	d := &in.report.Definition
	if len(d.Sources) == 0 {
		return nil
	}
	if d.Kind == transform.Rename {
		d.TargetDefaults = []string{d.Sources[0].Default}
		return nil
	}
	d.TargetDefaults = make([]string, len(d.Targets))
	if numbering.MatchString(d.Sources[0].Default) && in.sameValues() && integers[d.Targets[0].BaseType] {
		d.TargetDefaults[0] = d.Sources[0].Default // casts what the sequence gives by itself
		return nil
	}
	for _, c := range d.Sources {
		if c.Default == "" && c.NotNull {
			return nil // nobody may leave it out
		}
		if c.Default == "" {
			continue
		}
		refused, err := in.generate(ctx, sourcesOnTrial, c.Type, c.Default)
		if err != nil {
			return err
		}
		if refused != nil {
			in.info("default-not-constant", in.columnName(c.Name), "its DEFAULT is no constant, so the targets get none: "+c.Default,
				"the hook supplies it as long as it is embedded; give the targets one of their own after contract")
			return nil
		}
	}
	var values []*string
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "select array["+valuesAsText(d.Move)+"] from (select "+defaultsOf(d.Sources)+" offset 0) as sources").Scan(&values)
	})
	if err != nil {
		return err
	}
	if refused != nil {
		in.refuse("default-fails", in.tableName(), "forward fails for the DEFAULT of a source: "+refused.Message,
			"make the expression cope with it, or change the DEFAULT")
		return nil
	}
	for i, value := range values {
		if value == nil {
			continue
		}
		if d.TargetDefaults[i], err = in.printedDefault(ctx, d.Targets[i], *value); err != nil {
			return err
		}
	}
	return nil
}

func defaultsOf(columns []transform.Column) string {
	text := ""
	for i, c := range columns {
		if i > 0 {
			text += ", "
		}
		value := "null"
		if c.Default != "" {
			value = "(" + c.Default + ")"
		}
		text += value + "::" + c.Type + " as " + ident(c.Name)
	}
	return text
}

func valuesAsText(m transform.Move) string {
	text := ""
	for i, c := range m.Targets {
		if i > 0 {
			text += ", "
		}
		text += ddl.Valued(c, m.Sources) + "::text"
	}
	return text
}

// printedDefault is a constant as PostgreSQL prints it in a DEFAULT: so it can be
// told whether a column has it.
func (in *inspection) printedDefault(ctx context.Context, c transform.Column, value string) (string, error) {
	column := "alter table " + targetsOnTrial + " alter column " + ident(c.Name)
	refused, err := in.try(ctx, column+" set default "+literal(value, c))
	if err != nil {
		return "", err
	}
	if refused != nil {
		return "", fmt.Errorf("try the default of %s: %s", c.Name, refused.Message)
	}
	found, err := query[struct{ Text string }](ctx, in, `select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
		join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
		where d.adrelid = $1::text::regclass and a.attname = $2`, targetsOnTrial, c.Name)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("read the default of %s: %w", c.Name, err)
	}
	return found[0].Text, nil
}
