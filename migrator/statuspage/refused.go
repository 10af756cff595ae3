package statuspage

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// refusedLately is how long ago a refusal needs somebody: an application gets errors.
const refusedLately = 5 * time.Minute

// refusals are the statements that hooks have refused.
type refusals struct {
	// Facts are said in one line.
	Facts string
	List  []migrator.RefusedStatement
	// More are not listed.
	More int
}

func newRefusals(s migrator.Status) refusals {
	times := 0
	for _, r := range s.Refused {
		times += int(r.Count)
	}
	r := refusals{More: max(0, len(s.Refused)-mostPeople)}
	r.Facts = fmt.Sprintf("%s, %s within the last day", console.Plural(len(s.Refused), "statement"), console.Plural(times, "time"))
	for _, one := range s.Refused[:len(s.Refused)-r.More] {
		const most = 500
		if text := []rune(one.Statement); len(text) > most {
			one.Statement = string(text[:most]) + " ..."
		}
		one.Application = cmp.Or(one.Application, one.Instance)
		r.List = append(r.List, one)
	}
	return r
}

// refusedNow is the refusal that somebody has to look at; nil when there is none.
func refusedNow(s migrator.Status) *migrator.RefusedStatement {
	if len(s.Refused) == 0 || s.Refused[0].Ago > refusedLately {
		return nil
	}
	return &s.Refused[0]
}
