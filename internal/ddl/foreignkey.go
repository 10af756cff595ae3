package ddl

// ForeignKey is a foreign key as SQL spells it.
type ForeignKey struct {
	// Table has it, and To is the table that it references.
	Table, To Name
	// Body is the constraint, from FOREIGN KEY on, with To in its schema.
	Body string
}

// ForeignKeyBody is the Body of a foreign key of columns that reference others,
// in their order. Options are MATCH, the actions and what is deferred, as SQL
// text.
func ForeignKeyBody(columns []string, to Name, references []string, options string) string {
	body := "foreign key (" + Columns(columns) + ") references " + to.String() + " (" + Columns(references) + ")"
	if options != "" {
		body += " " + options
	}
	return body
}

// also is the other table that a foreign key locks; empty when it is the same.
func (k ForeignKey) also() string {
	if k.Table == k.To {
		return ""
	}
	return k.To.String()
}

// AddForeignKey adds a foreign key for new rows, without a scan. It locks both
// tables.
func AddForeignKey(k ForeignKey, constraint string) Statement {
	s := quick(k.Table, "alter table "+k.Table.String()+" add constraint "+ident(constraint)+" "+k.Body+" not valid",
		"no new row may refer to nothing")
	s.Lock, s.Also, s.Pair = ShareRowExclusive, k.also(), true
	s.Hazard = "stops every write of both tables for milliseconds, and for up to lock_timeout while it waits; " +
		"a write that refers to nothing fails from now on, and deletes on the referenced table look here"
	return s
}

// ValidateForeignKey proves a foreign key for the rows that exist.
func ValidateForeignKey(k ForeignKey, constraint string) Statement {
	s := ValidateConstraint(k.Table, constraint)
	s.Hazard = "reads both whole tables, with a ROW SHARE lock on " + k.To.String() + "; reads and writes go on"
	return s
}

// DropForeignKey drops a foreign key if it exists. It locks both tables.
func DropForeignKey(k ForeignKey, constraint string) Statement {
	s := DropConstraint(k.Table, constraint)
	s.Also, s.Pair = k.also(), true
	s.Hazard = "stops every statement on both tables for milliseconds, and for up to lock_timeout while it waits"
	return s
}
