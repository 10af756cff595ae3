package console

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// board is a View whose text a test sets.
type board struct {
	mu     sync.Mutex
	text   []string
	status string
}

func (b *board) set(status string, text ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text, b.status = text, status
}

func (b *board) Lines(int, Style) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text
}

func (b *board) Status() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

func onScreen(s *screen) *Output { return &Output{w: s, size: s.size} }

func check(t *testing.T, s fmt.Stringer, want ...string) {
	t.Helper()
	if got := s.String(); got != strings.Join(want, "\n") {
		t.Errorf("screen shows\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestLiveRedrawsBelowTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{width: 20, height: 10}
		view := &board{}
		live := NewLive(onScreen(s), view)
		view.set("", "one", "two")
		boom := errors.New("boom")
		err := live.While(func() error {
			synctest.Wait()
			check(t, s, "one", "two")
			live.Log("first thing done")
			check(t, s, "first thing done", "one", "two")

			view.set("", "three")
			check(t, s, "first thing done", "one", "two") // not before the next frame
			time.Sleep(live.frame)
			synctest.Wait()
			check(t, s, "first thing done", "three")

			view.set("", "a line that is longer than twenty columns")
			time.Sleep(live.frame)
			synctest.Wait()
			check(t, s, "first thing done", "a line that is longe")
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("got error %v, want that of the work", err)
		}
		check(t, s, "first thing done")
		live.Log("after it")
		check(t, s, "first thing done", "after it")
	})
}

func TestLiveOnATerminalThatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{width: 30, height: 4}
		view := &board{}
		live := NewLive(onScreen(s), view)
		view.set("", strings.Repeat("a", 30), strings.Repeat("b", 12))
		_ = live.While(func() error {
			synctest.Wait()
			live.Log("kept")
			s.resize(12)
			time.Sleep(live.frame)
			synctest.Wait()
			check(t, s, "kept", strings.Repeat("a", 12), strings.Repeat("b", 12))

			view.set("", "1", "2", "3", "4", "5")
			time.Sleep(live.frame)
			synctest.Wait()
			check(t, s, "kept", "1", "2", "3") // one row is the cursor's
			return nil
		})
	})
}

func TestLiveWithoutTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		view := &board{}
		live := NewLive(NewOutput(s, Options{}), view)
		_ = live.While(func() error {
			view.set("half done", "unused")
			time.Sleep(live.pulse - time.Millisecond)
			synctest.Wait()
			check(t, s, "")
			time.Sleep(time.Millisecond)
			synctest.Wait()
			check(t, s, "half done")
			time.Sleep(2 * live.pulse)
			synctest.Wait()
			check(t, s, "half done") // nothing new
			live.Log("a step")
			view.set("done")
			time.Sleep(live.pulse)
			synctest.Wait()
			return nil
		})
		check(t, s, "half done", "a step", "done")
	})
}
