package rewrite

import (
	"slices"
	"strings"
)

// edits are the changes made to a text so far. Insertions at one place take
// effect in the order they were made, those of insertBefore in the opposite
// one before all others.
type edits struct {
	before, list []Edit
}

func (e *edits) insert(at int, text string) {
	e.list = append(e.list, Edit{Start: at, End: at, Text: text})
}

func (e *edits) insertBefore(at int, text string) {
	e.before = append(e.before, Edit{Start: at, End: at, Text: text})
}

func (e *edits) replace(start, end int, text string) {
	e.list = append(e.list, Edit{Start: start, End: end, Text: text})
}

// count is how many edits there are.
func (e *edits) count() int { return len(e.before) + len(e.list) }

// all are the edits that keep returns, sorted by place; at one place insertions
// come before a replacement.
func (e *edits) all(keep func(Edit) bool) []Edit {
	var all []Edit
	for _, edit := range slices.Backward(e.before) {
		if keep(edit) {
			all = append(all, edit)
		}
	}
	for _, edit := range e.list {
		if keep(edit) {
			all = append(all, edit)
		}
	}
	slices.SortStableFunc(all, func(a, b Edit) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return min(a.End-a.Start, 1) - min(b.End-b.Start, 1)
	})
	return all
}

// apply is the edited text, and the edits in order.
func (e *edits) apply(sql string) (string, []Edit) {
	all := e.all(func(Edit) bool { return true })
	return splice(sql, 0, len(sql), all), all
}

// render is the text [start, end) with the edits inside it. What was inserted
// at its very end belongs to what follows.
func (e *edits) render(sql string, start, end int) string {
	inside := e.all(func(edit Edit) bool { return edit.within(start, end) })
	if len(inside) == 0 {
		return sql[start:end]
	}
	return splice(sql, start, end, inside)
}

// take renders [start, end) and forgets the edits inside it, for a caller that
// replaces the whole.
func (e *edits) take(sql string, start, end int) string {
	text := e.render(sql, start, end)
	inside := func(edit Edit) bool { return edit.within(start, end) }
	e.before = slices.DeleteFunc(e.before, inside)
	e.list = slices.DeleteFunc(e.list, inside)
	return text
}

func (e Edit) within(start, end int) bool {
	return e.Start >= start && e.End <= end && (e.Start < end || e.Start < e.End)
}

// pad puts spaces around texts that would run into what stands beside them:
// "select*from" has none to spare.
func pad(sql string, start, end int, e []Edit) {
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

// splice pads the sorted edits and applies them to sql[start:end].
func splice(sql string, start, end int, e []Edit) string {
	pad(sql, start, end, e)
	var b strings.Builder
	grown := end - start
	for _, edit := range e {
		grown += len(edit.Text)
	}
	b.Grow(grown)
	at := start
	for _, edit := range e {
		if edit.Start < at {
			panic("edits overlap")
		}
		b.WriteString(sql[at:edit.Start])
		b.WriteString(edit.Text)
		at = edit.End
	}
	b.WriteString(sql[at:end])
	return b.String()
}
