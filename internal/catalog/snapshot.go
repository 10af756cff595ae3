package catalog

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Snapshot is what one reading found. Equal snapshots have equal Fingerprints.
type Snapshot struct {
	tables    []rewrite.Table
	views     []rewrite.View
	ancestors []rewrite.Ancestor
	opaque    []rewrite.Function
	functions map[string]bool
	columns   map[string]bool
	homonyms  []rewrite.Name
	namesakes map[rewrite.Name][]string
	synced    []string
	// Fingerprint identifies the content.
	Fingerprint string
	// mark is the state of the catalogs it was read from.
	mark string
}

// answer is what read.sql returns.
type answer struct {
	Relations []relation      `json:"relations"`
	Views     []view          `json:"views"`
	Ancestors []member        `json:"ancestors"`
	Opaque    []member        `json:"opaque"`
	Functions map[string]bool `json:"functions"`
	// Synced are the functions of triggers that are in force. A trigger that
	// comes or goes counts as drift: what may be copied depends on it.
	Synced []string `json:"synced"`
	// ColumnNames are no part of what is kept: any new table would count as drift.
	ColumnNames map[string]bool `json:"column_names,omitempty"`
}

// relation is a table in transition or one of its descendants, with all its
// columns; a homonym; or another relation with its columns of a tracked name.
type relation struct {
	Schema   string   `json:"schema"`
	Name     string   `json:"name"`
	OfSchema string   `json:"of_schema"`
	OfName   string   `json:"of_name"`
	Kind     string   `json:"kind"`
	Homonym  bool     `json:"homonym"`
	Columns  []column `json:"columns"`
	// OwnDefaults are the sources with another default than the transition's table.
	OwnDefaults []string `json:"own_defaults"`
	// Dropped are the positions of columns that are gone.
	Dropped []int `json:"dropped"`
}

type column struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Generated bool   `json:"generated,omitempty"`
	Position  int    `json:"position"`
	// Default is left out of what is kept: the migrator takes defaults away.
	Default string `json:"default"`
}

// member is a relation or function that has to do with a table in transition.
type member struct {
	Schema   string `json:"schema"`
	Name     string `json:"name"`
	OfSchema string `json:"of_schema"`
	OfName   string `json:"of_name"`
}

func (m member) name() rewrite.Name { return rewrite.Name{Schema: m.Schema, Name: m.Name} }
func (m member) of() rewrite.Name   { return rewrite.Name{Schema: m.OfSchema, Name: m.OfName} }

type view struct {
	member
	Kind  rewrite.ViewKind `json:"kind"`
	Reads []string         `json:"reads"`
	Whole bool             `json:"whole"`
	Acts  bool             `json:"acts"`
}

// fill sorts what was found into the snapshot, with its fingerprint: the answer
// without what the migrator itself changes.
func (s *Snapshot) fill(text []byte, transitions []fence.Member) error {
	var found answer
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	roots := map[rewrite.Name]*relation{}
	for _, r := range found.Relations {
		if r.Schema == r.OfSchema && r.Name == r.OfName {
			roots[rewrite.Name{Schema: r.Schema, Name: r.Name}] = &r
		}
	}
	for i, r := range found.Relations {
		name := rewrite.Name{Schema: r.Schema, Name: r.Name}
		if r.Homonym {
			s.homonyms = append(s.homonyms, name)
		}
		if r.OfName == "" {
			for _, c := range r.Columns {
				s.namesakes[name] = append(s.namesakes[name], c.Name)
			}
			continue
		}
		t := rewrite.Table{Name: name, Of: rewrite.Name{Schema: r.OfSchema, Name: r.OfName}, Kind: r.Kind}
		root := roots[t.Of]
		if name == t.Of {
			root = nil
		}
		t.OwnDefaults = ownDefaults(r, root, of(transitions, t.Of))
		found.Relations[i].OwnDefaults = t.OwnDefaults
		var sure bool
		found.Relations[i].Columns, sure = logical(r, root, of(transitions, t.Of))
		found.Relations[i].Dropped = nil
		t.Unordered = !sure
		for k, c := range found.Relations[i].Columns {
			found.Relations[i].Columns[k].Default = ""
			t.Columns = append(t.Columns, rewrite.Column{Name: c.Name, Type: c.Type, Generated: c.Generated})
		}
		s.tables = append(s.tables, t)
	}
	for _, v := range found.Views {
		s.views = append(s.views, rewrite.View{
			Name: v.name(), Of: v.of(), Kind: v.Kind, Reads: v.Reads, Whole: v.Whole, Acts: v.Acts,
		})
	}
	for _, m := range found.Ancestors {
		s.ancestors = append(s.ancestors, rewrite.Ancestor{Name: m.name(), Of: m.of()})
	}
	for _, m := range found.Opaque {
		s.opaque = append(s.opaque, rewrite.Function{Name: m.name(), Of: m.of()})
	}
	s.synced = found.Synced
	s.functions, s.columns, found.ColumnNames = found.Functions, found.ColumnNames, nil
	for _, t := range transitions {
		for _, name := range slices.Concat(t.Definition.SourceNames(), t.Definition.TargetNames()) {
			delete(s.columns, name) // known for each table
		}
	}
	fingerprint, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	s.Fingerprint = string(fingerprint)
	return nil
}

// of are the transitions of a table.
func of(transitions []fence.Member, table rewrite.Name) []fence.Member {
	return slices.DeleteFunc(slices.Clone(transitions), func(t fence.Member) bool {
		return t.Schema != table.Schema || t.Table != table.Name
	})
}
