package rewrite

import "strings"

// sessionNames are the functions that drop a session's locks or change its
// search_path, and the view that changes settings when it is updated.
var sessionNames = []string{"set_config", "pg_advisory_unlock_all", "pg_settings"}

// sessionCommands are the words that begin the commands which do so.
var sessionCommands = []string{"set", "reset", "discard", "deallocate", "do"}

// beginsSession tells whether one of the commands may begin the text, or follow
// a semicolon in it.
func beginsSession(sql string) bool {
	_, found := begins(sql, sessionCommands)
	return found
}

// endings are the words that begin the commands which end a transaction, or a
// part of it. PREPARE is for PREPARE TRANSACTION.
var endings = []string{"commit", "rollback", "end", "abort", "prepare"}

// EndsTransaction tells whether the text may end a transaction or go back to a
// savepoint, and whether it goes on after that. Semicolons in strings and the
// like count, too.
func EndsTransaction(sql string) (ends, goesOn bool) {
	rest, ends := begins(sql, endings)
	_, rest, more := strings.Cut(rest, ";")
	return ends, more && skipBlank(rest) != ""
}

// begins tells whether one of the words may begin the text, or follow a
// semicolon in it, and returns the text from there on. A semicolon may stand in a string, where what looks like a
// comment is none: the tokens tell.
func begins(sql string, words []string) (rest string, found bool) {
	for sql = skipBlank(sql); ; {
		if beginsWith(sql, words) {
			return sql, true
		}
		semicolon := strings.IndexByte(sql, ';')
		if semicolon < 0 {
			return "", false
		}
		sql = sql[semicolon+1:]
		for len(sql) > 0 && classes[sql[0]] == classSpace {
			sql = sql[1:]
		}
		if strings.HasPrefix(sql, "--") || strings.HasPrefix(sql, "/*") {
			return sql, true
		}
	}
}

func beginsWith(sql string, words []string) bool {
	for _, word := range words {
		n := len(word)
		if len(sql) >= n && lower(sql[0]) == word[0] && equalFold(sql[:n], word) &&
			(len(sql) == n || classes[sql[n]] != classWord) {
			return true
		}
	}
	return false
}

// skipBlank cuts white space and comments off the front.
func skipBlank(sql string) string {
	for i := 0; ; {
		switch {
		case i < len(sql) && classes[sql[i]] == classSpace:
			i++
		case strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
		case strings.HasPrefix(sql[i:], "/*"):
			i, _ = skipComment(sql, i)
		default:
			return sql[i:]
		}
	}
}

// session tells what a text does to its session, by its tokens alone: such
// texts need not mention a table, and most of them are not worth parsing.
func session(sql string, tokens []token) (resets, movesPath bool) {
	updates := false
	for i := range tokens {
		updates = updates || isWord(sql, tokens[i], "update")
		if updates && tokens[i].isIdent() && identEquals(sql, tokens, i, "pg_settings") {
			movesPath = true
		}
		if isStatementStart(tokens, i) {
			r, m := sessionCommand(sql, tokens[i:])
			resets, movesPath = resets || r, movesPath || m
		}
		if i+1 < len(tokens) && tokens[i+1].kind == '(' && tokens[i].isIdent() {
			switch {
			case identEquals(sql, tokens, i, "pg_advisory_unlock_all"):
				resets = true
			case identEquals(sql, tokens, i, "set_config"):
				movesPath = movesPath || configMovesPath(sql, tokens[i+2:])
			}
		}
	}
	return resets, movesPath
}

func isStatementStart(tokens []token, i int) bool { return i == 0 || tokens[i-1].kind == ';' }

func sessionCommand(sql string, tokens []token) (resets, movesPath bool) {
	word := func(i int, word string) bool { return i < len(tokens) && isWord(sql, tokens[i], word) }
	name := func(i int, name string) bool { return i < len(tokens) && identEquals(sql, tokens, i, name) }
	switch {
	case word(0, "discard"):
		return word(1, "all"), word(1, "all")
	case word(0, "deallocate"):
		return word(1, "all") || word(1, "prepare") && word(2, "all"), false
	case word(0, "set"), word(0, "reset"):
		i := 1
		if word(1, "local") || word(1, "session") && !word(2, "authorization") {
			i = 2
		}
		return false, name(i, "search_path") || word(i, "schema") || word(i, "role") || word(i, "all") ||
			name(i, "session_authorization") || word(i, "session") && word(i+1, "authorization")
	case word(0, "do"):
		// What a block does is in a string; a mention is taken for the deed.
		for i := 1; i < len(tokens) && tokens[i].kind != ';'; i++ {
			if tokens[i].kind == kindString {
				body := foldASCII(sql[tokens[i].start:tokens[i].end])
				resets = resets || strings.Contains(body, "pg_advisory_unlock_all") || strings.Contains(body, "discard")
				movesPath = movesPath || strings.Contains(body, "search_path") || strings.Contains(body, "set_config")
			}
		}
	}
	return resets, movesPath
}

// configMovesPath looks at the first argument of set_config.
func configMovesPath(sql string, args []token) bool {
	if len(args) < 2 || args[0].kind != kindString || args[1].kind != ',' {
		return true
	}
	switch foldASCII(sql[args[0].start:args[0].end]) {
	case "'search_path'", "'role'", "'session_authorization'":
		return true
	}
	// An escape could spell the name in another way.
	return sql[args[0].start] != '\''
}
