package ddl

import "github.com/pgcrossfade/crossfade/internal/transform"

// AddNotNullCheck adds CHECK (column is not null) for new rows, without a scan.
func AddNotNullCheck(table Name, constraint, column string) Statement {
	s := quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+
		" check ("+ident(column)+" is not null) not valid", "no new row may lack the column")
	s.Hazard = "a write that leaves the column NULL fails from now on; " + s.Hazard
	return s
}

// AddConsistentCheck adds a CHECK that a row is Consistent for new rows, without
// a scan. Of columns with the same values it compares the images, whatever the
// type. Like any ALTER TABLE of this kind it waits for every transaction that
// has written the table.
func AddConsistentCheck(table Name, constraint string, m transform.Move) Statement {
	s := quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+" check ("+Enforced(m)+") not valid",
		"no new row may differ")
	s.Hazard = "a write of one side only, by whoever lacks the hook, fails from now on; " + s.Hazard
	return s
}

// Enforced is the rule of that CHECK.
func Enforced(m transform.Move) string {
	if m.Identity() {
		return sameImage(ident(m.Sources[0].Name), ident(m.Targets[0].Name))
	}
	return Consistent(m)
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

// RenameConstraint renames a constraint, and a unique one's index.
func RenameConstraint(table Name, from, to string) Statement {
	return quick(table, "alter table "+table.String()+" rename constraint "+ident(from)+" to "+ident(to),
		"the constraint takes the name of the one whose place it has")
}

// AddUniqueUsingIndex makes a unique index a UNIQUE constraint. PostgreSQL
// renames the index to the constraint's name.
func AddUniqueUsingIndex(table Name, constraint, index string) Statement {
	return quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+
		" unique using index "+ident(index), "the target carries the UNIQUE constraint of the source")
}
