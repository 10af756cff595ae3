package rewrite

import (
	"sort"
	"strconv"
)

// at is the index of the token that starts at a byte offset.
func (w *walker) at(offset int) int {
	i := sort.Search(len(w.tokens), func(i int) bool { return int(w.tokens[i].start) >= offset })
	if i == len(w.tokens) || int(w.tokens[i].start) != offset {
		panic("no token at offset " + strconv.Itoa(offset))
	}
	return i
}

// is tells whether the token at i is the given unquoted word.
func (w *walker) is(i int, word string) bool {
	return i >= 0 && i < len(w.tokens) && isWord(w.sql, w.tokens[i], word)
}

func (w *walker) kind(i int) kind {
	if i < 0 || i >= len(w.tokens) {
		return 0
	}
	return w.tokens[i].kind
}

// endOf is the byte offset behind the token before i.
func (w *walker) endOf(i int) int { return int(w.tokens[i-1].end) }

// renameToken replaces the identifier at i, which must be what it is taken for.
func (w *walker) renameToken(i int, from, text string) {
	if i >= len(w.tokens) || !identEquals(w.sql, w.tokens, i, from) {
		w.refuse(-1, "Write the name without Unicode escapes.", "the name %s is not where it was expected", quote(from))
		return
	}
	end := i
	if w.tokens[i].kind == kindUnicodeQuoted && w.is(i+1, "uescape") {
		end = i + 2
	}
	w.edits.replace(int(w.tokens[i].start), int(w.tokens[end].end), text)
}

// closing is the index of the bracket that closes the one at i.
func (w *walker) closing(i int) int {
	depth := 0
	for ; i < len(w.tokens); i++ {
		switch w.tokens[i].kind {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	panic("a bracket is not closed")
}

// until is the index of the first token from i on, outside of brackets, that ends
// the query or is where to stop.
func (w *walker) until(i int, stop func(i int) bool) int {
	for ; i < len(w.tokens); i++ {
		switch k := w.kind(i); {
		case k == '(' || k == '[':
			i = w.closing(i)
		case k == ')' || k == ';' || stop(i):
			return i
		}
	}
	return i
}

// exprEnd is the index of the first token behind the list item or expression
// that begins at token i.
func (w *walker) exprEnd(i int) int {
	cases := 0
	for ; i < len(w.tokens); i++ {
		switch t := w.tokens[i]; t.kind {
		case '(', '[':
			i = w.closing(i)
		case ')', ']', ',', ';':
			return i
		case kindWord:
			// Behind a period or AS any word is a name.
			switch {
			case w.kind(i-1) == '.' || w.is(i-1, "as"):
			case w.is(i, "case"):
				cases++
			case w.is(i, "end"):
				cases = max(cases-1, 0)
			case w.endsExpr(i), cases == 0 && w.is(i, "when"): // the next action of MERGE
				return i
			}
		}
	}
	return i
}

// endsExpr tells whether the word at i begins what follows a list of
// expressions. All these words are reserved; some occur in expressions too.
func (w *walker) endsExpr(i int) bool {
	t := w.tokens[i]
	text := w.sql[t.start:t.end]
	if len(text) < 2 || len(text) > 9 {
		return false
	}
	switch foldASCII(text) {
	case "from":
		return !w.is(i-1, "distinct") || !w.is(i-2, "is") && !w.is(i-2, "not")
	case "group":
		return !w.is(i-1, "within")
	case "with":
		return !w.is(i+1, "time") && !w.is(i+1, "unique")
	case "where", "having", "window", "order", "limit", "offset", "fetch", "for",
		"union", "intersect", "except", "into", "on", "returning":
		return true
	}
	return false
}

// afterName is the index of the token behind the identifier at i.
func (w *walker) afterName(i int) int {
	if w.tokens[i].kind == kindUnicodeQuoted && w.is(i+1, "uescape") {
		return i + 3
	}
	return i + 1
}
