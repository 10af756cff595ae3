package main

import (
	"fmt"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestRehearse(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	copied := pgtest.NewFrom(t, usersSQL)
	statements := writeFile(t, "q.sql", "select full_name from users where id = 1; update users set full_name = 'x' where id = 2;\n"+
		"select name from users where id = 3; select * from users where id = $1;")
	contains(t, s.must(exitUsage, "rehearse", s.file).stderr, "--on is missing")
	contains(t, s.must(exitUsage, "rehearse", s.file, "--on", copied.URL).stderr, "--yes")
	contains(t, s.must(exitUsage, "rehearse", s.file, "--on", s.db.URL, "--yes").stderr, "no copy of it", "hint: restore")

	// Locks and stalls are as long as the machine is busy.
	quiet := []string{"--yes", "--max-lock", "1m", "--max-stall", "1m"}
	o := s.must(exitOK, append([]string{"rehearse", s.file, "--on", copied.URL, "--statements", statements, "-o", "json"}, quiet...)...)
	r := document[migrator.Rehearsal](t, o)
	if len(r.Surprises) > 0 || r.Traffic.Errors > 0 || r.Traffic.Statements == 0 || r.Traffic.Probes == 0 {
		t.Errorf("the rehearsal: %+v", r)
	}
	passes, locks, wal := map[string]int{}, 0, int64(0)
	for _, step := range r.Steps {
		passes[step.Pass]++
		wal += step.WALBytes
		if step.Lock > 0 {
			locks++
		}
	}
	for _, pass := range []string{"forward", "back", "again", "contract"} {
		if passes[pass] == 0 {
			t.Errorf("no step of pass %s: %v", pass, passes)
		}
	}
	if locks == 0 || wal == 0 {
		t.Errorf("%d locks, %d bytes of WAL", locks, wal)
	}
	contains(t, s.must(exitNotFound, "status").stderr, "crossfade init") // the original knows nothing of it

	// The copy is contracted now, so this one is refused before it begins.
	contains(t, s.must(exitRefused, append([]string{"rehearse", s.file, "--on", copied.URL}, quiet...)...).stderr, "is refused")
	index := writeFile(t, "index.yaml", "name: mails\ntable: users\nadd_unique: {name: users_email, columns: [email]}\n")
	contains(t, s.must(exitOK, append([]string{"rehearse", index, "--on", copied.URL}, quiet...)...).stdout, "PASS", "back", "undo build", "no surprise")

	// What does not get to the end is taken back: a session without the hook keeps the
	// first drain waiting.
	conn := copied.Conn(t)
	mail := writeFile(t, "mail.yaml", "name: users-mail\ntable: users\nrename: {from: email, to: mail}\n")
	failed := s.must(exitRefused, append([]string{"rehearse", mail, "--on", copied.URL, "--drain-timeout", "50ms"}, quiet...)...)
	contains(t, failed.stdout, "surprise: it did not get to the end: ", fmt.Sprintf("pid %d", conn.PgConn().PID()))
	contains(t, failed.stderr, "met 1 surprise", "hint: ")
	if o := s.must(exitOK, "status", "--database-url", copied.URL); o.stdout != "no transitions; begin one with: crossfade start FILE\n" {
		t.Errorf("it leaves something behind: %s", o.stdout)
	}
}
