package console

import (
	"bytes"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOutputElsewhereIsPlain(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, o := range []*Output{NewOutput(&bytes.Buffer{}, Options{}), NewOutput(file, Options{})} {
		if o.IsTerminal() || o.Style() != (Style{}) || o.Width() != 0 {
			t.Errorf("a stream that is no terminal got %+v", o)
		}
	}
	if IsTerminal(file) || IsTerminal(&bytes.Buffer{}) {
		t.Error("a file is taken for a terminal")
	}
}

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		env              map[string]string
		escapes, unicode bool
	}{
		{map[string]string{"TERM": "xterm", "LANG": "de_DE.UTF-8"}, true, true},
		{map[string]string{"TERM": "xterm", "LANG": "en_US.utf8", "LC_ALL": "C"}, true, false},
		{map[string]string{"TERM": "dumb"}, false, false},
		{map[string]string{"TERM": "xterm", "CI": "true"}, false, false},
	} {
		getenv := func(name string) string { return c.env[name] }
		if got := understandsEscapes(getenv); got != c.escapes {
			t.Errorf("%v: understands escapes = %t", c.env, got)
		}
		if got := speaksUnicode(getenv); got != c.unicode {
			t.Errorf("%v: speaks unicode = %t", c.env, got)
		}
	}
}

func TestFitCountsColumnsNotBytes(t *testing.T) {
	red := Style{Color: true}.Bad("wörter")
	for _, c := range []struct {
		text, want string
		width      int
	}{
		{"short", "short", 10},
		{"größer", "größ", 4},
		{red, red, 6},
		{red, "\x1b[31mwör\x1b[0m", 3},
		{"anything", "anything", 0},
	} {
		if got := Fit(c.text, c.width); got != c.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
	if got := Pad(red, 8); Visible(got) != 8 {
		t.Errorf("Pad made %d columns of 8", Visible(got))
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4200: "-4,200"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 85 * time.Millisecond: "85ms", 3 * time.Second: "3s", 4260 * time.Millisecond: "4.2s", 59900 * time.Millisecond: "59s",
		190 * time.Second: "3m10s", 125 * time.Minute: "2h05m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestTaskGivesUpFactsBeforeTheBar(t *testing.T) {
	task := Task{
		Label: "backfill", LabelWidth: 9, Done: 540_000, Total: 1_000_000, Unit: "rows",
		Rate: 48_213.7, Left: 9500 * time.Millisecond,
	}
	for _, c := range []struct {
		width int
		want  string
	}{
		{100, "backfill   ###################.................   54%  540,000 of 1,000,000 rows  48,213/s  10s left"},
		{80, "backfill   ########........   54%  540,000 of 1,000,000 rows  48,213/s  10s left"},
		{60, "backfill   ########........   54%  540,000 of 1,000,000 rows"},
		{30, "backfill   #######......   54%"},
		{12, "backfill    "},
	} {
		if got := task.Line(c.width, Style{}); got != c.want {
			t.Errorf("in %d columns:\n got %q\nwant %q", c.width, got, c.want)
		}
	}
	if got, want := task.Status(), "backfill: 54%, 540,000 of 1,000,000 rows, 48,213/s, 10s left"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	open := Task{Label: "drain", Done: 3, Unit: "sessions", Note: "4.2s"}
	if got, want := open.Line(80, Style{}), "drain  3 sessions  4.2s"; got != want {
		t.Errorf("without a total: %q, want %q", got, want)
	}
}

func TestMeter(t *testing.T) {
	var m Meter
	now := time.Unix(0, 0)
	if _, known := m.Rate(); known {
		t.Error("a speed out of nothing")
	}
	for i := range int64(20) {
		m.Add(now.Add(time.Duration(i)*time.Second), i*1000)
	}
	if rate, _ := m.Rate(); rate < 999 || rate > 1001 {
		t.Errorf("rate %v, want 1000", rate)
	}
	if left, ok := m.Left(29_000); !ok || left.Round(time.Millisecond) != 10*time.Second {
		t.Errorf("left %v, %t, want 10s", left, ok)
	}
	m.Add(now.Add(time.Minute), 0) // a job that began anew
	if _, ok := m.Left(1000); ok {
		t.Error("time left after a new beginning")
	}
}
