package ddl

// AddNotNullCheck adds CHECK (column is not null) for new rows, without a scan.
func AddNotNullCheck(table Name, constraint, column string) Statement {
	s := quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+
		" check ("+ident(column)+" is not null) not valid", "no new row may lack the column")
	s.Hazard = "a write that leaves the column NULL fails from now on; " + s.Hazard
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
