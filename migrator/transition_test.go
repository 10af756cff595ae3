package migrator_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

const goodFile = `# moves the column
name: users-full-name
table: public.users
rename: {from: full_name, to: name}
accept: [function-names-column]
ignore_applications: [psql]
`

func TestLoadTransition(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rename.yaml")
	require.NoError(t, os.WriteFile(path, []byte(goodFile), 0o600))
	got, err := migrator.LoadTransition(path)
	require.NoError(t, err)
	require.Equal(t, "users-full-name", got.Name)
	require.Equal(t, "public.users", got.Table)
	require.Equal(t, &migrator.Rename{From: "full_name", To: "name"}, got.Rename)
	require.Equal(t, []string{"function-names-column"}, got.Accept)
	require.Equal(t, []string{"psql"}, got.IgnoreApplications)
	_, err = migrator.LoadTransition(path + ".gone")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestParseTransitionErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"comment only", "# nothing\n", "the file is empty"},
		{"unknown key", goodFile + "batch: 5\n", "line 7: key batch is not known here"},
		{"unknown nested key", strings.Replace(goodFile, "to: name", "too: name", 1), "line 4: key too is not known here"},
		{"duplicate key", goodFile + "name: again\n", `line 7: mapping key "name" already defined at line 2`},
		{"wrong type", strings.Replace(goodFile, "[psql]", "{a: b}", 1), "line 6"},
		{"broken", "name: [", "line 1"},
		{"second document", goodFile + "---\nname: other\n", "one file holds one transition"},
		{"no name", "table: users\nrename: {from: a, to: b}\n", "name:"},
		{"bad name", "name: a b\ntable: users\nrename: {from: a, to: b}\n", `name: "a b"`},
		{"no table", "name: x\nrename: {from: a, to: b}\n", "table:"},
		{"three parts", "name: x\ntable: a.b.c\nrename: {from: a, to: b}\n", `"a.b.c" is not of the form`},
		{"open quote", "name: x\ntable: '\"a.b'\nrename: {from: a, to: b}\n", "the quote has no end"},
		{"no operation", "name: x\ntable: users\n", "say what to do, with one of rename, change, split and merge"},
		{"no target", "name: x\ntable: users\nrename: {from: a}\n", "from and to: a column's name is missing"},
		{"same name", "name: x\ntable: users\nrename: {from: a, to: a}\n", "the same name twice"},
		{"long target", "name: x\ntable: users\nrename: {from: a, to: " + strings.Repeat("n", 64) + "}\n", "63 bytes"},
		{"two operations", goodFile + "change: {from: a, to: b, type: int}\n", "one of rename, change, split and merge"},
		{"no type", "name: x\ntable: users\nchange: {from: a, to: b}\n", "change: type is needed"},
		{"what is lost", "name: x\ntable: users\nchange: {from: a, to: b, type: int, lossy: [sideways]}\n", `"sideways" is neither`},
		{"lost twice", "name: x\ntable: users\nchange: {from: a, to: b, type: int, lossy: [forward, forward]}\n", "stands there twice"},
		{"what is kept", "name: x\ntable: users\nchange: {from: a, to: b, type: int, preserves: most}\n", `"most" is none of`},
		{"unknown key of a change", "name: x\ntable: users\nchange:\n  from: a\n  into: b\n", "line 5: key into is not known here"},
		{"split into one", "name: x\ntable: users\nsplit: {from: a, backward: b, to: [{name: b, type: text, value: a}]}\n", "two columns or more"},
		{"split without value", "name: x\ntable: users\nsplit: {from: a, backward: b, to: [{name: b, type: text}, {name: c, type: text, value: a}]}\n",
			"split: the value of each column is needed"},
		{"split without backward", "name: x\ntable: users\nsplit: {from: a, to: [{name: b, type: text, value: a}, {name: c, type: text, value: a}]}\n",
			"split: backward is needed"},
		{"split into itself", "name: x\ntable: users\nsplit: {from: a, backward: b, to: [{name: b, type: text, value: a}, {name: a, type: text, value: a}]}\n",
			`split: "a" is the same name twice`},
		{"merge of one", "name: x\ntable: users\nmerge: {to: b, type: text, forward: a, from: [{name: a, value: b}]}\n", "two columns or more"},
		{"merge without forward", "name: x\ntable: users\nmerge: {to: b, type: text, from: [{name: a, value: b}, {name: c, value: b}]}\n",
			"merge: forward is needed"},
		{"nothing to add", "name: x\ntable: users\nadd_column: {type: int}\n", "add_column: name is needed"},
		{"a long index", "name: x\ntable: users\nadd_index: {on: (a), name: " + strings.Repeat("n", 64) + "}\n", "63 bytes"},
		{"index on nothing", "name: x\ntable: users\nadd_index: {name: i}\n", "add_index: on is needed"},
		{"unique of nothing", "name: x\ntable: users\nadd_unique: {name: u, columns: []}\n", "add_unique: columns: name a column"},
		{"deferred at once", "name: x\ntable: users\nadd_unique: {name: u, columns: [a], initially_deferred: true}\n", "for a deferrable one"},
		{"unknown action", "name: x\ntable: users\nadd_foreign_key: {name: f, columns: [a], references: {table: t}, on_delete: weep}\n",
			`on_delete: "weep" is none of`},
		{"move and add", goodFile + "add_check: {name: c, check: a > 0}\n", "say what to do, with one of"},
		{"empty application", "name: x\ntable: users\nrename: {from: a, to: b}\nignore_applications: ['']\n", "an empty name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := migrator.ParseTransition([]byte(c.text))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "migrator.", "no Go types")
		})
	}
}

func TestQuotedTable(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"users", "public.users", `"my.schema".users`, `app."odd.table"`, `"a"."b"`} {
		tr := rename
		tr.Table = table
		require.NoError(t, tr.Validate(), table)
	}
	for _, table := range []string{"", ".", "a.", ".b", `"a"b`, `""`} {
		tr := rename
		tr.Table = table
		require.Error(t, tr.Validate(), table)
	}
}

// TestSchemaMatchesStruct: the JSON Schema knows the keys that the parser knows.
func TestSchemaMatchesStruct(t *testing.T) {
	t.Parallel()
	type object struct {
		Properties           map[string]json.RawMessage `json:"properties"`
		Required             []string                   `json:"required"`
		AdditionalProperties *bool                      `json:"additionalProperties"`
	}
	assert := func(text []byte, typ reflect.Type) object {
		t.Helper()
		var schema object
		require.NoError(t, json.Unmarshal(text, &schema))
		require.NotNil(t, schema.AdditionalProperties)
		require.False(t, *schema.AdditionalProperties)
		var keys, required []string
		for i := range typ.NumField() {
			tag := typ.Field(i).Tag.Get("yaml")
			if tag == "" {
				continue
			}
			key, options, _ := strings.Cut(tag, ",")
			require.Contains(t, schema.Properties, key)
			keys = append(keys, key)
			if options != "omitempty" {
				required = append(required, key)
			}
		}
		require.Len(t, schema.Properties, len(keys))
		slices.Sort(required)
		slices.Sort(schema.Required)
		require.Equal(t, required, schema.Required)
		return schema
	}
	top := assert(migrator.TransitionSchema, reflect.TypeFor[migrator.Transition]())
	assert(top.Properties["rename"], reflect.TypeFor[migrator.Rename]())
	assert(top.Properties["change"], reflect.TypeFor[migrator.Change]())
	items := func(object object, list string) json.RawMessage {
		var array struct{ Items json.RawMessage }
		require.NoError(t, json.Unmarshal(object.Properties[list], &array))
		return array.Items
	}
	split := assert(top.Properties["split"], reflect.TypeFor[migrator.Split]())
	assert(items(split, "to"), reflect.TypeFor[migrator.SplitInto]())
	merge := assert(top.Properties["merge"], reflect.TypeFor[migrator.Merge]())
	assert(items(merge, "from"), reflect.TypeFor[migrator.MergeOf]())
	assert(top.Properties["add_column"], reflect.TypeFor[migrator.AddColumn]())
	assert(top.Properties["drop_column"], reflect.TypeFor[migrator.DropColumn]())
	assert(top.Properties["set_not_null"], reflect.TypeFor[migrator.SetNotNull]())
	assert(top.Properties["add_index"], reflect.TypeFor[migrator.AddIndex]())
	assert(top.Properties["add_unique"], reflect.TypeFor[migrator.AddUnique]())
	assert(top.Properties["add_check"], reflect.TypeFor[migrator.AddCheck]())
	foreign := assert(top.Properties["add_foreign_key"], reflect.TypeFor[migrator.AddForeignKey]())
	assert(foreign.Properties["references"], reflect.TypeFor[migrator.References]())
}

// TestDocumentedFiles: what the manuals show are transition files, of every kind.
func TestDocumentedFiles(t *testing.T) {
	t.Parallel()
	for manual, kinds := range map[string][]string{
		"transitions.md": {"change", "merge", "rename", "split"},
		"dependents.md":  {"change"},
		"alterations.md": {"add_check", "add_column", "add_foreign_key", "add_index", "add_unique", "drop_column", "set_not_null"},
	} {
		text, err := os.ReadFile("../docs/" + manual)
		require.NoError(t, err)
		var keys []string
		for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
			file, _, _ := strings.Cut(block, "```")
			if !strings.HasPrefix(file, "name:") {
				continue
			}
			tr, err := migrator.ParseTransition([]byte(file))
			require.NoError(t, err, file)
			require.NotEmpty(t, tr.Does())
			require.Equal(t, manual != "alterations.md", len(tr.Sources()) > 0 && len(tr.Targets()) > 0)
			keys = append(keys, string(tr.Request("", "").Move.Kind))
		}
		slices.Sort(keys)
		require.Equal(t, kinds, slices.Compact(keys), "every kind is shown")
	}
}

func FuzzParseTransition(f *testing.F) {
	f.Add(goodFile)
	f.Add("name: x\ntable: '\"a\".b'\nrename: {from: a, to: b}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if tr, err := migrator.ParseTransition([]byte(text)); err == nil {
			require.NoError(t, tr.Validate())
		}
	})
}
