package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// refusedLines say what hooks have refused: how much, and the last one.
func refusedLines(status migrator.Status, s console.Style) []string {
	if len(status.Refused) == 0 {
		return nil
	}
	times := 0
	for _, r := range status.Refused {
		times += int(r.Count)
	}
	last := status.Refused[0]
	return []string{
		s.Bad(fmt.Sprintf("%s, %s; the last one %s ago by %s", console.Plural(len(status.Refused), "statement"), console.Plural(times, "time"),
			last.Ago.Round(time.Second), cmp.Or(last.Application, last.Instance))),
		cmp.Or(shortened(last.Statement, 200), "(its text cannot be shown without its constants)"),
		last.Message,
		"next: crossfade explain -t " + status.Name + " 'STATEMENT', as the application has it",
	}
}

// shortened is the beginning of a text.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "..."
}
