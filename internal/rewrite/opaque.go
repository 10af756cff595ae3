package rewrite

import (
	"fmt"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"
)

// function is a Function with its table.
type function struct {
	Function
	of *table
}

// opaqueText refuses or reports SQL that stands in a string or body.
func (w *walker) opaqueText(offset int, hint, format string, args ...any) {
	if w.r.catalog.OpaqueText != PolicyReport {
		w.refuse(offset, hint, format, args...)
		return
	}
	w.reported = append(w.reported, &Refusal{Message: "crossfade: " + fmt.Sprintf(format, args...), Hint: hint, Offset: offset})
}

// calls refuses or reports the call of a function whose body names a column in
// transition: it does so in every phase alike.
func (w *walker) calls(call *pg.FuncCall) {
	names := stringsOf(call.GetFuncname())
	if len(names) == 0 {
		return
	}
	name, schema := names[len(names)-1], ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	for _, f := range w.r.opaque {
		// Which schema a bare name leads to depends on the arguments' types.
		if f.Name.Name != name || schema != "" && f.Name.Schema != schema {
			continue
		}
		refusal := &Refusal{
			Message:  fmt.Sprintf("crossfade: the body of function %s.%s names %v", quote(f.Name.Schema), quote(f.Name.Name), f.of),
			Hint:     "Make the function do without the column, or call it on a connection without the hook.",
			Offset:   int(call.Location),
			Function: f.Name,
		}
		if w.r.catalog.OpaqueCalls != PolicyRefuse {
			w.reported = append(w.reported, refusal)
		} else if w.refusal == nil {
			w.refusal = refusal
		}
	}
}

// callsBelow handles CALL and EXECUTE, whose arguments hold no query.
func (w *walker) callsBelow(n *pg.Node, first, last int) {
	below(n.ProtoReflect(), func(m proto.Message) bool {
		switch m := m.(type) {
		case *pg.FuncCall:
			w.calls(m)
		case *pg.TypeName:
			w.typeName(m)
		case *pg.SelectStmt:
			w.refuseUtility(first, last)
			return false
		}
		return true
	})
}

// callsOpaque tells whether a token can be the name of one of the functions in a
// call.
func (r *Rewriter) callsOpaque(sql string, tokens []token, i int) bool {
	if tokens[i].kind == kindWord && (i+1 == len(tokens) || tokens[i+1].kind != '(') {
		return false
	}
	for _, f := range r.opaque {
		if identEquals(sql, tokens, i, f.Name.Name) {
			return true
		}
	}
	return false
}
