package rewrite

// The parser takes exponential time on some nestings and can exhaust the stack
// on others. These limits lie far above what people write: in a corpus of
// 50,640 statements no text was nested deeper than 13 or had a product over 5.
const (
	maxLength  = 1 << 20
	maxDepth   = 100
	maxProduct = 64
	maxRun     = 100
	maxJoins   = 1000
)

// guard tells, by tokens, why a text must not be parsed; "" when it may.
func guard(sql string, tokens []token) string {
	if len(sql) > maxLength {
		return "it is longer than 1 MiB"
	}
	// products[d] is the product, over the runs of opening parentheses before
	// a query that enclose depth d, of their lengths.
	var products [maxDepth + 1]int
	products[0] = 1
	depth, opened, prefixes, cases, joins, joined := 0, 0, 0, 0, 0, 0
	for i, t := range tokens {
		switch t.kind {
		case '(', '[':
			if depth++; depth > maxDepth {
				return "it is nested too deeply"
			}
			products[depth] = products[depth-1]
			if opened++; t.kind == '[' {
				opened = 0
			}
			prefixes = 0
			continue
		case ')', ']':
			depth = max(depth-1, 0)
			prefixes = 0
		case ';':
			depth, cases, joins, joined, prefixes = 0, 0, 0, 0, 0
		case kindOp:
			prefixes++
		case kindWord:
			switch {
			case isWord(sql, t, "not"):
				prefixes++
			case isWord(sql, t, "case"):
				prefixes = 0
				cases++
			case isWord(sql, t, "end"):
				prefixes = 0
				cases = max(cases-1, 0)
			case isWord(sql, t, "join"):
				joins++
				joined++
			case isWord(sql, t, "on"), isWord(sql, t, "using"):
				joins = max(joins-1, 0)
			default:
				prefixes = 0
				if opened > 1 && startsQuery(sql, tokens[i]) {
					if products[depth] *= opened; products[depth] > maxProduct {
						return "its parentheses are nested too deeply before sub-queries"
					}
				}
			}
		case kindBad:
			return "it cannot be split into tokens"
		default:
			prefixes = 0
		}
		opened = 0
		if prefixes > maxRun || cases > maxDepth || joins > maxRun {
			return "it is nested too deeply"
		}
		if joined > maxJoins {
			return "it joins too many tables"
		}
	}
	return ""
}

// startsQuery tells whether a query can begin with the token.
func startsQuery(sql string, t token) bool {
	return isWord(sql, t, "select") || isWord(sql, t, "with") || isWord(sql, t, "values") || isWord(sql, t, "table")
}
