package rewrite

import "strings"

// Statement is one statement of a longer text.
type Statement struct {
	// Text is the statement with the comments before it, without the semicolon:
	// the bytes [Start, End) of the whole.
	Text       string
	Start, End int
	// First is the offset in Text of what the comments before it do not cover.
	First int
	// Line is the line of the whole text on which that stands, from 1 on.
	Line int
	// Rows tells that rows for COPY FROM STDIN followed, up to a line with \. ;
	// they belong to no statement.
	Rows bool
}

// Split takes a text apart where PostgreSQL's own client would: at semicolons
// outside of strings, quoted names, comments, parentheses and the bodies of SQL
// functions (begin atomic ... end). Pieces without a statement in them are left
// out. A psql command, from its backslash to the end of the line, ends the
// statement before it; all of them are in commands.
func Split(sql string) (statements, commands []Statement) {
	s := splitter{sql: sql, lines: lines{sql: sql, line: 1}}
	for s.pos < len(sql) {
		if sql[s.pos] == '\\' {
			s.command(s.pos)
			continue
		}
		s.stretch()
	}
	s.cut(len(sql))
	return s.statements, s.commands
}

type splitter struct {
	sql                  string
	pos, start           int // what is read up to; where the statement at work begins
	lines                lines
	tokens               []token
	statements, commands []Statement
	state
}

// state is what is known of the statement at work.
type state struct {
	some   bool // there is a token in it
	first  int  // where the first one stands
	depth  int  // of parentheses
	words  int
	verb   string // the first word
	last   string // the last word
	stdin  bool   // it has read from stdin
	blocks int    // begin atomic and case without their end
}

// stretch reads up to the next line that begins with a backslash outside of
// strings and comments. What follows a psql command is no SQL, so the scanner
// must not see the text as a whole.
func (s *splitter) stretch() {
	for end := s.pos; ; {
		end = nextCommand(s.sql, end)
		s.tokens = scan(s.sql[s.pos:end], s.tokens[:0])
		n := len(s.tokens)
		open := n > 0 && s.tokens[n-1].kind == kindBad && int(s.tokens[n-1].end) == end-s.pos
		if open && end < len(s.sql) {
			continue
		}
		base := s.pos
		for _, t := range s.tokens {
			if s.token(t.kind, base+int(t.start), base+int(t.end)) {
				return
			}
		}
		s.pos = end
		return
	}
}

// nextCommand is where the next line after from begins that has a backslash in
// front.
func nextCommand(sql string, from int) int {
	if i := strings.Index(sql[from:], "\n\\"); i >= 0 {
		return from + i + 1
	}
	return len(sql)
}

// token takes the next token, and tells whether it moved the position away.
func (s *splitter) token(k kind, start, end int) (moved bool) {
	text := s.sql[start:end]
	switch {
	case k == kindBad && text == `\`:
		if strings.HasPrefix(s.sql[end:], ";") {
			return false // psql would send both statements at once
		}
		s.command(start)
		return true
	case k == kindBad && strings.HasPrefix(text, "/*"):
		return false // a comment without an end
	case k == ';' && s.depth == 0 && s.blocks == 0:
		rows := s.verb == "copy" && s.stdin
		before := len(s.statements)
		s.cut(start)
		s.start = s.skipRemark(end)
		return rows && len(s.statements) > before && s.rows(end)
	}
	if !s.some {
		s.some, s.first = true, start
	}
	switch k {
	case '(', '[':
		s.depth++
	case ')', ']':
		s.depth = max(0, s.depth-1)
	case kindWord:
		s.word(foldASCII(text))
	}
	return false
}

// skipRemark steps over a comment behind a semicolon, on its line: it is about
// the statement before.
func (s *splitter) skipRemark(from int) int {
	rest := strings.TrimLeft(s.sql[from:], " \t")
	if strings.HasPrefix(rest, "--") {
		return skipLine(s.sql, len(s.sql)-len(rest))
	}
	return from
}

func (s *splitter) word(word string) {
	if s.words++; s.words == 1 {
		s.verb = word
	}
	switch {
	case word == "stdin" && s.last == "from":
		s.stdin = true
	case s.verb == "create" && word == "atomic" && s.last == "begin":
		s.blocks++
	case s.blocks > 0 && word == "case":
		s.blocks++
	case s.blocks > 0 && word == "end":
		s.blocks--
	}
	s.last = word
}

// cut ends the statement at work before the byte at end.
func (s *splitter) cut(end int) {
	if s.some {
		whole := s.sql[s.start:end]
		start := s.start + len(whole) - len(strings.TrimLeft(whole, " \t\r\n\f\v"))
		text := strings.TrimRight(s.sql[start:end], " \t\r\n\f\v")
		s.statements = append(s.statements, Statement{
			Text: text, Start: start, End: start + len(text), First: s.first - start, Line: s.lines.at(s.first),
		})
	}
	s.state, s.start = state{}, end
}

// command takes the psql command at an offset.
func (s *splitter) command(start int) {
	s.cut(start)
	end := skipLine(s.sql, start)
	s.commands = append(s.commands, Statement{
		Text: strings.TrimRight(s.sql[start:end], " \t"), Start: start, End: end, Line: s.lines.at(start),
	})
	s.pos, s.start = end, end
}

// rows steps over the rows of a COPY, if a line that ends them follows.
func (s *splitter) rows(from int) bool {
	line := skipLine(s.sql, from)
	for _, terminator := range []string{"\n\\.\n", "\n\\.\r\n"} {
		if i := strings.Index(s.sql[line:]+"\n", terminator); i >= 0 {
			s.statements[len(s.statements)-1].Rows = true
			s.pos = min(line+i+len(terminator), len(s.sql))
			s.start = s.pos
			return true
		}
	}
	return false
}

// lines counts the lines of a text, for offsets that never go back.
type lines struct {
	sql     string
	counted int
	line    int
}

func (l *lines) at(offset int) int {
	l.line += strings.Count(l.sql[l.counted:offset], "\n")
	l.counted = offset
	return l.line
}
