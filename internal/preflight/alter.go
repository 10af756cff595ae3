package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// alterationChecks are the checks of a transition that moves no column. The
// check of its kind fills in the Alteration of the Definition.
func alterationChecks(kind transform.Kind) []func(context.Context, *inspection) error {
	return []func(context.Context, *inspection) error{
		checkAlteredNames,
		checkAccept,
		checkAlteredTable,
		readMembers,
		layRows,
		alterations[kind],
		checkAlteredKey,
		checkActive,
		checkViolated,
		checkFilled,
		checkAlteredPublished,
		checkTransactions,
		checkVacuum,
		checkEventTriggers,
		checkAlteredSize,
	}
}

var alterations = map[transform.Kind]func(context.Context, *inspection) error{
	ledger.AddColumn:     checkAddColumn,
	ledger.DropColumn:    checkDropColumn,
	ledger.SetNotNull:    checkSetNotNull,
	ledger.AddIndex:      checkAddIndex,
	ledger.AddUnique:     checkAddUnique,
	ledger.AddCheck:      checkAddCheck,
	ledger.AddForeignKey: checkAddForeignKey,
}

// alteration is what is known of it: as it is in the Definition, or as asked for.
func (in *inspection) alteration() *ledger.Alteration {
	if a := in.report.Definition.Alteration; a != nil {
		return a
	}
	return in.Alteration
}

// alters writes the alteration into the Definition.
func (in *inspection) alters(a ledger.Alteration) {
	in.report.Definition.Kind = in.Move.Kind
	in.report.Definition.Alteration = &a
}

func checkAlteredNames(_ context.Context, in *inspection) error {
	a := in.Alteration
	names := []string{in.Schema, in.Table}
	if a.Column != nil {
		names = append(names, a.Column.Name)
	}
	for _, optional := range []string{a.Index, a.Constraint} {
		if optional != "" {
			names = append(names, optional)
		}
	}
	for _, name := range names {
		if name == "" || len(name) > maxName || strings.ContainsRune(name, 0) || slices.Contains(systemColumns, name) {
			in.refuse("name-invalid", fmt.Sprintf("name %q", name), fmt.Sprintf("a name has 1 to %d bytes, and is no system column's", maxName),
				"choose another name")
		}
	}
	if in.Name == "" || len(in.Name) > maxName || strings.ContainsFunc(in.Name, unprintable) {
		in.refuse("name-invalid", fmt.Sprintf("transition %q", in.Name),
			fmt.Sprintf("a transition's name has 1 to %d bytes and no spaces", maxName), "choose another name")
	}
	in.over = len(in.report.Findings) > 0
	return nil
}

func checkAlteredTable(ctx context.Context, in *inspection) error {
	if err := readTable(ctx, in); err != nil || in.over {
		return err
	}
	t := in.table
	refuse := func(message, hint string) { in.refuse("table-kind", in.tableName(), message, hint) }
	kind, isOther := kinds[t.Kind]
	column := in.Move.Kind == ledger.AddColumn || in.Move.Kind == ledger.DropColumn
	switch {
	case isOther && t.Kind != "p":
		in.over = true
		refuse("it is "+kind, "only a table can be altered so")
	case strings.HasPrefix(in.Schema, "pg_") || in.Schema == "information_schema" || in.Schema == ledger.Schema:
		refuse("it belongs to PostgreSQL or to crossfade itself", "only a table of the application can be altered")
	case t.Partition && (column || in.Move.Kind == ledger.SetNotNull):
		refuse("it is a partition", "alter the partitioned table: all of its partitions have the same columns")
	case t.Inherits && !t.Partition && t.Kind != "p":
		refuse("it inherits from a table, or a table inherits from it", "inheritance is not supported")
	case t.Typed && column:
		refuse("it is a table of a composite type, which fixes its columns", "run `alter table ... not of` first")
	case t.Persistence == "t":
		refuse("it is a temporary table", "only a table that every session sees can be altered")
	}
	if t.Kind == "p" {
		in.warn("partitions-locked", in.tableName(), "it is partitioned: what takes long goes partition by partition, but some statements lock every one at once, for a moment",
			"a transaction that uses any of them keeps them waiting: let long ones end")
	}
	in.checkOwner()
	if t.Width >= maxColumns && in.Move.Kind == ledger.AddColumn {
		in.refuse("too-many-columns", in.tableName(), "it has had 1600 columns, dropped ones included", "rebuild the table")
	}
	return nil
}
