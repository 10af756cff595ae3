package ddl

// AddNotNullCheck adds CHECK (column is not null) for new rows, without a scan.
func AddNotNullCheck(table Name, constraint, column string) Statement {
	s := quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+
		" check ("+ident(column)+" is not null) not valid", "no new row may lack the column")
	s.Hazard = "a write that leaves the column NULL fails from now on; " + s.Hazard
	return s
}

// AddEqualCheck adds a CHECK that two columns are the same for new rows,
// without a scan. It compares their images: what merely counts as equal (1.0
// and 1.00) is not the same, and a type needs no equality. Like any ALTER TABLE
// of this kind it waits for every transaction that has written the table.
func AddEqualCheck(table Name, constraint, a, b string) Statement {
	s := quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+
		" check (row("+ident(a)+")::record operator(pg_catalog.*=) row("+ident(b)+")::record) not valid",
		"no new row may differ")
	s.Hazard = "a write of one column only, by whoever lacks the hook, fails from now on; " + s.Hazard
	return s
}

// ValidateConstraint proves a NOT VALID constraint for the rows that exist.
func ValidateConstraint(table Name, constraint string) Statement {
	s := gentle(table, "alter table "+table.String()+" validate constraint "+ident(constraint),
		"every row is proved to satisfy the constraint")
	s.Hazard = "scans the whole table; reads and writes go on"
	return s
}

// DropConstraint drops a constraint if it exists, and a unique one's index.
func DropConstraint(table Name, constraint string) Statement {
	return quick(table, "alter table "+table.String()+" drop constraint if exists "+ident(constraint),
		"the constraint has done its work")
}

// AddUniqueUsingIndex makes a unique index a UNIQUE constraint. PostgreSQL
// renames the index to the constraint's name.
func AddUniqueUsingIndex(table Name, constraint, index string) Statement {
	return quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+
		" unique using index "+ident(index), "the target carries the UNIQUE constraint of the source")
}
