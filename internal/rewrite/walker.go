package rewrite

import (
	"fmt"
	"slices"
	"sort"
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
	// unfenced: the text is tied to no phase, see Stored.
	unfenced bool
	// tokenName is the name of the WITH query that names tokens.
	tokenName string
	// onceName is the name of the WITH queries that evaluate something once.
	onceName string

	// Of the top-level statement at hand: the parse tree, the moves whose phase
	// it depends on, and WITH queries to put beside the tokens.
	top   *pg.Node
	used  []*move
	extra []string

	// leading is how many statements were put before those of the text.
	leading int

	// pinned are the places of names that got a schema.
	pinned map[int]bool

	// renamed are the references in whose place something else stands now.
	renamed []*pg.ColumnRef
	// compared are references that a comparison lets read another column as it
	// is.
	compared map[*pg.ColumnRef]string
	// arbiters: in the expressions of ON CONFLICT, which must be those of an index.
	arbiters bool
	// recast are calls whose result stands in a cast now.
	recast []*pg.FuncCall
	// fieldsNamed counts the columns that stood as fields of a whole row.
	fieldsNamed int
	refusal     *Refusal
	// reported is what would be refused if a policy did not let it pass.
	reported []*Refusal
	// rowAssignments counts the assignments of a sub-query to a list of columns
	// that the rewriter makes.
	rowAssignments int
}

// use notes that the statement depends on the phases of the moves.
func (w *walker) use(moves ...*move) {
	for _, m := range moves {
		if !slices.Contains(w.used, m) {
			w.used = append(w.used, m)
		}
	}
}

// wholly notes that the statement shows or fills all columns of a table, in
// their order.
func (w *walker) wholly(t *table, offset int) {
	w.use(t.moves...)
	if t.Unordered {
		w.refuse(offset, hintColumns,
			"the order of the columns of %v is not known: one that moved has been dropped, and other columns too", t)
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
	if w.refusal != nil || len(w.used) == 0 || w.unfenced {
		return
	}
	queries := []string{w.fence()}
	if with == nil {
		w.apart(n, first)
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

// fence is the WITH query that names the tokens of the phases in use.
func (w *walker) fence() string {
	if w.tokenName == "" {
		w.tokenName = w.fresh("_crossfade")
	}
	return w.tokenName + " AS (SELECT FROM " + w.phases() + ")"
}

// phases are the tokens of the phases in use.
func (w *walker) phases() string {
	names := make([]string, len(w.used))
	for i, m := range w.used {
		names[i] = "crossfade." + quote(m.Token)
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
