package console

import (
	"strings"
	"unicode/utf8"
)

// Style is how text may look. The zero value is plain ASCII without colours.
type Style struct {
	Color   bool
	Unicode bool
}

// Bold is for what a reader looks for first.
func (s Style) Bold(text string) string { return s.paint("1", text) }

// Dim is for what a reader may skip.
func (s Style) Dim(text string) string { return s.paint("2", text) }

// Good is for what went well.
func (s Style) Good(text string) string { return s.paint("32", text) }

// Warn is for what needs attention.
func (s Style) Warn(text string) string { return s.paint("33", text) }

// Bad is for what went wrong.
func (s Style) Bad(text string) string { return s.paint("31", text) }

// Accent is for names and phases.
func (s Style) Accent(text string) string { return s.paint("36", text) }

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bar draws how much of a whole is done, in width columns.
func (s Style) Bar(fraction float64, width int) string {
	full, empty := "#", "."
	if s.Unicode {
		full, empty = "█", "░"
	}
	done := int(min(max(fraction, 0), 1) * float64(width))
	return s.Accent(strings.Repeat(full, done)) + s.Dim(strings.Repeat(empty, width-done))
}

// Visible is the number of columns that text takes: escapes take none.
func Visible(text string) int {
	columns := 0
	for len(text) > 0 {
		if n := escapeLen(text); n > 0 {
			text = text[n:]
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		columns++
	}
	return columns
}

// Fit cuts text to width columns. Escapes are kept, so a cut colour still ends.
func Fit(text string, width int) string {
	if width <= 0 || Visible(text) <= width {
		return text
	}
	var b strings.Builder
	columns := 0
	for len(text) > 0 {
		n := escapeLen(text)
		if n == 0 {
			_, n = utf8.DecodeRuneInString(text)
			columns++
			if columns > width {
				text = text[n:]
				continue
			}
		}
		b.WriteString(text[:n])
		text = text[n:]
	}
	return b.String()
}

// escapeLen is the length of the escape sequence that text starts with.
func escapeLen(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	for i := 2; i < len(text); i++ {
		if text[i] >= '@' && text[i] <= '~' {
			return i + 1
		}
	}
	return len(text)
}

// Pad fills text with spaces to width columns.
func Pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-Visible(text)))
}
