package rewrite

import "strings"

// runners are functions that run or describe SQL given in a string: what such
// a string says about a table in transition cannot be rewritten.
var runners = []string{
	"query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema",
	"table_to_xml", "table_to_xmlschema", "table_to_xml_and_xmlschema",
	"ts_stat", "ts_rewrite", "dblink", "dblink_exec", "crosstab", "connectby", "xpath_table",
}

// stringRunners looks for a string with the name of something tracked that is
// handed to one of the functions.
func (w *walker) stringRunners(first, last int) {
	known := w.mentionedInString(first, last)
	if known == nil {
		return
	}
	for i := first; i < last; i++ {
		if runsString(w.sql, w.tokens, i) {
			w.opaqueText(int(w.tokens[i].start), "Write the query as a statement of its own.",
				"%s is given a string that mentions %v", w.sql[w.tokens[i].start:w.tokens[i].end], known)
			return
		}
	}
}

func runsString(sql string, tokens []token, i int) bool {
	if !tokens[i].isIdent() || i+1 == len(tokens) || tokens[i+1].kind != '(' {
		return false
	}
	for _, name := range runners {
		if identEquals(sql, tokens, i, name) {
			return true
		}
	}
	return false
}

// runsStrings tells whether the text has a command or function that runs or
// stores what stands in strings.
func runsStrings(sql string, tokens []token) bool {
	for i, t := range tokens {
		if isStatementStart(tokens, i) && (isWord(sql, t, "do") || isWord(sql, t, "create")) || runsString(sql, tokens, i) {
			return true
		}
	}
	return false
}

// mentionedIn is the tracked relation that SQL in a string or body may name, or
// nil. What is spelled in escapes can be any of them.
func (r *Rewriter) mentionedIn(text string) tracked {
	for _, known := range r.tracked {
		if mentions(text, known.called().Name) {
			return known
		}
	}
	if len(r.tracked) > 0 && spelled(text) {
		return r.tracked[0]
	}
	return nil
}

// mentions tells whether the name stands in the text as a word of its own, in
// any case. Quotes in the name are doubled once for every string around it, so
// neither they nor the word's borders count then.
func mentions(text, name string) bool {
	name = foldASCII(name)
	if strings.ContainsAny(name, quotes) {
		return strings.Contains(foldASCII(unquoted.Replace(text)), unquoted.Replace(name))
	}
	first := name[0]
	for i := 0; i+len(name) <= len(text); i++ {
		if lower(text[i]) != first || !equalFold(text[i:i+len(name)], name) {
			continue
		}
		end := i + len(name)
		if (i == 0 || !isIdentPart(text[i-1])) && (end == len(text) || !isIdentPart(text[end])) {
			return true
		}
	}
	return false
}

// quotes are what must be doubled somewhere.
const quotes = `"'\`

var unquoted = strings.NewReplacer(`"`, "", `'`, "", `\`, "")

// spelled tells whether the text may have a name, or a string, that is written in
// escapes: U&"..." or E'\x75'.
func spelled(text string) bool { return hasUnicodeEscape(text) || hasEscape(text) }

// hasEscape looks for E' and, behind it, a backslash that can spell a letter.
func hasEscape(text string) bool {
	i := strings.IndexByte(text, '\\')
	for ; i >= 0 && i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if next := text[i+1]; strings.IndexByte("xuU01234567", next) >= 0 {
			return strings.Contains(text[:i], "e'") || strings.Contains(text[:i], "E'")
		} else if next == '\\' {
			i++ // a backslash that stands for itself
		}
	}
	return false
}

// searchable is a name as the pre-scan looks for it: folded, and of one with quotes
// the longest part without, as it depends on the strings around how often they
// are doubled.
func searchable(name string) string {
	longest := ""
	for _, part := range strings.FieldsFunc(foldASCII(name), func(r rune) bool { return strings.ContainsRune(quotes, r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}
