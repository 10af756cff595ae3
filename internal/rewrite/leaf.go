package rewrite

import (
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// isLeaf tells whether a value is a parameter or a string constant: something
// that takes its type from what it is compared with.
func (w *walker) isLeaf(n *pg.Node) bool {
	switch n := n.GetNode().(type) {
	case *pg.Node_ParamRef:
		return true
	case *pg.Node_AConst:
		_, isString := n.AConst.Val.(*pg.A_Const_Sval)
		return isString && !w.is(w.at(int(n.AConst.Location))+1, "uescape")
	}
	return false
}

// leaf is the range of a leaf, its cast included.
func (w *walker) leaf(n *pg.Node) (start, end int) {
	if c := n.GetTypeCast(); c != nil {
		start, end = w.leaf(c.Arg)
		if named := int(c.TypeName.Location); named < start {
			return named, end // type 'constant'
		} else if i := w.at(int(c.Location)); w.is(i, "cast") {
			return int(c.Location), w.endOf(w.closing(i+1) + 1)
		}
		i := w.afterName(w.at(int(c.TypeName.Location)))
		for w.kind(i) == '.' {
			i = w.afterName(i + 1)
		}
		for typeWords[w.word(i)] && (!w.is(i, "with") || w.is(i+1, "time")) {
			i++
		}
		for w.kind(i) == '[' {
			i = w.closing(i) + 1
		}
		return start, w.endOf(i)
	}
	if p := n.GetParamRef(); p != nil {
		start = int(p.Location)
	} else {
		start = int(n.GetAConst().Location)
	}
	i := w.at(start)
	if w.kind(i) == kindOp {
		i++ // a sign
	}
	return start, int(w.tokens[i].end)
}

// typeWords are the words behind the first of a type's name.
var typeWords = wordSet("precision varying with without time zone")

// word is the word at token i.
func (w *walker) word(i int) string {
	if w.kind(i) != kindWord {
		return ""
	}
	return foldASCII(w.sql[w.tokens[i].start:w.tokens[i].end])
}

// isOf tells whether a value is a constant or parameter that has just this type.
func (w *walker) isOf(n *pg.Node, typ string) bool {
	if n.GetAConst() != nil {
		return typ == "integer" && w.isInteger(n)
	}
	c := n.GetTypeCast()
	if c == nil || len(c.TypeName.GetTypmods()) > 0 || c.TypeName.Setof || c.TypeName.PctType || c.TypeName.Location < 0 {
		return false
	}
	element, array := strings.CutSuffix(typ, "[]")
	if len(c.TypeName.ArrayBounds) > 1 || array != (len(c.TypeName.ArrayBounds) == 1) {
		return false
	}
	names := stringsOf(c.TypeName.Names)
	if internal, ok := internalNames[element]; ok {
		element = internal
	}
	known := names[len(names)-1] == element && (len(names) == 1 || names[0] == "pg_catalog")
	return known && (w.isLeaf(c.Arg) || w.isInteger(c.Arg))
}

// isInteger tells whether a value is written as digits, with a sign or without.
func (w *walker) isInteger(n *pg.Node) bool {
	c := n.GetAConst()
	if _, ok := c.GetVal().(*pg.A_Const_Ival); !ok {
		return false
	}
	i := w.at(int(c.Location))
	return w.kind(i) == kindNumber || w.kind(i) == kindOp && w.kind(i+1) == kindNumber
}

// internalNames are the names that the parser makes of SQL's types.
var internalNames = map[string]string{
	"smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4", "double precision": "float8", "boolean": "bool",
	"timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
	"time without time zone": "time", "time with time zone": "timetz", "character varying": "varchar",
}
