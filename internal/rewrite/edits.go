package rewrite

import (
	"slices"
	"strings"
)

// edits are the changes made to a text so far, in the order they were made.
// Insertions at one place take effect in that order.
type edits []Edit

func (e *edits) insert(at int, text string) {
	*e = append(*e, Edit{Start: at, End: at, Text: text})
}

// insertBefore inserts before everything that was inserted at the place so far.
func (e *edits) insertBefore(at int, text string) {
	*e = slices.Insert(*e, 0, Edit{Start: at, End: at, Text: text})
}

func (e *edits) replace(start, end int, text string) {
	*e = append(*e, Edit{Start: start, End: end, Text: text})
}

// render is the text [start, end) with the edits inside it. What was inserted
// at its very end belongs to what follows.
func (e edits) render(sql string, start, end int) string {
	var inside edits
	for _, edit := range e {
		if edit.within(start, end) {
			inside = append(inside, edit)
		}
	}
	if len(inside) == 0 {
		return sql[start:end]
	}
	return inside.apply(sql, start, end)
}

// take renders [start, end) and forgets the edits inside it, for a caller that
// replaces the whole.
func (e *edits) take(sql string, start, end int) string {
	text := e.render(sql, start, end)
	*e = slices.DeleteFunc(*e, func(edit Edit) bool { return edit.within(start, end) })
	return text
}

func (e Edit) within(start, end int) bool {
	return e.Start >= start && e.End <= end && (e.Start < end || e.Start < e.End)
}

// sort orders edits by place; at one place insertions come before a
// replacement.
func (e edits) sort() {
	slices.SortStableFunc(e, func(a, b Edit) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return min(a.End-a.Start, 1) - min(b.End-b.Start, 1)
	})
}

// overlap tells whether two of the sorted edits change the same bytes.
func (e edits) overlap() bool {
	for i := 1; i < len(e); i++ {
		if e[i].Start < e[i-1].End {
			return true
		}
	}
	return false
}

// pad puts spaces around texts that would run into what stands beside them:
// "select*from" has none to spare.
func (e edits) pad(sql string, start, end int) {
	for i := range e {
		edit := &e[i]
		if edit.Text == "" {
			continue
		}
		var before, after byte
		if i > 0 && e[i-1].End == edit.Start && e[i-1].Text != "" {
			before = e[i-1].Text[len(e[i-1].Text)-1]
		} else if edit.Start > start {
			before = sql[edit.Start-1]
		}
		if edit.End < end && (i+1 == len(e) || e[i+1].Start > edit.End) {
			after = sql[edit.End]
		}
		if joins(before) && joins(edit.Text[0]) {
			edit.Text = " " + edit.Text
		}
		if joins(after) && joins(edit.Text[len(edit.Text)-1]) {
			edit.Text += " "
		}
	}
}

// joins tells whether the byte can run into another such byte.
func joins(c byte) bool { return isIdentPart(c) || c == '\'' || c == '"' }

// apply sorts the edits and applies them to sql[start:end].
func (e edits) apply(sql string, start, end int) string {
	e.sort()
	e.pad(sql, start, end)
	var b strings.Builder
	grown := end - start
	for _, edit := range e {
		grown += len(edit.Text)
	}
	b.Grow(grown)
	at := start
	for _, edit := range e {
		b.WriteString(sql[at:edit.Start])
		b.WriteString(edit.Text)
		at = edit.End
	}
	b.WriteString(sql[at:end])
	return b.String()
}
