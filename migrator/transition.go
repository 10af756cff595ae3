package migrator

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pgcrossfade/crossfade/internal/ddl"
)

// Transition is what a transition file asks for.
type Transition struct {
	// Name names the transition in commands and in the ledger: letters,
	// digits, '-' and '_', at most 63 of them.
	Name string `yaml:"name" json:"name"`
	// Table is the table of the columns, as "schema.table" or "table"; the
	// latter is looked up in the search_path of the migrator's role. Names are
	// taken as they stand in the catalog; one that holds a dot is put in
	// double quotes.
	Table string `yaml:"table" json:"table"`
	// One of these says what to do: Rename gives a column a new name, Change a new
	// type or other values too, Split makes several columns of one, Merge one of
	// several.
	Rename *Rename `yaml:"rename,omitempty" json:"rename,omitempty"`
	Change *Change `yaml:"change,omitempty" json:"change,omitempty"`
	Split  *Split  `yaml:"split,omitempty" json:"split,omitempty"`
	Merge  *Merge  `yaml:"merge,omitempty" json:"merge,omitempty"`
	// Or one of these, which move no column and need no hook.
	AddColumn     *AddColumn     `yaml:"add_column,omitempty" json:"add_column,omitempty"`
	DropColumn    *DropColumn    `yaml:"drop_column,omitempty" json:"drop_column,omitempty"`
	SetNotNull    *SetNotNull    `yaml:"set_not_null,omitempty" json:"set_not_null,omitempty"`
	AddIndex      *AddIndex      `yaml:"add_index,omitempty" json:"add_index,omitempty"`
	AddUnique     *AddUnique     `yaml:"add_unique,omitempty" json:"add_unique,omitempty"`
	AddCheck      *AddCheck      `yaml:"add_check,omitempty" json:"add_check,omitempty"`
	AddForeignKey *AddForeignKey `yaml:"add_foreign_key,omitempty" json:"add_foreign_key,omitempty"`
	// Accept lists codes of preflight findings that would otherwise refuse the
	// transition.
	Accept []string `yaml:"accept,omitempty" json:"accept,omitempty"`
	// IgnoreApplications lists application names whose sessions do not embed
	// the hook and need not be waited for: the operator vouches that they do
	// not touch the column.
	IgnoreApplications []string `yaml:"ignore_applications,omitempty" json:"ignore_applications,omitempty"`

	// Sync says what is done about writers that do not embed the hook: "none", the
	// default, "trigger", or "logical".
	Sync string `yaml:"sync,omitempty" json:"sync,omitempty"`
	// SyncMode is what the trigger does about a write of one side: "sync", the
	// default, lets the other side follow; "refuse" raises an error; "count" only
	// notes who wrote.
	SyncMode string `yaml:"sync_mode,omitempty" json:"sync_mode,omitempty"`

	text string // the file as it was read, for the ledger
}

// TransitionSchema is the JSON Schema of transition files, for editors.
//
//go:embed transition.schema.json
var TransitionSchema []byte

// LoadTransition reads a transition file.
func LoadTransition(path string) (Transition, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Transition{}, fmt.Errorf("read transition file: %w", err)
	}
	t, err := ParseTransition(text)
	if err != nil {
		return Transition{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// ParseTransition reads the YAML text of a transition file. Unknown keys,
// duplicate keys and a second document are errors; they carry line numbers.
func ParseTransition(text []byte) (Transition, error) {
	var t Transition
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&t); err != nil {
		if errors.Is(err, io.EOF) {
			return Transition{}, errors.New("parse transition: the file is empty")
		}
		return Transition{}, fmt.Errorf("parse transition: %w", plainYAML(err))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Transition{}, errors.New("parse transition: one file holds one transition, this one goes on after it")
	}
	t.text = string(text)
	return t, t.Validate()
}

// plainYAML says what the decoder found without naming Go types.
func plainYAML(err error) error {
	var typeError *yaml.TypeError
	if !errors.As(err, &typeError) {
		return err
	}
	lines := make([]string, len(typeError.Errors))
	for i, line := range typeError.Errors {
		line = strings.ReplaceAll(line, "field ", "key ")
		line, _, _ = strings.Cut(line, " not found in type ")
		if line != typeError.Errors[i] && !strings.Contains(line, "already set") {
			line += " is not known here"
		}
		line, _, _ = strings.Cut(line, " in type migrator.")
		lines[i] = line
	}
	return errors.New(strings.Join(lines, "; "))
}

// Validate tells what is missing or malformed. It does not look at a database.
func (t Transition) Validate() error {
	var errs []error
	if !nameSyntax.MatchString(t.Name) {
		errs = append(errs, fmt.Errorf("name: %q is not 1 to 63 letters, digits, '-' or '_'", t.Name))
	}
	if _, err := ddl.ParseName(t.Table); err != nil {
		errs = append(errs, fmt.Errorf("table: %w", err))
	}
	if o, err := t.operation(); err != nil {
		errs = append(errs, err)
	} else {
		errs = append(errs, o.validate()...)
	}
	errs = append(errs, t.validateSync()...)
	for _, application := range t.IgnoreApplications {
		if application == "" {
			errs = append(errs, errors.New("ignore_applications: an empty name would vouch for every session that gives none"))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("transition %q: %w", t.Name, errors.Join(errs...))
	}
	return nil
}

var nameSyntax = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// source is the file's text, or one made up from the fields.
func (t Transition) source() string {
	if t.text != "" {
		return t.text
	}
	text, err := yaml.Marshal(t)
	if err != nil {
		return ""
	}
	return string(text)
}
