package rewrite

import "strings"

// quoting is how a string constant can contain a quote.
type quoting uint8

const (
	plain   quoting = iota // doubled
	escaped                // doubled, or behind a backslash
	bits                   // not at all
)

// scanString scans from behind the opening quote. A constant goes on behind
// white space that contains a line break, if another quote follows.
func scanString(sql string, i int, q quoting) (int, kind) {
	for i < len(sql) {
		switch {
		case sql[i] == '\\' && q == escaped:
			i += 2
		case sql[i] != '\'':
			i++
		case i+1 < len(sql) && sql[i+1] == '\'' && q != bits:
			i += 2
		default:
			next, ok := continued(sql, i+1)
			if !ok {
				return i + 1, kindString
			}
			i = next
		}
	}
	return len(sql), kindBad
}

// continued finds the inside of the next segment of a string constant.
func continued(sql string, i int) (int, bool) {
	newline := false
	for i < len(sql) {
		switch c := sql[i]; {
		case c == '\n' || c == '\r':
			newline = true
			i++
		case classes[c] == classSpace:
			i++
		case newline && strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
		default:
			return i + 1, newline && c == '\''
		}
	}
	return i, false
}

func scanQuoted(sql string, i int, k kind) (int, kind) {
	for i < len(sql) {
		switch {
		case sql[i] != '"':
			i++
		case i+1 < len(sql) && sql[i+1] == '"':
			i += 2
		default:
			return i + 1, k
		}
	}
	return i, kindBad
}

// scanDollar scans a parameter or a dollar-quoted string.
func scanDollar(sql string, i int) (int, kind) {
	start := i
	i++
	if i < len(sql) && isDigit(sql[i]) {
		for i < len(sql) && isDigit(sql[i]) {
			i++
		}
		return i, kindParam
	}
	for i < len(sql) && sql[i] != '$' && isIdentPart(sql[i]) && (i > start+1 || isIdentStart(sql[i])) {
		i++
	}
	if i == len(sql) || sql[i] != '$' {
		return start + 1, kindBad
	}
	i++
	end := strings.Index(sql[i:], sql[start:i])
	if end < 0 {
		return len(sql), kindBad
	}
	return i + end + i - start, kindString
}

// scanNumber scans a numeric constant: decimal, hexadecimal, octal or binary,
// with underscores between digits.
func scanNumber(sql string, i int) int {
	if sql[i] == '0' && i+2 < len(sql) && strings.IndexByte("xXoObB", sql[i+1]) >= 0 {
		if end := skipDigits(sql, i+2, isBaseDigit(sql[i+1])); end > i+2 {
			return end
		}
	}
	i = skipDigits(sql, i, isDigit)
	if i < len(sql) && sql[i] == '.' && !strings.HasPrefix(sql[i:], "..") {
		i = skipDigits(sql, i+1, isDigit)
	}
	if i < len(sql) && sql[i]|0x20 == 'e' {
		j := i + 1
		if j < len(sql) && (sql[j] == '+' || sql[j] == '-') {
			j++
		}
		if j < len(sql) && isDigit(sql[j]) {
			i = skipDigits(sql, j, isDigit)
		}
	}
	return i
}

func isBaseDigit(base byte) func(byte) bool {
	switch base | 0x20 {
	case 'x':
		return func(c byte) bool { return isDigit(c) || (c|0x20)-'a' < 6 }
	case 'o':
		return func(c byte) bool { return c-'0' < 8 }
	default:
		return func(c byte) bool { return c-'0' < 2 }
	}
}

func skipDigits(sql string, i int, is func(byte) bool) int {
	for i < len(sql) && (is(sql[i]) || sql[i] == '_' && i+1 < len(sql) && is(sql[i+1])) {
		i++
	}
	return i
}
