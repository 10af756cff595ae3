package postgres

import (
	"os"
	"strings"
)

// serverEnv is the environment of PostgreSQL's own programs. The variables for
// its clients, such as PGPORT, would change a server too; and initdb takes long
// to find the name of the machine's time zone.
func serverEnv() []string {
	env := []string{"TZ=UTC", "LC_ALL=C"}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case name == "TZ", name == "LANG", strings.HasPrefix(name, "LC_"), strings.HasPrefix(name, "PG"):
		default:
			env = append(env, entry)
		}
	}
	return env
}
