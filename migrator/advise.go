package migrator

import "fmt"

// advice is what to do about errors of the server that have nothing to do with the
// transition, by SQLSTATE.
var advice = map[string]string{
	"42501": "the role lacks a right: as the migrator it must own the table, or be a member of the role that does, own the schema crossfade, " +
		"have CREATE on the schema of the table, on the database for init, and REFERENCES on tables that a foreign key leads to; " +
		"to look on, read the tables of the schema crossfade; grant it",
	"53100": "the server's disk is full: make room, or give it more",
	"53200": "the server is out of memory: let it have more, or lower maintenance_work_mem",
	"53300": "the server takes no more connections: leave one for the migrator",
	"53400": "a limit that is set for the migrator's role stopped it, such as temp_file_limit: raise it",
	"25006": "the server takes no writes, perhaps after a failover: connect the migrator to the primary",
}

// advised is an error of the server with what to do about it.
type advised struct {
	cause error
	hint  string
}

func (e *advised) Error() string { return fmt.Sprintf("%v (hint: %s)", e.cause, e.Hint()) }

// Hint says what to do about it.
func (e *advised) Hint() string { return e.hint + "; then run the command again: it continues" }

func (e *advised) Unwrap() error { return e.cause }

// advise adds what to do about an error, where that is known.
func advise(err error) error {
	if hint, known := advice[sqlState(err)]; known {
		return &advised{cause: err, hint: hint}
	}
	return err
}
