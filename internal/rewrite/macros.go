package rewrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ExpandMacros replaces what a query in a file says for its parameters by
// numbered parameters: @name, as sqlc and pgx's NamedArgs have it, and sqlc's
// sqlc.arg(name), sqlc.narg(name) and sqlc.slice(name). sqlc.embed(t) becomes
// t.*. So it does to PostgreSQL's operator @ where a name follows at once. Lines
// stay where they are.
func ExpandMacros(sql string) string {
	m := macros{sql: sql, tokens: scan(sql, nil), numbers: map[string]int{}}
	for _, t := range m.tokens {
		if t.kind == kindParam {
			n, _ := strconv.Atoi(sql[t.start+1 : t.end])
			m.last = max(m.last, n)
		}
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(m.tokens); i++ {
		text, n := m.at(i)
		if n == 0 {
			continue
		}
		b.WriteString(sql[done:m.tokens[i].start])
		b.WriteString(text)
		i += n - 1
		done = int(m.tokens[i].end)
	}
	b.WriteString(sql[done:])
	return b.String()
}

// beforeAt are the operators that may stand close before a parameter. PostgreSQL
// takes them and the @ for one operator, which it does not have; it has <@ and @@.
var beforeAt = []string{"", "=", "<>", "!=", "<=", ">=", ">", "||", "+", "-", "*", "/", "%"}

type macros struct {
	sql     string
	tokens  []token
	numbers map[string]int
	last    int
}

// at gives the replacement of the macro that begins at token i, and of how many
// tokens it consists; 0 when there is none.
func (m *macros) at(i int) (text string, n int) {
	t := m.tokens[i]
	if operator, ok := strings.CutSuffix(m.text(i), "@"); ok && t.kind == kindOp && slices.Contains(beforeAt, operator) &&
		i+1 < len(m.tokens) && m.tokens[i+1].isIdent() && m.tokens[i+1].start == t.end {
		return operator + m.parameter(m.text(i+1)), 2
	}
	if !isWord(m.sql, t, "sqlc") || i+5 >= len(m.tokens) || m.tokens[i+1].kind != '.' ||
		m.tokens[i+3].kind != '(' || m.tokens[i+5].kind != ')' {
		return "", 0
	}
	argument := strings.Trim(m.text(i+4), `'`)
	switch foldASCII(m.text(i + 2)) {
	case "arg", "narg", "slice":
		return m.parameter(argument), 6
	case "embed":
		return argument + ".*", 6
	}
	return "", 0
}

func (m *macros) text(i int) string { return m.sql[m.tokens[i].start:m.tokens[i].end] }

// parameter numbers the names in the order of their first mention.
func (m *macros) parameter(name string) string {
	n, known := m.numbers[name]
	if !known {
		m.last++
		n = m.last
		m.numbers[name] = n
	}
	return fmt.Sprintf("$%d", n)
}
