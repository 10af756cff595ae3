package rewrite_test

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// kindOf is a transition of the second catalog: of columns that become more than
// another name.
type kindOf struct {
	table            string
	sources, targets []transform.Column
	preserves        transform.Preserve
	lossy            []transform.Direction
	constraints      map[string]rewrite.Counterpart
	// columns are the table's logical columns, name and type by turns; they
	// stand at its first transition.
	columns []string
	// index is the DDL for the targets, retire that which lets go of the sources.
	index, retire string
	// past: the transition is contracted in every phase of the others.
	past bool
}

// kinds are the transitions of testdata/differential/kinds.sql.
var kinds = []kindOf{
	{
		table: "counters", preserves: transform.PreserveComparison,
		sources:     sides("n", "integer", "total", "default", "0"),
		targets:     sides("total", "bigint", "n"),
		columns:     []string{"id", "bigint", "n", "integer", "note", "text"},
		constraints: map[string]rewrite.Counterpart{"counters_n_key": {Constraint: "counters_total_key"}},
		index: "alter table counters add constraint counters_total_key unique (total);" +
			"create unique index on counters (note) where total > 8 and total < 11;",
	},
	{
		table:       "keys",
		sources:     sides("key", "text", "uid"),
		targets:     sides("uid", "uuid", "key::pg_catalog.uuid"),
		columns:     []string{"key", "text", "owner", "text", "rank", "integer"},
		constraints: map[string]rewrite.Counterpart{"keys_pkey": {Columns: "((uid)::text)"}},
		index:       "create unique index on keys (((uid)::text)); create unique index on keys (uid);",
		retire:      "alter table keys drop constraint keys_pkey, alter column key drop not null, alter column uid set not null, add primary key (uid);",
	},
	{
		table: "stamps", preserves: transform.PreserveOrder,
		sources: sides("at", "timestamp without time zone", "at_utc at time zone 'UTC'", "default", "'2020-01-01 00:00:00'::timestamp without time zone"),
		targets: sides("at_utc", "timestamp with time zone", "at at time zone 'UTC'"),
		columns: []string{"id", "bigint", "at", "timestamp without time zone", "kind", "character varying"},
		index:   "create unique index on stamps (at_utc);",
	},
	{
		table: "labels", preserves: transform.PreserveComparison,
		sources: sides("label", "character varying(20)", "title", "default", "'none'::character varying"),
		targets: sides("title", "text", "label"),
		columns: []string{"id", "bigint", "label", "character varying", "kind", "text"},
		index: "create unique index on labels (title);" +
			"create unique index on labels (lower(title)) where kind <> 'x' and title <> '';",
	},
	{
		table:   "moods",
		sources: sides("mood", "text", "feeling"),
		targets: sides("feeling", "public.feeling", "mood::public.feeling"),
		columns: []string{"id", "bigint", "mood", "text", "since", "date"},
	},
	{
		table: "prices", lossy: []transform.Direction{transform.Forward},
		sources: sides("price", "numeric(12,4)", "amount", "default", "0"),
		targets: sides("amount", "numeric(12,2)", "price"),
		columns: []string{"id", "bigint", "price", "numeric", "qty", "integer"},
	},
	{
		table:   "papers",
		sources: sides("body", "json", "content", "default", "'{}'::json"),
		targets: sides("content", "jsonb", "body"),
		columns: []string{"id", "bigint", "body", "json", "note", "text"},
	},
	{
		table: "codes", preserves: transform.PreserveEquality,
		sources: sides("code", "integer", "sign::integer"),
		targets: sides("sign", "text", "code::text"),
		columns: []string{"id", "bigint", "code", "integer", "note", "text"},
		index: "create unique index on codes (sign);" +
			"create unique index on codes (id, ((sign::integer)::integer + 1)) where (sign::integer)::integer > 5;",
	},
	{
		table:   "badges",
		sources: sides("badge", "text", "num"),
		targets: sides("num", "integer", "badge::integer"),
		columns: []string{"id", "bigint", "badge", "text", "note", "text"},
		index:   "create unique index on badges (((num)::text));",
	},
	{
		table:   "people",
		sources: collated(`pg_catalog."C"`, "full_name", "text", "first_name || ' ' || last_name", "default", "'No One'::text"),
		targets: collated(`pg_catalog."C"`, "first_name", "text", "split_part(full_name, ' ', 1)", "", "", "last_name", "text", "split_part(full_name, ' ', 2)"),
		columns: []string{"id", "bigint", "full_name", "text", "age", "integer"},
	},
	{
		table: "families",
		sources: slices.Concat(
			collated(`pg_catalog."C"`, "first_name", "text", "split_part(full_name, ' ', 1)", "default", "'No'::text"),
			collated(`pg_catalog."POSIX"`, "last_name", "text", "split_part(full_name, ' ', 2)"),
		),
		targets: collated(`pg_catalog."C"`, "full_name", "text", "first_name || ' ' || last_name"),
		columns: []string{"id", "bigint", "first_name", "text", "last_name", "text", "age", "integer"},
	},
	{
		table: "pairs", preserves: transform.PreserveComparison,
		sources: sides("n", "integer", "total", "default", "7"),
		targets: sides("total", "bigint", "n"),
		columns: []string{"id", "bigint", "n", "integer", "label", "character varying"},
	},
	{
		table: "pairs", preserves: transform.PreserveComparison,
		sources: sides("label", "character varying(20)", "title"),
		targets: sides("title", "text", "label"),
	},
	{
		table: "authors", past: true,
		sources: sides("full_name", "text", "", "default", "'Anon'::text"),
		targets: sides("name", "text", ""),
		columns: []string{"id", "bigint", "full_name", "text", "age", "integer"},
		index:   "alter table authors rename full_name to name;",
	},
	{
		table:   "authors",
		sources: sides("name", "text", "", "default", "'Anon'::text"),
		targets: sides("display_name", "text", ""),
	},
	{
		table: "items", preserves: transform.PreserveComparison,
		sources:     sides("id", "integer", "big_id", "default", "nextval('public.item_ids'::regclass)"),
		targets:     sides("big_id", "bigint", "id"),
		columns:     []string{"id", "integer", "name", "text", "parent", "integer"},
		constraints: map[string]rewrite.Counterpart{"items_pkey": {Constraint: "items_big_id_key"}},
		index:       "alter table items add constraint items_big_id_key unique (big_id);",
		retire:      "alter table items drop constraint items_pkey, alter column id drop not null, add primary key (big_id);",
	},
	{
		table: "aliases", preserves: transform.PreserveComparison,
		sources: collated(`pg_catalog."C"`, "alias", "character varying(20)", "title"),
		targets: collated(`pg_catalog."C"`, "title", "text", "alias"),
		columns: []string{"id", "bigint", "alias", "character varying", "motto", "text"},
		index:   "create index on aliases (title);",
	},
	{
		table:   "crews", // what reads it back makes a text of NULLs
		sources: sides("crew", "text", "concat_ws(' ', head, tail)"),
		targets: sides("head", "text", "split_part(crew, ' ', 1)", "", "", "tail", "text", "split_part(crew, ' ', 2)"),
		columns: []string{"id", "bigint", "crew", "text", "ship", "text"},
	},
}

var modifier = regexp.MustCompile(`\(.*?\)`)

// sides are columns: name, type and value of each, and its default behind the
// word, if another one follows an empty pair.
func sides(words ...string) (list []transform.Column) {
	for len(words) > 0 {
		c := transform.Column{Name: words[0], Type: words[1], BaseType: modifier.ReplaceAllString(words[1], ""), Value: words[2]}
		if words = words[3:]; len(words) >= 2 {
			if words[0] == "default" {
				c.Default = words[1]
			}
			words = words[2:]
		}
		list = append(list, c)
	}
	return list
}

// collated are columns of one collation.
func collated(collation string, words ...string) []transform.Column {
	list := sides(words...)
	for i := range list {
		list[i].Collation = collation
	}
	return list
}

// kindsCatalog has the transitions of kinds in one phase.
func kindsCatalog(p phase.Phase) rewrite.Catalog {
	c := rewrite.Catalog{SearchPath: []string{"pg_catalog", "public"}, Namesakes: map[rewrite.Name][]string{
		{Schema: "public", Name: "others"}: {"n", "label", "code", "name", "full_name", "title"},
	}}
	for i, k := range kinds {
		name := rewrite.Name{Schema: "public", Name: k.table}
		tr := rewrite.Transition{
			ID: int64(i + 1), Table: name, Phase: p, Token: k.table + "_" + k.sources[0].Name, Constraints: k.constraints,
			Move: transform.Move{Kind: k.kind(), Sources: k.sources, Targets: k.targets, Preserves: k.preserves, Lossy: k.lossy},
		}
		tr.KeepName = p == phase.Named && k.columns != nil && len(k.sources) == 1 && len(k.targets) == 1
		if k.past || p == phase.Named && !tr.KeepName {
			tr.Phase, tr.KeepName = phase.Contracted, false
		}
		if k.columns != nil {
			tr.Key = k.columns[:1] // the first one is the primary key
		}
		c.Transitions = append(c.Transitions, tr)
		if k.columns == nil {
			continue
		}
		t := rewrite.Table{Name: name, Of: name}
		for pair := range slices.Chunk(k.columns, 2) {
			t.Columns = append(t.Columns, rewrite.Column{Name: pair[0], Type: pair[1]})
		}
		c.Tables, c.Homonyms = append(c.Tables, t), append(c.Homonyms, name)
	}
	return c
}

func (k kindOf) kind() transform.Kind {
	switch {
	case len(k.sources) > 1:
		return transform.Merge
	case len(k.targets) > 1:
		return transform.Split
	case k.sources[0].Value == "":
		return transform.Rename
	}
	return transform.Change
}

// expandKinds is the DDL that brings the tables of kinds into a state.
func expandKinds(s state) string {
	var b strings.Builder
	for _, k := range kinds {
		if k.past {
			b.WriteString(k.index)
			continue
		}
		b.WriteString(expansion(s, k.table, transform.Move{Sources: k.sources, Targets: k.targets}, k.index, k.retire))
	}
	return b.String()
}
