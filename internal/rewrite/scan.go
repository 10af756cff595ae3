package rewrite

import "strings"

// kind is the kind of a token. Punctuation that stands alone is its own byte.
type kind uint8

const (
	kindWord          kind = iota + 1 // an unquoted identifier or keyword
	kindQuoted                        // "identifier"
	kindUnicodeQuoted                 // U&"identifier"
	kindString                        // any string or bit-string constant, dollar quotes too
	kindNumber
	kindParam // $1
	kindOp    // an operator, also ::, :=, .. and =>
	kindBad   // what PostgreSQL's scanner would reject
)

// token is the bytes [start, end) of a text. Comments and white space are not
// tokens.
type token struct {
	start, end int32
	kind       kind
}

// scan splits a text into tokens the way PostgreSQL's scanner does with
// standard_conforming_strings on, and appends them to tokens.
func scan(sql string, tokens []token) []token {
	for i := 0; i < len(sql); {
		start := i
		k := classes[sql[i]]
		switch k {
		case classSpace:
			i++
			continue
		case classWord:
			var got kind
			i, got = scanWord(sql, i)
			tokens = append(tokens, token{int32(start), int32(i), got})
			continue
		case classSingle:
			i++
			tokens = append(tokens, token{int32(start), int32(i), kind(sql[start])})
			continue
		}
		got := kindBad
		switch c := sql[i]; {
		case c == '\'':
			i, got = scanString(sql, i+1, plain)
		case c == '"':
			i, got = scanQuoted(sql, i+1, kindQuoted)
		case c == '$':
			i, got = scanDollar(sql, i)
		case isDigit(c) || c == '.' && i+1 < len(sql) && isDigit(sql[i+1]):
			i, got = scanNumber(sql, i), kindNumber
		case c == '.':
			i, got = i+1, '.'
			if i < len(sql) && sql[i] == '.' {
				i, got = i+1, kindOp
			}
		case c == ':':
			i, got = i+1, ':'
			if i < len(sql) && (sql[i] == ':' || sql[i] == '=') {
				i, got = i+1, kindOp
			}
		case c == '-' && strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
			continue
		case c == '/' && strings.HasPrefix(sql[i:], "/*"):
			end, ok := skipComment(sql, i)
			if i = end; ok {
				continue
			}
		case k == classOp:
			i, got = scanOperator(sql, i), kindOp
		default:
			i++
		}
		tokens = append(tokens, token{int32(start), int32(i), got})
	}
	return tokens
}

type class uint8

const (
	classOther class = iota
	classSpace
	classWord
	classSingle
	classOp
)

var classes = func() (table [256]class) {
	for c := range 256 {
		b := byte(c)
		switch {
		case strings.IndexByte(" \t\n\r\f\v", b) >= 0:
			table[c] = classSpace
		case isIdentStart(b):
			table[c] = classWord
		case strings.IndexByte("(),;[]", b) >= 0:
			table[c] = classSingle
		case strings.IndexByte("~!@#^&|`?+-*/%<>=", b) >= 0:
			table[c] = classOp
		}
	}
	return table
}()

func isDigit(c byte) bool { return c-'0' < 10 }

func isIdentStart(c byte) bool { return (c|0x20)-'a' < 26 || c == '_' || c >= 0x80 }

func isIdentPart(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }

// scanWord scans an identifier, or one of the constants that begin like one.
func scanWord(sql string, i int) (int, kind) {
	if i+1 < len(sql) {
		switch next := sql[i+1]; sql[i] {
		case 'e', 'E':
			if next == '\'' {
				return scanString(sql, i+2, escaped)
			}
		case 'b', 'B', 'x', 'X':
			if next == '\'' {
				return scanString(sql, i+2, bits)
			}
		case 'u', 'U':
			if next == '&' && i+2 < len(sql) {
				switch sql[i+2] {
				case '\'':
					return scanString(sql, i+3, plain)
				case '"':
					return scanQuoted(sql, i+3, kindUnicodeQuoted)
				}
			}
		}
	}
	for i++; i < len(sql) && isIdentPart(sql[i]); i++ {
	}
	return i, kindWord
}

// scanOperator takes the longest operator, as PostgreSQL does: it ends before
// a comment, and gives up trailing + and - unless one of the characters that
// SQL's own operators don't use is in it.
func scanOperator(sql string, i int) int {
	start := i
	unusual := false
	for i < len(sql) && classes[sql[i]] == classOp {
		if strings.HasPrefix(sql[i:], "--") || strings.HasPrefix(sql[i:], "/*") {
			break
		}
		unusual = unusual || strings.IndexByte("~!@#^&|`?%", sql[i]) >= 0
		i++
	}
	for !unusual && i > start+1 && (sql[i-1] == '+' || sql[i-1] == '-') {
		i--
	}
	return i
}

func skipLine(sql string, i int) int {
	if end := strings.IndexAny(sql[i:], "\n\r"); end >= 0 {
		return i + end
	}
	return len(sql)
}

// skipComment skips a block comment, which may contain others.
func skipComment(sql string, i int) (end int, ok bool) {
	for depth := 0; i+1 < len(sql); {
		switch {
		case sql[i] == '/' && sql[i+1] == '*':
			depth++
			i += 2
		case sql[i] == '*' && sql[i+1] == '/':
			i += 2
			if depth--; depth == 0 {
				return i, true
			}
		default:
			i++
		}
	}
	return len(sql), false
}
