package console

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// View is what a Live shows. Its methods are called from a goroutine of the
// Live.
type View interface {
	// Lines is the block for a terminal of that many columns.
	Lines(width int, s Style) []string
	// Status is the same in one line for a log; empty when nothing is to say.
	Status() string
}

// Live shows a View below a log that scrolls. Its methods are safe for
// concurrent use.
type Live struct {
	out  *Output
	view View
	// frame and pulse are the times between two drawings and two plain lines.
	frame, pulse time.Duration

	mu sync.Mutex // guards what follows, and the writes to out
	// drawn are the columns of each line of the block on the screen.
	drawn []int
	last  string
}

// NewLive shows nothing before While.
func NewLive(out *Output, view View) *Live {
	return &Live{out: out, view: view, frame: 100 * time.Millisecond, pulse: 5 * time.Second}
}

// While shows the view as long as work runs, and returns what work returns. The
// block is gone afterwards: what should stay is to be logged.
func (l *Live) While(work func() error) error {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		l.loop(stop)
	}()
	defer func() {
		close(stop)
		<-done
		l.mu.Lock()
		defer l.mu.Unlock()
		l.flush(l.erase())
		l.drawn = nil
	}()
	return work()
}

// Log writes a line that stays, above the block.
func (l *Live) Log(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.erase() + line + "\n"
	if len(l.drawn) > 0 {
		text += l.block()
	}
	l.flush(text)
}

func (l *Live) loop(stop <-chan struct{}) {
	period, show := l.pulse, l.beat
	if l.out.IsTerminal() {
		period, show = l.frame, l.redraw
		show()
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			show()
		}
	}
}

func (l *Live) redraw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush(l.rewind() + l.block())
}

// beat writes the status, unless it says what it said before.
func (l *Live) beat() {
	status := l.view.Status()
	l.mu.Lock()
	defer l.mu.Unlock()
	if status != "" && status != l.last {
		l.flush(status + "\n")
	}
	l.last = status
}

// The escapes that move and clear. Lines are cleared one by one, each before it
// is written over: some terminals put into their history what a clear at the top
// of the screen removes, and a clear behind a full line takes its last letter.
const (
	up         = "\r\x1b[%dA"
	clearLine  = "\x1b[2K"
	clearBelow = "\x1b[J"
)

// rewind moves to the first line of the block.
func (l *Live) rewind() string {
	if rows := l.rows(); rows > 0 {
		return fmt.Sprintf(up, rows)
	}
	return ""
}

// rows is how many rows the block takes on the screen by now: a line that was
// drawn on a wider terminal has been wrapped since.
func (l *Live) rows() int {
	if len(l.drawn) == 0 {
		return 0
	}
	width, _ := l.out.size()
	rows := 0
	for _, columns := range l.drawn {
		rows += max(1, (columns+width-1)/width)
	}
	return rows
}

// block draws the view and remembers its size.
func (l *Live) block() string {
	width, height := l.out.size()
	lines := l.view.Lines(width, l.out.style)
	if len(lines) >= height {
		lines = lines[:max(0, height-1)]
	}
	l.drawn = l.drawn[:0]
	var b strings.Builder
	for _, line := range lines {
		line = Fit(line, width)
		l.drawn = append(l.drawn, Visible(line))
		b.WriteString(clearLine + line + "\n")
	}
	return b.String() + clearBelow
}

// erase takes the block away and leaves the cursor where it began.
func (l *Live) erase() string {
	rows := l.rows()
	if rows == 0 {
		return ""
	}
	return l.rewind() + strings.Repeat(clearLine+"\n", rows) + l.rewind()
}

// flush writes a whole frame at once, so that it does not flicker. A terminal
// that has gone away is no reason to stop the work.
func (l *Live) flush(text string) {
	if text != "" {
		_, _ = l.out.Write([]byte(text))
	}
}
