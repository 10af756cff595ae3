package ledger

import "fmt"

// KindOther is the kind of a Dependent that no other kind is for.
const KindOther = "object"

// Dependent is an object that hangs on the sources, with what makes it, or a
// counterpart of it, hang on the targets. What a transition cannot take along
// has no Changes: somebody answers for it.
type Dependent struct {
	// Kind is what it is: "view", "check constraint" ...
	Kind string `json:"kind"`
	// Schema and Relation name the table or view that it is, or belongs to; Name
	// is its own name there, if it has one.
	Schema   string `json:"schema"`
	Relation string `json:"relation"`
	Name     string `json:"name,omitempty"`
	// Definition is what PostgreSQL printed of it when the transition began.
	Definition string `json:"definition"`
	// Counterpart is the name of what comes to stand beside it on the targets;
	// empty where the object itself goes over to them.
	Counterpart string `json:"counterpart,omitempty"`
	// Changes are the statements of each step, by the step's name.
	Changes map[string]Change `json:"changes,omitempty"`
}

// String names the object for people.
func (d Dependent) String() string {
	relation := d.Schema + "." + d.Relation
	switch {
	case d.Name == "":
		return d.Kind + " " + relation
	case d.Kind == KindOther:
		return d.Name // as PostgreSQL describes it
	}
	return fmt.Sprintf("%s %s on %s", d.Kind, d.Name, relation)
}

// Fate says for people what becomes of it.
func (d Dependent) Fate() string {
	switch {
	case len(d.Changes) == 0:
		return "it is in the operator's hands, and may not read the source in complete"
	case d.Counterpart != "":
		return "the target gets the same: " + d.Counterpart
	}
	return "it goes over to the target before complete, and back in a rollback"
}

// Is tells whether two are the same object, whatever has become of it.
func (d Dependent) Is(other Dependent) bool {
	return d.Kind == other.Kind && d.Schema == other.Schema && d.Relation == other.Relation && d.Name == other.Name
}

// Change is what a step does about a dependent, and what takes it back. Each
// statement may run again.
type Change struct {
	Do   []Statement `json:"do,omitempty"`
	Undo []Statement `json:"undo,omitempty"`
}

// Statement is one statement of a Change, as package ddl has made it.
type Statement struct {
	SQL    string `json:"sql"`
	Lock   string `json:"lock"`
	On     string `json:"on"`
	Hazard string `json:"hazard,omitempty"`
	Why    string `json:"why,omitempty"`
	// Quick: it only changes the catalog, so that its duration is bounded.
	Quick bool `json:"quick,omitempty"`
	// Only: of a partitioned table it locks the table alone.
	Only bool `json:"only,omitempty"`
	// Unless names a constraint of the table that makes it needless.
	Unless string `json:"unless,omitempty"`
	// Validates names the constraint of the table that it validates.
	Validates string `json:"validates,omitempty"`
}
