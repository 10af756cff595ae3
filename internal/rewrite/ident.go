package rewrite

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxIdent is NAMEDATALEN - 1: longer identifiers are cut.
const maxIdent = 63

// quote writes a name as SQL, in quotes only where it needs them.
func quote(name string) string {
	if isPlain(name) && !keywords[name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func isPlain(name string) bool {
	if name == "" || isDigit(name[0]) || name[0] == '$' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isIdentPart(c) || c >= 0x80 || c-'A' < 26 {
			return false
		}
	}
	return true
}

// quoteAll writes names as a list, each with the prefix.
func quoteAll(prefix string, names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(prefix)
		b.WriteString(quote(name))
	}
	return b.String()
}

// isIdent tells whether a token can be a name.
func (t token) isIdent() bool {
	return t.kind == kindWord || t.kind == kindQuoted || t.kind == kindUnicodeQuoted
}

// identEquals tells whether the token at i is an identifier that PostgreSQL
// would store as name. For what needs no decoding it does not allocate.
func identEquals(sql string, tokens []token, i int, name string) bool {
	t := tokens[i]
	switch t.kind {
	case kindWord:
		text := sql[t.start:t.end]
		if len(text) > maxIdent {
			text = truncate(text)
		}
		return equalFold(text, name)
	case kindQuoted:
		text := sql[t.start+1 : t.end-1]
		if len(text) <= maxIdent && strings.IndexByte(text, '"') < 0 {
			return text == name
		}
		return decodeIdent(sql, tokens, i) == name
	case kindUnicodeQuoted:
		return decodeIdent(sql, tokens, i) == name
	}
	return false
}

// decodeIdent is the name that PostgreSQL would store for the identifier at i.
func decodeIdent(sql string, tokens []token, i int) string {
	t := tokens[i]
	text := sql[t.start:t.end]
	switch t.kind {
	case kindWord:
		text = foldASCII(text)
	case kindQuoted:
		text = strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	case kindUnicodeQuoted:
		text = strings.ReplaceAll(text[3:len(text)-1], `""`, `"`)
		text = decodeUnicode(text, escapeCharacter(sql, tokens, i))
	}
	return truncate(text)
}

// escapeCharacter is the one that UESCAPE behind the token at i names.
func escapeCharacter(sql string, tokens []token, i int) byte {
	if i+2 < len(tokens) && isWord(sql, tokens[i+1], "uescape") {
		if s := tokens[i+2]; s.kind == kindString && s.end-s.start == 3 {
			return sql[s.start+1]
		}
	}
	return '\\'
}

// decodeUnicode decodes U&"..." escapes. Text that PostgreSQL would reject is
// taken as it stands.
func decodeUnicode(text string, escape byte) string {
	if strings.IndexByte(text, escape) < 0 {
		return text
	}
	var b strings.Builder
	var surrogate rune
	for i := 0; i < len(text); {
		if text[i] != escape {
			b.WriteByte(text[i])
			i++
			continue
		}
		if i+1 < len(text) && text[i+1] == escape {
			b.WriteByte(escape)
			i += 2
			continue
		}
		from, digits := i+1, 4
		if from < len(text) && text[from] == '+' {
			from, digits = from+1, 6
		}
		if from+digits > len(text) {
			return text
		}
		n, err := strconv.ParseUint(text[from:from+digits], 16, 32)
		if err != nil {
			return text
		}
		i = from + digits
		switch r := rune(n); {
		case r >= 0xd800 && r < 0xdc00:
			surrogate = r
		case r >= 0xdc00 && r < 0xe000:
			b.WriteRune(0x10000 + (surrogate-0xd800)<<10 + r - 0xdc00)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// truncate cuts a name to what PostgreSQL stores, at a character's border.
func truncate(name string) string {
	if len(name) <= maxIdent {
		return name
	}
	end := maxIdent
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

func isWord(sql string, t token, word string) bool {
	return t.kind == kindWord && int(t.end-t.start) == len(word) && equalFold(sql[t.start:t.end], word)
}

// equalFold tells whether text, with its ASCII capitals folded, is name.
func equalFold(text, name string) bool {
	if len(text) != len(name) {
		return false
	}
	for i := range len(text) {
		if lower(text[i]) != name[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c-'A' < 26 {
		return c + 'a' - 'A'
	}
	return c
}

func foldASCII(text string) string {
	for i := range len(text) {
		if text[i]-'A' < 26 {
			b := []byte(text)
			for j := i; j < len(b); j++ {
				b[j] = lower(b[j])
			}
			return string(b)
		}
	}
	return text
}
