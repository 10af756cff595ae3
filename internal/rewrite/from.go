package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// from walks a FROM clause and returns the name space that it makes. starred:
// a bare star is over it.
func (w *walker) from(clause []*pg.Node, starred bool, outer *scope, env *ctes) *scope {
	s := &scope{parent: outer}
	veil := veiling{all: starred && slices.ContainsFunc(clause, merges)}
	for _, n := range clause {
		s.items = append(s.items, w.fromItem(n, s, s.items, veil, env)...)
	}
	return s
}

// merges tells whether a member of FROM has a join that merges columns.
func merges(n *pg.Node) bool {
	j := n.GetJoinExpr()
	return j != nil && (j.IsNatural || len(j.UsingClause) > 0 || merges(j.Larg) || merges(j.Rarg))
}

// fromItem walks one member of FROM and returns the items it makes visible.
// s is the query's name space so far; before are the items on the left, which
// LATERAL sees. veil says which tables in transition become sub-queries.
func (w *walker) fromItem(n *pg.Node, s *scope, before []*item, veil veiling, env *ctes) []*item {
	lateral := func() *scope { return &scope{parent: s.parent, items: before} }
	switch n := n.Node.(type) {
	case *pg.Node_RangeVar:
		return []*item{w.relationItem(n.RangeVar, veil, env)}
	case *pg.Node_RangeTableSample:
		items := w.fromItem(n.RangeTableSample.Relation, s, before, veil, env)
		if items[0].veiled {
			w.refuse(items[0].offset, "Write the join with ON, name the columns instead of *, and leave out column aliases.",
				"TABLESAMPLE of %v where the table must stand as a sub-query", items[0].table)
		}
		w.exprs(n.RangeTableSample.Args, lateral(), env)
		w.expr(n.RangeTableSample.Repeatable, lateral(), env)
		return items
	case *pg.Node_RangeSubselect:
		sub := n.RangeSubselect
		outer := s.parent
		if sub.Lateral {
			outer = lateral()
		}
		c := w.query(sub.Subquery, outer, env)
		return []*item{{name: aliasName(sub.Alias), columns: c.renamed(aliasColumns(sub.Alias))}}
	case *pg.Node_RangeFunction:
		return []*item{w.functionItem(n.RangeFunction, lateral(), env)}
	case *pg.Node_RangeTableFunc:
		f := n.RangeTableFunc
		w.fields(f.ProtoReflect(), lateral(), env)
		var names []string
		for _, c := range f.Columns {
			names = append(names, c.GetRangeTableFuncCol().GetColname())
		}
		return []*item{tableFunction(f.Alias, "xmltable", names)}
	case *pg.Node_JsonTable:
		t := n.JsonTable
		w.fields(t.ProtoReflect(), lateral(), env)
		return []*item{tableFunction(t.Alias, "json_table", jsonColumns(t.Columns))}
	case *pg.Node_JoinExpr:
		return w.join(n.JoinExpr, s, before, veil, env)
	}
	w.refuse(-1, hintUnhooked, "a member of FROM of a kind that is not supported")
	return nil
}

func tableFunction(alias *pg.Alias, name string, names []string) *item {
	if alias != nil {
		name = alias.Aliasname
	}
	return &item{name: name, columns: exactly(names...).renamed(aliasColumns(alias))}
}

func jsonColumns(list []*pg.Node) []string {
	var names []string
	for _, n := range list {
		c := n.GetJsonTableColumn()
		if len(c.Columns) > 0 {
			names = append(names, jsonColumns(c.Columns)...)
			continue
		}
		names = append(names, c.Name)
	}
	return names
}

// relationItem is a relation in FROM: a WITH query, a table in transition, or
// any other.
func (w *walker) relationItem(v *pg.RangeVar, veil veiling, env *ctes) *item {
	if v.Schemaname == "" {
		if c := env.find(v.Relname); c != nil {
			name := v.Relname
			if v.Alias != nil {
				name = v.Alias.Aliasname
			}
			return &item{name: name, columns: c.columns.renamed(aliasColumns(v.Alias))}
		}
	}
	it := w.tableItem(v)
	w.readThrough(v)
	if it.table != nil && (veil.covers(it.table) || len(aliasColumns(v.Alias)) > 0) {
		w.veil(it, v)
	}
	return it
}

// tableItem is a relation that is not a WITH query.
func (w *walker) tableItem(v *pg.RangeVar) *item {
	t := w.tableOf(v)
	it := &item{name: v.Relname, table: t, offset: int(v.Location)}
	if v.Alias != nil {
		it.name = v.Alias.Aliasname
	} else if it.schema = v.Schemaname; t != nil {
		it.schema = t.Name.Schema
	}
	if t == nil {
		it.columns = w.namesakes(v.Schemaname, v.Relname).renamed(aliasColumns(v.Alias))
	}
	return it
}

// tableOf is the table in transition that a relation's name means, or nil.
func (w *walker) tableOf(v *pg.RangeVar) *table {
	t, _ := w.trackedOf(v).(*table)
	return t
}

// trackedOf is what a relation's name means, or nil.
func (w *walker) trackedOf(v *pg.RangeVar) tracked {
	if v.Schemaname == "" && w.pathUnknown && w.mentionedName(v.Relname) {
		w.refuse(int(v.Location), "Qualify the table's name with its schema, or set search_path in the connection string.",
			"the search_path has been changed, so it is not known whether %s is %s", quote(v.Relname), w.r.meant(v.Relname))
	}
	known := w.r.relation(v.Schemaname, v.Relname)
	if known == nil && v.Schemaname == "" {
		w.pin(v)
	}
	return known
}

// pin writes down which other relation a bare name means, where a table in
// transition bears it too: should that relation go, the name would come to mean
// the table, and nobody would have rewritten the statement.
func (w *walker) pin(v *pg.RangeVar) {
	schema := w.r.bare[v.Relname].schema
	at := int(v.Location)
	if schema == "" || w.pinned[at] {
		return
	}
	if w.pinned == nil {
		w.pinned = map[int]bool{}
	}
	w.pinned[at] = true
	w.edits.insert(at, quote(schema)+".")
}

// namesakes are the columns of a relation that is not in transition.
func (w *walker) namesakes(schema, name string) columns {
	catalog := &w.r.catalog
	if schema != "" {
		return columns{names: catalog.Namesakes[Name{schema, name}]}
	}
	if w.pathUnknown {
		for n := range catalog.Namesakes {
			if n.Name == name {
				return columns{unknown: true}
			}
		}
	}
	for _, schema := range catalog.SearchPath {
		if names, ok := catalog.Namesakes[Name{schema, name}]; ok {
			return columns{names: names}
		}
	}
	return columns{}
}

// functionItem is a function, or ROWS FROM several.
func (w *walker) functionItem(f *pg.RangeFunction, lateral *scope, env *ctes) *item {
	it := &item{name: aliasName(f.Alias)}
	single := ""
	for _, n := range f.Functions {
		// Each is a pair: the call and its column definition list.
		pair := n.GetList().GetItems()
		w.exprs(pair, lateral, env)
		if call := pair[0].GetFuncCall(); call != nil && !f.IsRowsfrom {
			single = call.Funcname[len(call.Funcname)-1].GetString_().GetSval()
			if len(call.Funcname) > 1 && call.Funcname[0].GetString_().GetSval() != "pg_catalog" {
				it.columns.unknown = true
			}
		}
	}
	w.exprs(f.Coldeflist, lateral, env)
	if it.name == "" {
		it.name = single
	}
	switch {
	case len(f.Coldeflist) > 0:
		var names []string
		for _, n := range f.Coldeflist {
			names = append(names, n.GetColumnDef().GetColname())
		}
		it.columns = exactly(names...)
	case len(aliasColumns(f.Alias)) > 0:
		it.columns = columns{names: aliasColumns(f.Alias)}
	case scalar[single] && !it.columns.unknown:
		it.columns = exactly(it.name)
	default:
		it.columns = columns{names: recordColumns[single], unknown: recordColumns[single] == nil || it.columns.unknown}
	}
	if f.Ordinality {
		it.columns = it.columns.and(exactly("ordinality"))
	}
	return it
}

// scalar are PostgreSQL's own set-returning functions whose one column bears
// the alias; recordColumns are those whose columns have names of their own.
// What any other function returns is not known.
var (
	scalar        = wordSet("generate_series generate_subscripts regexp_split_to_table string_to_table")
	recordColumns = map[string][]string{
		"jsonb_array_elements":      {"value"},
		"jsonb_array_elements_text": {"value"},
		"json_array_elements":       {"value"},
		"json_array_elements_text":  {"value"},
		"jsonb_each":                {"key", "value"},
		"jsonb_each_text":           {"key", "value"},
		"json_each":                 {"key", "value"},
		"json_each_text":            {"key", "value"},
	}
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}
