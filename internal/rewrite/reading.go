package rewrite

import (
	"slices"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"
)

// Reading is what a text reads and by which means, for whoever wants to run it a
// second time and compare the results.
type Reading struct {
	// Unfit says why it must not be run again or could not be compared; "" when
	// nothing in the text speaks against it.
	Unfit Unfit
	// Functions, Types and Relations are named in it; those without a schema are
	// found by the search_path. A name of Relations can be that of a CTE.
	Functions, Types, Relations []Name
	Operators                   []string
	// Fields are names that stand behind a dot: of columns, or of functions of the row.
	Fields []string
	// CTEs are the names of its WITH queries.
	CTEs []string
	// Grouped: some value is computed from several rows.
	Grouped bool
	// Cuts are its queries whose result depends on the order of rows.
	Cuts []Cut
	// Order is how the result as a whole is ordered; nil when it is not, or in a
	// way that a key of one table cannot decide.
	Order *Cut
}

// Cut is a query of which rows are left out by their place: which ones is
// certain only if a unique key of its table is among the columns. They are those
// that it is ordered by, or that are compared with one value each.
type Cut struct {
	Relation Name
	Columns  []string
}

// Unfit is a reason for which a read is not run twice.
type Unfit string

// The reasons that a text gives.
const (
	UnfitWrite    Unfit = "write"    // it is no plain read
	UnfitLock     Unfit = "lock"     // it locks rows
	UnfitVolatile Unfit = "volatile" // it may give something else each time
	UnfitOrder    Unfit = "order"    // its result depends on the order of rows, which nothing fixes
	UnfitSession  Unfit = "session"  // its result depends on the session
	UnfitUnknown  Unfit = "unknown"  // it is not known what it does
)

// plainRead tells whether a text is one query, as far as its outermost node says.
func plainRead(tree *pg.ParseResult) bool {
	if len(tree.Stmts) != 1 {
		return false
	}
	s := tree.Stmts[0].Stmt.GetSelectStmt()
	return s != nil && s.IntoClause == nil && len(s.LockingClause) == 0
}

// Read tells what a text reads.
func Read(sql string) (reading Reading) {
	defer func() {
		if recover() != nil {
			reading = Reading{Unfit: UnfitUnknown}
		}
	}()
	tokens := scan(sql, nil)
	if guard(sql, tokens) != "" {
		return Reading{Unfit: UnfitUnknown}
	}
	tree, err := oliphant{}.parse(sql)
	if err != nil {
		return Reading{Unfit: UnfitUnknown}
	}
	if !plainRead(tree) {
		return Reading{Unfit: UnfitWrite}
	}
	top := tree.Stmts[0].Stmt.GetSelectStmt()
	below(top.ProtoReflect(), func(m proto.Message) bool {
		reading.visit(m)
		return true
	})
	if len(top.SortClause) > 0 {
		if cut, ok := cutOf(top); ok {
			reading.Order = &cut
		}
	}
	return reading
}

func (r *Reading) unfit(why Unfit) {
	if r.Unfit == "" {
		r.Unfit = why
	}
}

func (r *Reading) visit(m proto.Message) {
	switch m := m.(type) {
	case *pg.InsertStmt, *pg.UpdateStmt, *pg.DeleteStmt, *pg.MergeStmt, *pg.IntoClause:
		r.unfit(UnfitWrite)
	case *pg.LockingClause:
		r.unfit(UnfitLock)
	case *pg.RangeTableSample:
		r.unfit(UnfitVolatile)
	case *pg.SelectStmt:
		r.query(m)
	case *pg.CommonTableExpr:
		r.CTEs = append(r.CTEs, m.Ctename)
	case *pg.RangeVar:
		r.Relations = add(r.Relations, Name{m.Schemaname, m.Relname})
	case *pg.ColumnRef:
		if len(m.Fields) > 1 {
			r.field(columnName(m))
		}
	case *pg.A_Indirection:
		for _, name := range stringsOf(m.Indirection) {
			r.field(name)
		}
	case *pg.TypeName:
		r.Types = add(r.Types, nameOf(m.Names))
	case *pg.WindowDef:
		const nondefault = 1 // FRAMEOPTION_NONDEFAULT
		if m.FrameOptions&nondefault != 0 {
			r.unfit(UnfitOrder)
		}
	case *pg.A_Expr:
		r.operator(m.Name)
	case *pg.SubLink:
		r.operator(m.OperName)
	case *pg.SortBy:
		r.operator(m.UseOp)
	case *pg.FuncCall:
		r.call(m)
	}
}

func (r *Reading) field(name string) {
	if name != "" && !slices.Contains(r.Fields, name) {
		r.Fields = append(r.Fields, name)
	}
}

func (r *Reading) operator(names []*pg.Node) {
	if name := nameOf(names).Name; name != "" && !slices.Contains(r.Operators, name) {
		r.Operators = append(r.Operators, name)
	}
}

// sessional are functions whose result depends on the session or on the moment
// of the very statement, although they are not volatile, or that leave a trace.
var sessional = wordSet(`current_query current_setting inet_client_addr inet_client_port pg_backend_pid pg_current_xact_id
	pg_current_xact_id_if_assigned pg_is_other_temp_schema pg_my_temp_schema statement_timestamp txid_current
	txid_current_if_assigned`)

// ranking are window functions that give rows of one rank the same value.
var ranking = wordSet("rank dense_rank percent_rank cume_dist")

// orderless are aggregates that come to the same whatever the order of rows, but
// for the last digits of floating-point numbers.
var orderless = wordSet(`count sum avg min max bool_and bool_or every bit_and bit_or bit_xor corr covar_pop covar_samp
	regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop
	stddev_samp variance var_pop var_samp range_agg range_intersect_agg percentile_cont percentile_disc`)

// Orderless tells whether an aggregate of that name does not depend on the order
// of rows.
func Orderless(name string) bool { return orderless[name] || ranking[name] }

func (r *Reading) call(f *pg.FuncCall) {
	name := nameOf(f.Funcname)
	switch {
	case sessional[name.Name]:
		r.unfit(UnfitSession)
	case f.Over != nil && !Orderless(name.Name):
		r.unfit(UnfitOrder)
	case f.Over == nil && orderedBySelf(f):
		return // array_agg(a order by a)
	}
	r.Functions = add(r.Functions, name)
}

// orderedBySelf tells whether an aggregate takes its only argument in the order
// of that argument: PostgreSQL's own do nothing else with it.
func orderedBySelf(f *pg.FuncCall) bool {
	name := nameOf(f.Funcname)
	if !selfOrdered[name.Name] || name.Schema != "" && name.Schema != "pg_catalog" || len(f.AggOrder) == 0 || len(f.Args) == 0 {
		return false
	}
	arg, key := f.Args[0].GetColumnRef(), f.AggOrder[0].GetSortBy().GetNode().GetColumnRef()
	return arg != nil && key != nil && slices.Equal(stringsOf(arg.Fields), stringsOf(key.Fields))
}

var selfOrdered = wordSet("array_agg string_agg json_agg jsonb_agg")

// query looks for rows that are left out by their place.
func (r *Reading) query(s *pg.SelectStmt) {
	if len(s.GroupClause) > 0 || len(s.DistinctClause) > 0 || s.HavingClause != nil {
		r.Grouped = true
	}
	distinctOn := slices.ContainsFunc(s.DistinctClause, func(n *pg.Node) bool { return n.GetNode() != nil })
	if s.LimitCount == nil && s.LimitOffset == nil && !distinctOn || !distinctOn && constantRows(s) {
		return
	}
	cut, ok := cutOf(s)
	if !ok {
		r.unfit(UnfitOrder)
		return
	}
	r.Cuts = append(r.Cuts, cut)
}

// constantRows tells whether all rows of a query are alike, so that it does not
// matter which are left out: select 1 from users where ... limit 1.
func constantRows(s *pg.SelectStmt) bool {
	if s.Op != pg.SetOperation_SETOP_NONE || len(s.TargetList) == 0 || len(s.GroupClause) > 0 {
		return false
	}
	return !slices.ContainsFunc(s.TargetList, func(n *pg.Node) bool { return n.GetResTarget().GetVal().GetAConst() == nil })
}

// cutOf reads which columns of its one table a query is ordered by, or fixes to
// one value.
func cutOf(s *pg.SelectStmt) (Cut, bool) {
	if s.Op != pg.SetOperation_SETOP_NONE || len(s.FromClause) != 1 || len(s.GroupClause) > 0 || s.HavingClause != nil {
		return Cut{}, false
	}
	if slices.ContainsFunc(s.DistinctClause, func(n *pg.Node) bool { return n.GetNode() == nil }) {
		return Cut{}, false
	}
	table := s.FromClause[0].GetRangeVar()
	if table == nil {
		return Cut{}, false
	}
	cut := Cut{Relation: Name{table.Schemaname, table.Relname}, Columns: fixed(s.WhereClause)}
	for _, n := range s.SortClause {
		node := n.GetSortBy().GetNode()
		ref := node.GetColumnRef()
		if ref == nil || len(ref.Fields) == 1 && renamedOutput(s, columnName(ref)) {
			continue
		}
		if name := columnName(ref); name != "" {
			cut.Columns = append(cut.Columns, name)
		}
	}
	return cut, true
}

// renamedOutput tells whether a bare name in ORDER BY is that of an output column
// which is something else than the column of this name.
func renamedOutput(s *pg.SelectStmt, name string) bool {
	return slices.ContainsFunc(s.TargetList, func(n *pg.Node) bool {
		t := n.GetResTarget()
		return t.GetName() == name && columnName(t.GetVal().GetColumnRef()) != name
	})
}

// fixed are the columns that a condition compares with one value each.
func fixed(condition *pg.Node) []string {
	if and := condition.GetBoolExpr(); and != nil && and.Boolop == pg.BoolExprType_AND_EXPR {
		var columns []string
		for _, n := range and.Args {
			columns = append(columns, fixed(n)...)
		}
		return columns
	}
	e := condition.GetAExpr()
	if e == nil || e.Kind != pg.A_Expr_Kind_AEXPR_OP || nameOf(e.Name).Name != "=" {
		return nil
	}
	for _, sides := range [][2]*pg.Node{{e.Lexpr, e.Rexpr}, {e.Rexpr, e.Lexpr}} {
		if name := columnName(sides[0].GetColumnRef()); name != "" && isValue(sides[1]) {
			return []string{name}
		}
	}
	return nil
}

// isValue tells whether an expression is a constant or a parameter.
func isValue(n *pg.Node) bool {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	return n.GetAConst() != nil || n.GetParamRef() != nil
}

// columnName is the last name of a reference; "" for a star and for no reference.
func columnName(ref *pg.ColumnRef) string {
	if ref == nil || len(ref.Fields) == 0 {
		return ""
	}
	return ref.Fields[len(ref.Fields)-1].GetString_().GetSval()
}

func nameOf(names []*pg.Node) Name {
	list := stringsOf(names)
	switch len(list) {
	case 0:
		return Name{}
	case 1:
		return Name{Name: list[0]}
	}
	return Name{list[len(list)-2], list[len(list)-1]}
}

func add(list []Name, name Name) []Name {
	if name.Name == "" || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// Redact is a text without its constants and comments, for people to look at. A list
// of constants becomes one of them, however long it is.
func Redact(sql string) string {
	out := make([]byte, 0, len(sql))
	end := int32(0)
	tokens := scan(sql, nil)
	constant := func(i int) bool {
		return i >= 0 && i < len(tokens) &&
			(tokens[i].kind == kindString || tokens[i].kind == kindNumber || tokens[i].kind == kindBad)
	}
	for i, t := range tokens {
		listed := t.kind == ',' && constant(i-1) && constant(i+1) || constant(i) && i > 1 && tokens[i-1].kind == ',' && constant(i-2)
		if listed {
			end = t.end
			continue
		}
		if t.start > end && len(out) > 0 {
			out = append(out, ' ')
		}
		switch {
		case constant(i):
			out = append(out, '?')
		default:
			out = append(out, sql[t.start:t.end]...)
		}
		end = t.end
	}
	return string(out)
}
