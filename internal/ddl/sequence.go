package ddl

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Sequence is a sequence as it stands. The zero value is one that does not exist.
type Sequence struct {
	Exists bool
	Type   string
	// Owner is the column of Table that it belongs to; empty for none. Identity
	// tells that it is the identity of that.
	Owner    string
	Identity bool
}

// ReadSequence reads how a sequence stands, and which column of a table owns it.
func ReadSequence(ctx context.Context, db Querier, table, sequence Name) (Sequence, error) {
	s := Sequence{Exists: true}
	err := db.QueryRow(ctx, `
		select format_type(s.seqtypid, null), coalesce(a.attname, ''), coalesce(d.deptype = 'i', false)
		from pg_sequence s
		join pg_class c on c.oid = s.seqrelid
		join pg_namespace n on n.oid = c.relnamespace
		left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
			and d.refclassid = 'pg_class'::regclass and d.refobjid = to_regclass($3) and d.deptype in ('a', 'i')
		left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
		where n.nspname = $1 and c.relname = $2`, sequence.Schema, sequence.Table, table.String()).
		Scan(&s.Type, &s.Owner, &s.Identity)
	if errors.Is(err, pgx.ErrNoRows) {
		return Sequence{}, nil
	}
	if err != nil {
		return Sequence{}, fmt.Errorf("read sequence %s: %w", sequence, err)
	}
	return s, nil
}

// OwnSequence gives a sequence to a column: it is dropped with that.
func OwnSequence(table, sequence Name, column string) Statement {
	s := quick(table, "alter sequence "+sequence.String()+" owned by "+table.String()+"."+ident(column),
		"the sequence is dropped with the column that owns it")
	s.Lock, s.Hazard = ShareRowExclusive, sequenceHazard(sequence)
	s.On, s.Also = table.String(), sequence.String()
	return s
}

// SetSequenceType makes a sequence count in another integer type. Its bounds
// follow, where they were those of the type. One that is beyond the type's
// greatest number has come to its end then.
func SetSequenceType(table, sequence Name, typ string) Statement {
	s := quick(table, `do $crossfade$
begin
	`+lockSequence(sequence)+`
	if (select last_value from `+sequence.String()+`) > `+greatest(typ)+` then
		perform setval(`+regclass(sequence)+`, `+greatest(typ)+`);
	end if;
	alter sequence `+sequence.String()+` as `+typ+`;
end $crossfade$`, "the sequence must not end before the column's type does")
	s.Lock, s.Hazard = ShareRowExclusive, sequenceHazard(sequence)
	s.On, s.Also = table.String(), sequence.String()
	return s
}

// DropIdentity makes an identity column one with a DEFAULT from a sequence of
// its own, which has the name, the place and the privileges of the identity's.
// Roles that may INSERT into the table may use it, as they could before.
func DropIdentity(table, sequence Name, column string) Statement {
	s := quick(table, `do $crossfade$
declare
	was record;
	had record;
begin
	`+takeSequence(table, sequence)+`
	alter table `+table.String()+` alter column `+ident(column)+` drop identity;
	execute format('create sequence `+percent(sequence.String())+` as %s increment %s minvalue %s maxvalue %s start %s cache %s %s',
		was.type, was.seqincrement, was.seqmin, was.seqmax, was.seqstart, was.seqcache, was.cycle);
	perform setval(`+regclass(sequence)+`, was.last_value, was.is_called);
	execute format('alter sequence `+percent(sequence.String())+` owner to %I', was.owner);
	alter sequence `+sequence.String()+` owned by `+table.String()+`.`+ident(column)+`;
	`+giveSequence(table, sequence)+`
	alter table `+table.String()+` alter column `+ident(column)+` set default nextval(`+regclass(sequence)+`);
end $crossfade$`, "the identity becomes a DEFAULT from a sequence of the same name, which both columns can be written from")
	s.Hazard = "a value that an INSERT gives for the column is accepted from now on, also where it was GENERATED ALWAYS; " + s.Hazard
	s.Also = sequence.String()
	return s
}

// AddIdentity is the way back from DropIdentity, for the same column or another
// one that takes its place. kind is "always" or "by default".
func AddIdentity(table, sequence Name, column, kind string) Statement {
	s := quick(table, `do $crossfade$
declare
	was record;
	had record;
	most bigint;
begin
	`+takeSequence(table, sequence)+`
	select case format_type(atttypid, null) when 'smallint' then `+greatest("smallint")+` when 'integer' then `+greatest("integer")+
		` else `+greatest("bigint")+` end into most
		from pg_attribute where attrelid = `+regclass(table)+` and attname = `+literal(column)+`;
	alter table `+table.String()+` alter column `+ident(column)+` drop default;
	drop sequence `+sequence.String()+`;
	execute format('alter table `+percent(table.String()+" alter column "+ident(column)+" add generated "+kind+
		" as identity (sequence name "+sequence.String())+` increment %s minvalue %s maxvalue %s start %s cache %s %s)',
		was.seqincrement, was.seqmin, least(was.seqmax, most), was.seqstart, was.seqcache, was.cycle);
	perform setval(`+regclass(sequence)+`, least(was.last_value, most), was.is_called);
	`+giveSequence(table, sequence)+`
end $crossfade$`, "the column is an identity, and goes on where the sequence was")
	s.Also = sequence.String()
	return s
}

// SetGeneratedAlways lets an identity column take no value but its own.
func SetGeneratedAlways(table Name, column string) Statement {
	return alterColumn(table, column, "set generated always", "nobody writes the column's values any more")
}

// takeSequence locks a table and a sequence, and reads what the sequence is into
// was, and its privileges into had. ALTER SEQUENCE takes the lock that keeps
// nextval out until the transaction ends: no number is handed out twice.
func takeSequence(table, sequence Name) string {
	return `lock table ` + table.String() + ` in access exclusive mode;
	` + lockSequence(sequence) + `
	select s.last_value, s.is_called, format_type(q.seqtypid, null) as type, q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
		case when q.seqcycle then 'cycle' else 'no cycle' end as cycle, pg_get_userbyid(t.relowner) as owner,
		coalesce(c.relacl, acldefault('s', c.relowner)) as acl, obj_description(c.oid, 'pg_class') as comment
		into strict was
		from ` + sequence.String() + ` s, pg_sequence q
		join pg_class c on c.oid = q.seqrelid
		join pg_class t on t.oid = ` + regclass(table) + `
		where q.seqrelid = ` + regclass(sequence) + `;`
}

// giveSequence gives a new sequence the comment and the privileges of the one
// that was taken, and lets use it who may INSERT into the table.
func giveSequence(table, sequence Name) string {
	return `if was.comment is not null then
		execute format('comment on sequence ` + percent(sequence.String()) + ` is %L', was.comment);
	end if;
	for had in
		select privilege_type as privilege, grantee, bool_or(is_grantable) as grantable from (
			select privilege_type, grantee, is_grantable from aclexplode(was.acl)
			union all
			select 'USAGE', i.grantee, false
			from pg_class t, aclexplode(t.relacl) i where t.oid = ` + regclass(table) + ` and i.privilege_type = 'INSERT'
			union all
			select 'USAGE', i.grantee, false
			from pg_attribute a, aclexplode(a.attacl) i where a.attrelid = ` + regclass(table) + ` and i.privilege_type = 'INSERT') p
		where grantee <> (select relowner from pg_class where oid = ` + regclass(table) + `)
		group by 1, 2
	loop
		execute format('grant %s on sequence ` + percent(sequence.String()) + ` to %s%s', had.privilege,
			case had.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(had.grantee)) end,
			case when had.grantable then ' with grant option' else '' end);
	end loop;`
}

// lockSequence takes the lock that nextval has to wait for, and changes nothing.
func lockSequence(sequence Name) string {
	return `execute format('alter sequence ` + percent(sequence.String()) + ` cache %s', (select seqcache from pg_sequence where seqrelid = ` +
		regclass(sequence) + `));`
}

func regclass(name Name) string { return literal(name.String()) + "::regclass" }

// percent makes a text part of a format string that stands in quotes.
func percent(text string) string {
	quoted := ""
	for _, r := range text {
		switch r {
		case '%', '\'':
			quoted += string(r)
		}
		quoted += string(r)
	}
	return quoted
}

// greatest is the greatest number of an integer type.
func greatest(typ string) string {
	switch typ {
	case "smallint":
		return "32767"
	case "integer":
		return "2147483647"
	}
	return "9223372036854775807"
}

func sequenceHazard(sequence Name) string {
	return "waits for every transaction that has drawn a number of " + sequence.String() +
		", and stops those who draw one for milliseconds, and for up to lock_timeout while it waits"
}
