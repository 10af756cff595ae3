package console

import (
	"strconv"
	"strings"
	"sync"
)

// screen is a terminal of a few lines of code: it knows the escapes that a Live
// sends, and no others.
type screen struct {
	mu            sync.Mutex // guards all of it
	width, height int
	lines         []string
	row, column   int
}

func (s *screen) size() (int, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width, s.height
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := string(p); text != ""; {
		if n := escapeLen(text); n > 0 {
			s.escape(text[:n])
			text = text[n:]
			continue
		}
		switch text[0] {
		case '\r':
			s.column = 0
		case '\n':
			s.row, s.column = s.row+1, 0
		default:
			end := strings.IndexAny(text, "\x1b\r\n")
			if end < 0 {
				end = len(text)
			}
			s.put(text[:end])
			text = text[end:]
			continue
		}
		text = text[1:]
	}
	return len(p), nil
}

func (s *screen) escape(sequence string) {
	argument, command := sequence[2:len(sequence)-1], sequence[len(sequence)-1]
	switch command {
	case 'A':
		n, _ := strconv.Atoi(argument)
		if s.row -= n; s.row < 0 {
			panic("the cursor left the screen")
		}
	case 'J':
		s.lines = s.lines[:min(s.row, len(s.lines))]
	case 'K':
		if s.row < len(s.lines) {
			s.lines[s.row] = ""
		}
	case 'm':
	default:
		panic("unknown escape " + strconv.Quote(sequence))
	}
}

func (s *screen) put(text string) {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, "")
	}
	line, written := []rune(s.lines[s.row]), []rune(text)
	rest := line[min(len(line), s.column+len(written)):]
	s.lines[s.row] = string(line[:s.column]) + text + string(rest)
	s.column += len(written)
}

// resize wraps the lines anew, as most terminals do.
func (s *screen) resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wrapped []string
	for _, line := range s.lines {
		runes := []rune(line)
		for len(runes) > width {
			wrapped = append(wrapped, string(runes[:width]))
			runes = runes[width:]
		}
		wrapped = append(wrapped, string(runes))
	}
	s.width, s.lines, s.row, s.column = width, wrapped, len(wrapped), 0
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimRight(strings.Join(s.lines, "\n"), "\n") // an empty line cannot be seen
}
