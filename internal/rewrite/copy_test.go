package rewrite_test

import (
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// synced gives every transition a trigger that keeps both sides.
func synced(c *rewrite.Catalog) {
	for i := range c.Transitions {
		c.Transitions[i].Synced = true
	}
}

// moreTables adds a table whose column changes its type, one whose column is
// split, one with a generated column, and a partitioned one with a partition.
func moreTables(c *rewrite.Catalog) {
	text := func(name, value string) transform.Column {
		return transform.Column{Name: name, Type: "text", BaseType: "text", Value: value}
	}
	add := func(id int64, table, kind string, move transform.Move, columns ...rewrite.Column) {
		name := rewrite.Name{Schema: "public", Name: table}
		c.Transitions = append(c.Transitions, rewrite.Transition{
			ID: id, Table: name, Move: move, Phase: c.Transitions[0].Phase, Token: table + "_token",
		})
		c.Tables = append(c.Tables, rewrite.Table{Name: name, Of: name, Kind: kind, Columns: columns})
		c.Homonyms = append(c.Homonyms, name)
	}
	add(11, "readings", "r", transform.Move{
		Kind:    transform.Change,
		Sources: []transform.Column{{Name: "n", Type: "integer", BaseType: "integer", Value: "big::integer"}},
		Targets: []transform.Column{{Name: "big", Type: "bigint", BaseType: "bigint", Value: "n::bigint"}},
	}, rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "n", Type: "integer"}, rewrite.Column{Name: "note", Type: "text"})
	add(12, "people", "r", transform.Move{
		Kind:    transform.Split,
		Sources: []transform.Column{text("whole", "first || ' ' || last")},
		Targets: []transform.Column{text("first", "split_part(whole, ' ', 1)"), text("last", "split_part(whole, ' ', 2)")},
	}, rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "whole", Type: "text"})
	c.Tables = append(c.Tables, rewrite.Table{Name: rewrite.Name{Schema: "public", Name: "users_child"}, Of: c.Tables[0].Name, Columns: c.Tables[0].Columns})
	add(13, "labels", "r", transform.Renamed(text("tag", ""), "label"),
		rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "tag", Type: "text"},
		rewrite.Column{Name: "size", Type: "integer", Generated: true})
	add(14, "parts", "p", transform.Renamed(text("kind", ""), "sort"),
		rewrite.Column{Name: "id", Type: "bigint"}, rewrite.Column{Name: "kind", Type: "text"})
	part := rewrite.Name{Schema: "public", Name: "parts_one"}
	c.Tables = append(c.Tables, rewrite.Table{Name: part, Of: c.Tables[len(c.Tables)-1].Name, Kind: "r", Columns: []rewrite.Column{
		{Name: "kind", Type: "text"}, {Name: "id", Type: "bigint"}}})
}
