package preflight

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// numbering is a DEFAULT that takes the next number of a sequence, and no more.
var numbering = regexp.MustCompile(`^nextval\('[^']*'::regclass\)$`)

// integers are the types that a sequence can count in.
var integers = map[string]bool{"smallint": true, "integer": true, "bigint": true}

// sameValues tells whether the target holds the very values of the source.
func (in *inspection) sameValues() bool {
	m := in.report.Definition.Move
	return m.Identity() || m.Preserves == transform.PreserveComparison
}

// checkSequences writes down the sequences that number the sources: those of
// their identities, those that they own, and those of their DEFAULTs.
func checkSequences(ctx context.Context, in *inspection) error {
	sequences, err := query[ledger.Sequence](ctx, in, `
		select n.nspname, c.relname, a.attname, '', format_type(s.seqtypid, null), '', bool_or(o.owned),
			case when not bool_or(o.owned) then '' when a.attidentity = 'a' then 'always' when a.attidentity = 'd' then 'by default' else '' end
		from (
			select d.objid as sequence, d.refobjsubid as attnum, true as owned from pg_depend d
			where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = $1 and d.deptype in ('a', 'i')
			union all
			select d.refobjid, e.adnum, false from pg_attrdef e
			join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = e.oid and d.refclassid = 'pg_class'::regclass
			where e.adrelid = $1) o
		join pg_class c on c.oid = o.sequence and c.relkind = 'S'
		join pg_sequence s on s.seqrelid = c.oid
		join pg_namespace n on n.oid = c.relnamespace
		join pg_attribute a on a.attrelid = $1 and a.attnum = o.attnum
		where o.attnum = any($2)
		group by n.nspname, c.relname, a.attname, a.attidentity, s.seqtypid
		order by 1, 2`, in.table.OID, in.numbers())
	if err != nil {
		return fmt.Errorf("read sequences: %w", err)
	}
	if len(in.report.Definition.Sources) == 0 {
		return nil // an expression has been refused
	}
	for _, s := range sequences {
		if in.checkSequence(&s) {
			in.report.Definition.Sequences = append(in.report.Definition.Sequences, s)
		}
	}
	return nil
}

// checkSequence settles what becomes of a sequence; false when there is nothing
// to do with it.
func (in *inspection) checkSequence(s *ledger.Sequence) bool {
	object, column := "sequence "+s.Schema+"."+s.Name, in.columnName(s.Source)
	targets := in.report.Definition.Targets
	carries := len(in.sources) == 1 && len(targets) == 1 && in.sameValues() && integers[targets[0].BaseType]
	switch {
	case s.Identity != "" && in.report.Definition.Partitioned:
		in.refuse("source-identity", column, "it is an identity column of a partitioned table, which does not move",
			"drop the identity (alter table ... alter column ... drop identity), and give the column a DEFAULT from a sequence")
		return false
	case carries:
		s.Target, s.TargetType = targets[0].Name, targets[0].BaseType
	case s.Identity != "":
		in.refuse("source-identity", column, "it is an identity column, and the target does not hold the numbers as they are",
			"drop the identity (alter table ... alter column ... drop identity), and let a DEFAULT of the target take its place after contract")
		return false
	case s.Owned:
		in.refuse("source-serial", object, "the source owns it (serial), and the target does not hold the numbers as they are",
			"run `alter sequence "+s.Schema+"."+s.Name+" owned by none` first")
		return false
	default:
		return false
	}
	if s.Type == s.TargetType || !slices.Contains([]string{"smallint", "integer"}, s.Type) || in.sources[0].BaseType == s.TargetType {
		s.TargetType = s.Type // it reaches far enough, or is somebody's choice
	}
	if s.Identity == "" {
		return true
	}
	if !targets[0].NotNull {
		in.refuse("source-identity", column, "it is an identity column, which cannot be NULL, and the target is to be nullable",
			"leave not_null out")
	}
	if !in.table.MayCreate {
		in.refuse("no-create-on-schema", "schema "+in.Schema, fmt.Sprintf("role %s may not create the sequence in it that takes the place of the identity's",
			in.table.User), "grant create on the schema to it")
	}
	in.warn("identity-becomes-default", column, "from the expand step on it is no identity but has a DEFAULT from "+object+
		", which is made anew under that name, and becomes an identity again with the last number; nothing is handed out twice",
		identityHint(s.Identity))
	return true
}

func identityHint(kind string) string {
	if kind != "always" {
		return "who calls nextval or currval by the name of the sequence may see one error at the moment of the change"
	}
	return "until the transition is removed, values that an INSERT or UPDATE gives for the column are accepted, although it is GENERATED ALWAYS; " +
		"who calls nextval or currval by the name of the sequence may see one error at the moment of the change"
}
