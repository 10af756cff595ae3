package pgtest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/postgres"
	"go.uber.org/goleak"
)

// MainWithExamples is Main for a package whose examples call Example: without
// PostgreSQL they are left out, as an example cannot skip itself.
func MainWithExamples(m *testing.M, ignore ...goleak.Option) {
	flag.Parse()
	shared.once.Do(shared.start)
	if errors.Is(shared.err, postgres.ErrNoPostgres) && os.Getenv(EnvRequire) != "1" {
		if err := flag.Set("test.skip", "^Example"); err != nil {
			panic(err)
		}
	}
	Main(m, ignore...)
}

// Example returns the URL of a database that the SQL script setup has filled, for
// an example, which has no testing.TB; it is dropped when Main ends.
func Example(setup string) (url string) {
	return NewFrom(&examples, setup).URL
}

// examples is the testing.TB of all examples, which run one after the other.
var examples exampleTB

type exampleTB struct {
	testing.TB // panics, if something asks for more than what follows
	cleanups   []func()
}

func (t *exampleTB) Helper()                        {}
func (t *exampleTB) Cleanup(f func())               { t.cleanups = append(t.cleanups, f) }
func (t *exampleTB) Error(args ...any)              { t.Fatal(args...) }
func (t *exampleTB) Fatal(args ...any)              { panic(fmt.Sprint(args...)) }
func (t *exampleTB) Fatalf(text string, arg ...any) { t.Fatal(fmt.Sprintf(text, arg...)) }

func (t *exampleTB) end() {
	for _, f := range t.cleanups {
		f()
	}
}
