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
	functions map[string]bool
	homonyms  []rewrite.Name
	namesakes map[rewrite.Name][]string
	// Fingerprint identifies the content.
	Fingerprint string
}

// answer is what read.sql returns.
type answer struct {
	Relations []relation      `json:"relations"`
	Views     []view          `json:"views"`
	Functions map[string]bool `json:"functions"`
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
}

type column struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Generated bool   `json:"generated,omitempty"`
	Position  int    `json:"position"`
}

type view struct {
	Schema   string `json:"schema"`
	Name     string `json:"name"`
	OfSchema string `json:"of_schema"`
	OfName   string `json:"of_name"`
	Reads    bool   `json:"reads"`
	Writable bool   `json:"writable"`
}

// fill sorts what was found into the snapshot, with its fingerprint: the answer
// without what the migrator itself changes.
func (s *Snapshot) fill(text []byte, transitions []fence.Member) error {
	var found answer
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("read catalog: %w", err)
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
		found.Relations[i].Columns = logical(r.Columns, of(transitions, t.Of), name == t.Of)
		for _, c := range found.Relations[i].Columns {
			t.Columns = append(t.Columns, rewrite.Column{Name: c.Name, Type: c.Type, Generated: c.Generated})
		}
		s.tables = append(s.tables, t)
	}
	for _, v := range found.Views {
		s.views = append(s.views, rewrite.View{
			Name: rewrite.Name{Schema: v.Schema, Name: v.Name}, Of: rewrite.Name{Schema: v.OfSchema, Name: v.OfName},
			Reads: v.Reads, Writable: v.Writable,
		})
	}
	s.functions = found.Functions
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

// logical are the columns of the table without targets, the sources where they
// stand, or stood. Positions are those of the transition's table: in a
// descendant, a source that has gone stands last.
func logical(columns []column, transitions []fence.Member, root bool) []column {
	kept := slices.Clone(columns)
	without := func(name string) {
		kept = slices.DeleteFunc(kept, func(c column) bool { return c.Name == name })
	}
	for _, t := range transitions {
		for _, target := range t.Definition.Targets {
			without(target.Name)
		}
	}
	for _, t := range transitions {
		for _, source := range t.Definition.Sources {
			if isTarget(source.Name, transitions) {
				continue // of an earlier one, whose source stands for it
			}
			moving := column{Name: source.Name, Type: source.BaseType, Position: source.Position}
			if i := slices.IndexFunc(kept, func(c column) bool { return c.Name == source.Name }); i >= 0 {
				moving.Position = kept[i].Position
			} else if !root {
				moving.Position = 1 << 15
			}
			without(source.Name)
			kept = append(kept, moving)
		}
	}
	slices.SortStableFunc(kept, func(a, b column) int { return a.Position - b.Position })
	return kept
}

func isTarget(name string, transitions []fence.Member) bool {
	return slices.ContainsFunc(transitions, func(t fence.Member) bool {
		return slices.Contains(t.Definition.TargetNames(), name)
	})
}
