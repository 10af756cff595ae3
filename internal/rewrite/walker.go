package rewrite

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// walker rewrites one text: it walks the parse tree for what things mean, and
// the tokens for where they stand.
type walker struct {
	r      *Rewriter
	sql    string
	tokens []token
	edits  edits
	// pathUnknown: the search_path is not, or not any more, the catalog's.
	pathUnknown bool
	// tokenName is the name of the WITH query that names tokens.
	tokenName string

	// Of the top-level statement at hand: the parse tree, the tables whose
	// phase it depends on, and WITH queries to put beside the token.
	top   *pg.Node
	used  []*table
	extra []string

	// renamed are the references whose column got another name.
	renamed []*pg.ColumnRef
	refusal *Refusal
}

// use notes that the statement depends on the phase of t.
func (w *walker) use(t *table) {
	if !slices.Contains(w.used, t) {
		w.used = append(w.used, t)
	}
}

// topLevel rewrites one statement of the text.
func (w *walker) topLevel(raw *pg.RawStmt) {
	first := sort.Search(len(w.tokens), func(i int) bool { return w.tokens[i].start >= raw.StmtLocation })
	end := int32(len(w.sql))
	if raw.StmtLen > 0 {
		end = raw.StmtLocation + raw.StmtLen
	}
	last := sort.Search(len(w.tokens), func(i int) bool { return w.tokens[i].start >= end })
	w.utility(raw.Stmt, first, last)
}

// rooted rewrites the statement that begins at token first, and ties it to the
// phases that it depends on: each phase has a table, and a statement that
// names it in a WITH query can run only while it exists.
func (w *walker) rooted(n *pg.Node, first int) {
	w.top, w.used, w.extra = n, nil, nil
	with := w.statement(n)
	if w.refusal != nil || len(w.used) == 0 {
		return
	}
	if w.tokenName == "" {
		w.tokenName = w.fresh("_crossfade")
	}
	queries := []string{w.tokenName + " AS (SELECT FROM " + w.phases() + ")"}
	if with == nil {
		queries = append(queries, w.extra...)
		w.edits.insertBefore(int(w.tokens[first].start), "WITH "+strings.Join(queries, ", ")+" ")
		return
	}
	i := w.at(int(with.Location))
	if with.Recursive {
		i++
	}
	w.edits.insert(int(w.tokens[i].end), " "+queries[0]+",")
}

// phases are the tokens of the phases in use.
func (w *walker) phases() string {
	names := make([]string, len(w.used))
	for i, t := range w.used {
		names[i] = "crossfade." + quote(t.Token)
	}
	return strings.Join(names, ", ")
}

// statement rewrites a statement that can stand at the top level or in WITH,
// and returns the WITH clause that belongs to the whole of it.
func (w *walker) statement(n *pg.Node) *pg.WithClause {
	w.query(n, nil, nil)
	switch n := n.Node.(type) {
	case *pg.Node_SelectStmt:
		return n.SelectStmt.WithClause
	case *pg.Node_InsertStmt:
		return n.InsertStmt.WithClause
	case *pg.Node_UpdateStmt:
		return n.UpdateStmt.WithClause
	case *pg.Node_DeleteStmt:
		return n.DeleteStmt.WithClause
	case *pg.Node_MergeStmt:
		return n.MergeStmt.WithClause
	}
	return nil
}

// query walks a query or data-modifying statement and returns its columns.
func (w *walker) query(n *pg.Node, outer *scope, env *ctes) columns {
	switch n := n.GetNode().(type) {
	case *pg.Node_SelectStmt:
		return w.selectStmt(n.SelectStmt, outer, env)
	case *pg.Node_InsertStmt:
		return w.insertStmt(n.InsertStmt, env)
	case *pg.Node_UpdateStmt:
		return w.updateStmt(n.UpdateStmt, env)
	case *pg.Node_DeleteStmt:
		return w.deleteStmt(n.DeleteStmt, env)
	case *pg.Node_MergeStmt:
		return w.mergeStmt(n.MergeStmt, env)
	}
	w.refuse(-1, hintUnhooked, "a statement of a kind that is not supported mentions a table in transition")
	return columns{unknown: true}
}

// with walks the queries of a WITH clause and returns what the statement sees.
func (w *walker) with(clause *pg.WithClause, outer *scope, env *ctes) *ctes {
	if clause == nil {
		return env
	}
	if clause.Recursive {
		// Every query of the list sees every other, and itself: until they
		// have been walked only their alias lists are known.
		list := make([]*ctes, len(clause.Ctes))
		for i, n := range clause.Ctes {
			c := n.GetCommonTableExpr()
			env = &ctes{parent: env, name: c.Ctename, columns: columns{unknown: true}.renamed(stringsOf(c.Aliascolnames))}
			list[i] = env
		}
		for i, n := range clause.Ctes {
			c := n.GetCommonTableExpr()
			if s := c.Ctequery.GetSelectStmt(); s != nil && s.Op != pg.SetOperation_SETOP_NONE {
				list[i].columns = w.recursive(c, list[i], outer, env)
				continue
			}
			list[i].columns = cteColumns(c, w.query(c.Ctequery, outer, env))
		}
		return env
	}
	for _, n := range clause.Ctes {
		c := n.GetCommonTableExpr()
		env = &ctes{parent: env, name: c.Ctename, columns: cteColumns(c, w.query(c.Ctequery, outer, env))}
	}
	return env
}

// recursive walks a set operation in WITH RECURSIVE: the left side gives the
// columns that the right side sees of the query itself.
func (w *walker) recursive(c *pg.CommonTableExpr, self *ctes, outer *scope, env *ctes) columns {
	s := c.Ctequery.GetSelectStmt()
	inner := w.with(s.WithClause, outer, env)
	left := w.selectStmt(s.Larg, outer, inner)
	self.columns = cteColumns(c, left)
	w.selectStmt(s.Rarg, outer, inner)
	w.setOperationTail(s, outer, inner)
	return self.columns
}

func cteColumns(c *pg.CommonTableExpr, query columns) columns {
	query = query.renamed(stringsOf(c.Aliascolnames))
	var more []string
	if s := c.SearchClause; s != nil {
		more = append(more, s.SearchSeqColumn)
	}
	if s := c.CycleClause; s != nil {
		more = append(more, s.CycleMarkColumn, s.CyclePathColumn)
	}
	if len(more) == 0 {
		return query
	}
	return query.and(exactly(more...))
}

// at is the index of the token that starts at a byte offset.
func (w *walker) at(offset int) int {
	i := sort.Search(len(w.tokens), func(i int) bool { return int(w.tokens[i].start) >= offset })
	if i == len(w.tokens) || int(w.tokens[i].start) != offset {
		panic("no token at offset " + strconv.Itoa(offset))
	}
	return i
}

// is tells whether the token at i is the given unquoted word.
func (w *walker) is(i int, word string) bool {
	return i >= 0 && i < len(w.tokens) && isWord(w.sql, w.tokens[i], word)
}

func (w *walker) kind(i int) kind {
	if i < 0 || i >= len(w.tokens) {
		return 0
	}
	return w.tokens[i].kind
}

// endOf is the byte offset behind the token before i.
func (w *walker) endOf(i int) int { return int(w.tokens[i-1].end) }

// renameToken replaces the identifier at i, which must be what it is taken for.
func (w *walker) renameToken(i int, from, text string) {
	if i >= len(w.tokens) || !identEquals(w.sql, w.tokens, i, from) {
		w.refuse(-1, "Write the name without Unicode escapes.", "the name %s is not where it was expected", quote(from))
		return
	}
	end := i
	if w.tokens[i].kind == kindUnicodeQuoted && w.is(i+1, "uescape") {
		end = i + 2
	}
	w.edits.replace(int(w.tokens[i].start), int(w.tokens[end].end), text)
}

// closing is the index of the bracket that closes the one at i.
func (w *walker) closing(i int) int {
	depth := 0
	for ; i < len(w.tokens); i++ {
		switch w.tokens[i].kind {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	panic("a bracket is not closed")
}

// exprEnd is the index of the first token behind the list item or expression
// that begins at token i.
func (w *walker) exprEnd(i int) int {
	for ; i < len(w.tokens); i++ {
		switch t := w.tokens[i]; t.kind {
		case '(', '[':
			i = w.closing(i)
		case ')', ']', ',', ';':
			return i
		case kindWord:
			// Behind a period or AS any word is a name.
			if w.kind(i-1) != '.' && !w.is(i-1, "as") && w.endsExpr(i) {
				return i
			}
		}
	}
	return i
}

// endsExpr tells whether the word at i begins what follows a list of
// expressions. All these words are reserved; some occur in expressions too.
func (w *walker) endsExpr(i int) bool {
	t := w.tokens[i]
	text := w.sql[t.start:t.end]
	if len(text) < 2 || len(text) > 9 {
		return false
	}
	switch foldASCII(text) {
	case "from":
		return !w.is(i-1, "distinct") || !w.is(i-2, "is") && !w.is(i-2, "not")
	case "group":
		return !w.is(i-1, "within")
	case "with":
		return !w.is(i+1, "time") && !w.is(i+1, "unique")
	case "where", "having", "window", "order", "limit", "offset", "fetch", "for",
		"union", "intersect", "except", "into", "on", "returning":
		return true
	}
	return false
}

// fresh makes a name of the base that the text does not contain.
func (w *walker) fresh(base string) string {
	name := base
	for n := 1; w.contains(name); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

func (w *walker) contains(name string) bool {
	for i, t := range w.tokens {
		if t.isIdent() && identEquals(w.sql, w.tokens, i, name) {
			return true
		}
	}
	return false
}
