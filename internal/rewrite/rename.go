package rewrite

import (
	"errors"
	"fmt"
	"strings"
)

// RenameColumn replaces a column's name in the text of an index definition, as
// pg_get_indexdef gives it. What bears the name but is no column stays: the
// index, the table, functions, operator classes, collations and types.
func RenameColumn(def, from, to string) (string, error) {
	out, err := replaceColumn(def, from, quote(to), quote(to))
	if err != nil {
		return "", fmt.Errorf("rename column: %w", err)
	}
	return out, nil
}

// SubstituteColumn puts an expression where a column stands in the text of an
// index definition. The expression brings the parentheses that an index wants.
// In INCLUDE, which takes columns only, those that the expression reads stand
// in for it.
func SubstituteColumn(def, from, expression string, columns []string) (string, error) {
	included := make([]string, len(columns))
	for i, c := range columns {
		included[i] = quote(c)
	}
	out, err := replaceColumn(def, from, expression, strings.Join(included, ", "))
	if err != nil {
		return "", fmt.Errorf("substitute column: %w", err)
	}
	return out, nil
}

func replaceColumn(def, from, to, included string) (string, error) {
	tokens := scan(def, nil)
	start := -1
	for i, t := range tokens {
		if isWord(def, t, "using") {
			start = i + 2 // behind the access method
			break
		}
	}
	if start < 0 {
		return "", errors.New("the definition of an index has no USING")
	}
	var changes edits
	including, depth := false, 0
	for i := start; i < len(tokens); i++ {
		switch kind := tokens[i].kind; {
		case kind == '(':
			depth++
			including = including || depth == 1 && isWord(def, tokens[i-1], "include")
		case kind == ')':
			depth--
			including = including && depth > 0
		case identEquals(def, tokens, i, from) && namesColumn(def, tokens, i):
			replacement := to
			if including {
				replacement = included
			}
			changes.replace(int(tokens[i].start), int(tokens[i].end), replacement)
		}
	}
	out, _ := changes.apply(def)
	tree, err := oliphant{}.parse(out)
	if err != nil {
		return "", fmt.Errorf("parse result: %w", err)
	}
	if len(tree.Stmts) != 1 || tree.Stmts[0].Stmt.GetIndexStmt() == nil {
		return "", errors.New("the text is not the definition of an index")
	}
	return out, nil
}

// namesColumn tells whether the identifier at i of an index definition can be
// a column.
func namesColumn(sql string, tokens []token, i int) bool {
	if i+1 < len(tokens) && tokens[i+1].kind == '(' && !isWord(sql, tokens[i-1], "include") {
		return false // a function, or an operator class with options
	}
	switch before := tokens[i-1]; before.kind {
	case '.':
		return false
	case kindOp:
		return sql[before.start:before.end] != "::"
	case kindWord:
		if isWord(sql, before, "collate") {
			return false
		}
		// A word behind another one is an operator class, or part of a type's
		// name, unless the first one is an operator.
		return takesOperand[foldASCII(sql[before.start:before.end])]
	case kindQuoted, ')':
		return false
	}
	return true
}

// takesOperand are the words behind which an operand can follow.
var takesOperand = wordSet("and or not where case when then else from in like ilike similar to between is distinct any all array for symmetric")
