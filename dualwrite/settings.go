package dualwrite

import (
	"bytes"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// What a text means also depends on settings of the session. The server reports
// these with ParameterStatus, at the end of the query that changed them: what
// is sent before the report has come is read by the setting before.

// readable tells whether the rewriter reads a text of that client_encoding as
// the server does. In others, a byte behind a letter can look like a backslash
// or a letter, and what the hook reads from the catalog is not UTF-8.
func readable(encoding string) bool {
	return encoding == "UTF8" || encoding == "SQL_ASCII"
}

// reported takes note of a ParameterStatus.
func (c *conn) reported(body []byte) {
	name, rest := cString(body)
	value, _ := cString(rest)
	switch string(name) {
	case "standard_conforming_strings":
		c.backslashes = string(value) == "off"
	case "application_name":
		c.application = string(value)
	case "client_encoding":
		c.foreign = !readable(string(value))
	case "search_path": // since PostgreSQL 18: by a function, or a rollback
		c.movePath()
		c.unsettled = c.pathInTx
	case "in_hot_standby": // since PostgreSQL 14
		if c.standby && string(value) == "off" {
			c.mark("the standby has been promoted")
		}
	}
}

// unclear returns the refusal of a text that the server may understand in
// another way than the rewriter, or nil. pathMoved: search_path may be another
// one than at some time before.
func (c *conn) unclear(text []byte, pathMoved bool) *rewrite.Refusal {
	if len(c.tokens) == 0 || !c.backslashes && !c.foreign && !pathMoved {
		return nil
	}
	switch {
	case c.backslashes && bytes.IndexByte(text, '\\') >= 0:
		return &rewrite.Refusal{
			Message: "crossfade: the text contains a backslash while standard_conforming_strings is off",
			Hint:    "Set standard_conforming_strings to on, or use a parameter.",
			Offset:  bytes.IndexByte(text, '\\'), Illegible: true,
		}
	case c.foreign && bytes.IndexFunc(text, notASCII) >= 0:
		return &rewrite.Refusal{
			Message: "crossfade: the text is not ASCII while client_encoding is not UTF8",
			Hint:    "Set client_encoding to UTF8.",
			Offset:  bytes.IndexFunc(text, notASCII), Illegible: true,
		}
	}
	if !pathMoved {
		return nil
	}
	if i := indexExecute(text); i >= 0 {
		return &rewrite.Refusal{
			Message: "crossfade cannot tell what EXECUTE does: search_path has changed on this connection, perhaps since the PREPARE",
			Hint:    "Use the driver's prepared statements, or set search_path in the connection string.",
			Offset:  i,
		}
	}
	return nil
}

func notASCII(r rune) bool { return r > 0x7f }

// indexExecute finds EXECUTE before a space or a quote, wherever it stands; or
// returns -1. EXECUTE FUNCTION and EXECUTE ON belong to other commands.
func indexExecute(text []byte) int {
	const word = "execute"
	for i := 0; i+len(word) < len(text); i++ {
		if text[i]|0x20 != word[0] || !bytes.EqualFold(text[i:i+len(word)], []byte(word)) || i > 0 && isName(text[i-1]) {
			continue
		}
		rest := text[i+len(word):]
		next := strings.ToLower(string(bytes.TrimSpace(rest[:min(len(rest), 40)])))
		if isName(rest[0]) || strings.HasPrefix(next, "function ") || strings.HasPrefix(next, "procedure ") || strings.HasPrefix(next, "on ") {
			continue
		}
		return i
	}
	return -1
}

// isName tells whether the byte can be inside a word.
func isName(b byte) bool {
	return b == '_' || b == '$' || b >= 0x80 || b-'0' < 10 || (b|0x20)-'a' < 26
}
