package rewrite

import (
	"strings"

	pg "github.com/sqlc-dev/oliphant"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// utility handles one statement of a text, of any kind, that stands in the
// tokens [first, last). Those that carry a query are opened; of the others
// pass only those whose effect on a table does not depend on its columns.
func (w *walker) utility(n *pg.Node, first, last int) {
	if first == last {
		return
	}
	switch kind := n.GetNode().(type) {
	case *pg.Node_SelectStmt, *pg.Node_InsertStmt, *pg.Node_UpdateStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt:
		w.stringRunners(first, last)
		w.rooted(n, first)
	case *pg.Node_ExplainStmt:
		w.utility(kind.ExplainStmt.Query, w.behindExplain(first), last)
	case *pg.Node_PrepareStmt:
		w.types(n)
		w.utility(kind.PrepareStmt.Query, w.behind(first, last, "as"), last)
	case *pg.Node_DeclareCursorStmt:
		w.utility(kind.DeclareCursorStmt.Query, w.behind(w.behind(first, last, "cursor"), last, "for"), last)
	case *pg.Node_CreateTableAsStmt:
		w.createTableAs(kind.CreateTableAsStmt, first, last)
	case *pg.Node_CopyStmt:
		w.copiedThrough(kind.CopyStmt)
		w.copy(kind.CopyStmt, first, last)
	case *pg.Node_CreateStmt:
		if r := kind.CreateStmt.Relation; r.Relpersistence == temporary {
			w.creates(r)
		} else if w.mentionedName(r.Relname) {
			w.refuseUtility(first, last)
		}
		w.tableDDL(n, first, last)
	case *pg.Node_RefreshMatViewStmt:
		w.refresh(kind.RefreshMatViewStmt, first)
	case *pg.Node_CallStmt, *pg.Node_ExecuteStmt:
		w.callsBelow(n, first, last)
	case *pg.Node_DoStmt, *pg.Node_CreateFunctionStmt:
		if known := w.mentionedAnywhere(first, last); known != nil {
			w.opaqueText(int(w.tokens[first].start), hintUnhooked, "a command that begins with %s mentions %v", w.command(first), known)
		}
	case *pg.Node_AlterTableStmt, *pg.Node_IndexStmt:
		w.tableDDL(n, first, last)
	case *pg.Node_TruncateStmt, *pg.Node_LockStmt, *pg.Node_ClusterStmt, *pg.Node_ReindexStmt,
		*pg.Node_VariableSetStmt, *pg.Node_VariableShowStmt, *pg.Node_TransactionStmt, *pg.Node_ConstraintsSetStmt,
		*pg.Node_DeallocateStmt, *pg.Node_FetchStmt, *pg.Node_ClosePortalStmt,
		*pg.Node_ListenStmt, *pg.Node_NotifyStmt, *pg.Node_UnlistenStmt, *pg.Node_DiscardStmt, *pg.Node_CheckPointStmt,
		*pg.Node_CreateRoleStmt, *pg.Node_DropRoleStmt, *pg.Node_GrantRoleStmt:
	case *pg.Node_VacuumStmt:
		for _, n := range kind.VacuumStmt.Rels {
			w.vacuum(n.GetVacuumRelation(), first, last)
		}
	case *pg.Node_CommentStmt, *pg.Node_GrantStmt:
		// Of the whole table they pass; of the moving column they don't.
		if w.mentioned(first, last) != nil && w.namesColumn(first, last) {
			w.refuseUtility(first, last)
		}
	default:
		w.refuseUtility(first, last)
	}
}

// vacuum lets VACUUM and ANALYZE pass, but for a list of columns with one that
// moves.
func (w *walker) vacuum(r *pg.VacuumRelation, first, last int) {
	t := w.tableOf(r.GetRelation())
	for _, name := range stringsOf(r.GetVaCols()) {
		if t != nil && t.moving(name) {
			w.refuseUtility(first, last)
		}
	}
}

// refuseUtility refuses a statement that mentions something tracked, by name or
// in a string that it runs or stores.
func (w *walker) refuseUtility(first, last int) {
	if known := w.mentionedAnywhere(first, last); known != nil {
		w.refuse(int(w.tokens[first].start), hintUnhooked, "a command that begins with %s mentions %v", w.command(first), known)
	}
}

// command is the word that a command begins with, for messages.
func (w *walker) command(first int) string {
	return strings.ToUpper(w.sql[w.tokens[first].start:w.tokens[first].end])
}

func (w *walker) mentionedAnywhere(first, last int) tracked {
	if known := w.mentioned(first, last); known != nil {
		return known
	}
	return w.mentionedInString(first, last)
}

// mentioned is the tracked relation whose name is among the tokens, or nil.
func (w *walker) mentioned(first, last int) tracked {
	for i := first; i < last; i++ {
		if !w.tokens[i].isIdent() {
			continue
		}
		for _, known := range w.r.tracked {
			if identEquals(w.sql, w.tokens, i, known.called().Name) {
				return known
			}
		}
	}
	return nil
}

func (w *walker) mentionedInString(first, last int) tracked {
	for _, t := range w.tokens[first:last] {
		if t.kind == kindString {
			if known := w.r.mentionedIn(w.sql[t.start:t.end]); known != nil {
				return known
			}
		}
	}
	return nil
}

func (w *walker) namesColumn(first, last int) bool {
	for i := first; i < last; i++ {
		if !w.tokens[i].isIdent() {
			continue
		}
		for _, t := range w.r.tables {
			for name := range t.byName {
				if identEquals(w.sql, w.tokens, i, name) {
					return true
				}
			}
		}
	}
	return false
}

// behind is the index of the token behind the first of the words that stands
// outside of parentheses.
func (w *walker) behind(first, last int, word string) int {
	for i := first; i < last; i++ {
		switch {
		case w.kind(i) == '(' || w.kind(i) == '[':
			i = w.closing(i)
		case w.is(i, word):
			return i + 1
		}
	}
	panic(word + " is not where it was expected")
}

// behindExplain skips EXPLAIN and its options.
func (w *walker) behindExplain(first int) int {
	i := first + 1
	if w.kind(i) == '(' && w.kind(i+1) == kindWord && !startsQuery(w.sql, w.tokens[i+1]) {
		return w.closing(i) + 1
	}
	for w.is(i, "analyze") || w.is(i, "analyse") || w.is(i, "verbose") {
		i++
	}
	return i
}

func (w *walker) createTableAs(c *pg.CreateTableAsStmt, first, last int) {
	if c.Objtype != pg.ObjectType_OBJECT_TABLE {
		w.refuseUtility(first, last)
		return
	}
	w.selectInto(c.Into)
	w.utility(c.Query, w.behind(first, last, "as"), last)
}

// mentionedName tells whether something tracked, in any schema, bears the name.
func (w *walker) mentionedName(name string) bool {
	_, ok := w.r.bare[name]
	return ok
}

// tableDDL lets the definition of another table pass. It may refer to a table
// in transition by a foreign key, unless that is on the moving column.
func (w *walker) tableDDL(n *pg.Node, first, last int) {
	below(n.ProtoReflect(), func(m proto.Message) bool {
		switch m := m.(type) {
		case *pg.RangeVar:
			if w.mentionedName(m.Relname) {
				w.refuseUtility(first, last)
			}
		case *pg.TypeName:
			w.typeName(m)
		case *pg.Constraint:
			if m.Pktable == nil {
				break
			}
			t := w.tableOf(m.Pktable)
			for _, name := range stringsOf(m.PkAttrs) {
				if t != nil && t.moving(name) {
					w.refuseUtility(first, last)
				}
			}
			return false
		}
		return true
	})
}

// types refuses row types of tables in transition anywhere below the node.
func (w *walker) types(n *pg.Node) {
	below(n.ProtoReflect(), func(m proto.Message) bool {
		if t, ok := m.(*pg.TypeName); ok {
			w.typeName(t)
		}
		return true
	})
}

// below visits the messages below m, not going below those for which visit is
// false.
func below(m protoreflect.Message, visit func(proto.Message) bool) {
	if !visit(m.Interface()) {
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for list, i := value.List(), 0; i < list.Len(); i++ {
				below(list.Get(i).Message(), visit)
			}
		default:
			below(value.Message(), visit)
		}
		return true
	})
}
