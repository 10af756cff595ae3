package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/pgcrossfade/crossfade/migrator"
)

// lookout calls seen with every line that is written to it.
type lookout struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen func(line string)
}

func (l *lookout) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	for {
		line, err := l.text.ReadString('\n')
		if err != nil {
			l.text.WriteString(line)
			return len(p), nil
		}
		l.seen(line)
	}
}

// TestStatusWatch: a watch says what has changed, once, and ends well when it is
// interrupted.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	s.must(exitNotFound, "status", "nobody", "--watch")
	for _, way := range []struct {
		flags []string
		phase func(line string) string
		from  string
		move  string
		to    string
	}{
		{[]string{"--output", "json"}, phaseOfLine, "off", "dualwrite", "dualwrite"},
		{nil, func(line string) string {
			_, rest, _ := strings.Cut(line, "users-name: ")
			phase, _, _ := strings.Cut(rest, ",")
			return phase
		}, "dualwrite", "shadow", "shadow"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		lines := make(chan string, 100)
		out := &lookout{seen: func(line string) { lines <- line }}
		code := make(chan int, 1)
		go func() {
			args := append([]string{"--database-url", s.db.URL, "status", "--watch", "users-name"}, way.flags...)
			code <- Main(ctx, args, strings.NewReader(""), out, &bytes.Buffer{})
		}()
		if phase := way.phase(<-lines); phase != way.from {
			t.Errorf("first line: phase %q", phase)
		}
		s.must(exitOK, "run", s.file, "--until", way.move)
		for line := range lines {
			if way.phase(line) == way.to {
				break
			}
		}
		cancel()
		if got := <-code; got != exitOK {
			t.Errorf("exit code %d", got)
		}
	}
}

func phaseOfLine(line string) string {
	var list []migrator.Status
	if json.Unmarshal([]byte(line), &list) != nil || len(list) != 1 {
		return "no document: " + line
	}
	return string(list[0].Phase)
}
