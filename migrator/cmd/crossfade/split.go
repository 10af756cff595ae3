package main

import "strings"

// splitStatements takes a text apart where PostgreSQL's own client would: at
// semicolons that stand outside of strings, quoted names, comments, parentheses
// and the bodies of SQL functions (begin atomic ... end). Pieces without a
// statement in them are left out.
func splitStatements(text string) []string {
	var statements []string
	s := splitter{text: text}
	for s.pos < len(text) {
		if s.token() {
			statements = s.cut(statements, s.pos-1)
		}
	}
	return s.cut(statements, len(text))
}

type splitter struct {
	text       string
	pos, start int
	// Of the statement at work:
	some   bool // there is a token in it
	depth  int  // of parentheses
	words  int  // how many words there have been
	create bool // its first word is create
	last   string
	blocks int // begin atomic and case without their end
}

// cut adds the statement that ends before the byte at end.
func (s *splitter) cut(statements []string, end int) []string {
	if s.some {
		statements = append(statements, strings.TrimSpace(s.text[s.start:end]))
	}
	*s = splitter{text: s.text, pos: s.pos, start: s.pos}
	return statements
}

// token steps over a token or a piece of white space, and tells whether it was
// a semicolon that ends the statement.
func (s *splitter) token() bool {
	rest := s.text[s.pos:]
	c := rest[0]
	switch {
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		s.pos++
		return false
	case strings.HasPrefix(rest, "--"):
		s.skip(lineEnd(rest))
		return false
	case strings.HasPrefix(rest, "/*"):
		s.skip(commentEnd(rest))
		return false
	case c == ';' && s.depth == 0 && s.blocks == 0:
		s.pos++
		return true
	}
	s.some = true
	switch {
	case c == '\'' || c == '"':
		s.skip(quoteEnd(rest, false))
	case c == '$':
		s.skip(dollarEnd(rest))
	case isWordByte(c):
		s.word(rest)
	default:
		switch c {
		case '(', '[':
			s.depth++
		case ')', ']':
			s.depth = max(0, s.depth-1)
		}
		s.pos++
	}
	return false
}

func (s *splitter) skip(n int) { s.pos += n }

func (s *splitter) word(rest string) {
	n := 1
	for n < len(rest) && (isWordByte(rest[n]) || rest[n] == '$') {
		n++
	}
	word := strings.ToLower(rest[:n])
	s.skip(n)
	if word == "e" && strings.HasPrefix(rest[n:], "'") {
		s.skip(quoteEnd(rest[n:], true))
	}
	s.words++
	s.create = s.create || s.words == 1 && word == "create"
	switch {
	case s.create && word == "atomic" && s.last == "begin":
		s.blocks++
	case s.blocks > 0 && word == "case":
		s.blocks++
	case s.blocks > 0 && word == "end":
		s.blocks--
	}
	s.last = word
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// The following give the length of what a text begins with; what has no end
// goes on to the end of the text, and PostgreSQL would complain about it.

func lineEnd(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

// commentEnd knows that comments nest.
func commentEnd(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

// quoteEnd needs not know that a doubled quote stands for one: the second one
// begins the next token, and nothing can end in between.
func quoteEnd(text string, backslash bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && backslash:
			i++
		case text[i] == text[0]:
			if backslash && strings.HasPrefix(text[i+1:], "'") {
				i++ // the backslashes go on behind it
				continue
			}
			return i + 1
		}
	}
	return len(text)
}

// dollarEnd steps over $tag$ ... $tag$, or over the dollar of a parameter.
func dollarEnd(text string) int {
	end := strings.IndexByte(text[1:], '$') + 2
	if end < 2 {
		return 1
	}
	tag := text[:end]
	for i := 1; i < end-1; i++ {
		if !isWordByte(tag[i]) || i == 1 && tag[i] >= '0' && tag[i] <= '9' {
			return 1
		}
	}
	if i := strings.Index(text[end:], tag); i >= 0 {
		return end + i + len(tag)
	}
	return len(text)
}
