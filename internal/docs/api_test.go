package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// public are the packages that others import.
var public = []string{"dualwrite", "logical", "migrator", "migrator/openfeature", "migrator/statuspage"}

// TestExportedNamesAreDocumented: each exported name has a comment. The names of a
// group may have one for all.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, dir := range public {
		files := sourcesOf(t, root+dir)
		hasPackageComment := false
		for path, file := range files {
			hasPackageComment = hasPackageComment || file.Doc != nil
			for _, decl := range file.Decls {
				for _, name := range undocumented(decl) {
					assert.Fail(t, "no comment", "%s: %s", path, name)
				}
			}
		}
		assert.True(t, hasPackageComment, "%s has no package comment", dir)
	}
}

// TestMainNamesHaveExamples: what one begins with has an example that runs.
func TestMainNamesHaveExamples(t *testing.T) {
	t.Parallel()
	for dir, names := range map[string][]string{
		"dualwrite":           {"Example", "ExampleHook_NewPool", "ExampleHook_OpenDB", "ExampleIsStalePhase", "ExampleAsRefusal"},
		"logical":             {"Example", "ExampleTailer_Check"},
		"migrator/statuspage": {"Example"},
		"migrator": {"Example", "ExampleMigrator_Plan", "ExampleMigrator_Run", "ExampleMigrator_Advance", "ExampleMigrator_Rollback",
			"ExampleMigrator_Status", "ExampleMigrator_Verify", "ExampleMigrator_Follow"},
	} {
		examples := map[string]bool{}
		paths, err := filepath.Glob(root + dir + "/example*_test.go")
		require.NoError(t, err)
		for _, path := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			require.NoError(t, err)
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok {
					examples[f.Name.Name] = true
				}
			}
		}
		for _, name := range names {
			assert.True(t, examples[name], "%s has no %s", dir, name)
		}
	}
}

func sourcesOf(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	parsed, err := parser.ParseDir(token.NewFileSet(), dir, func(info fs.FileInfo) bool { //nolint:staticcheck // build tags do not matter
		return !strings.HasSuffix(info.Name(), "_test.go")
	}, parser.ParseComments)
	require.NoError(t, err)
	require.Len(t, parsed, 1, dir)
	for _, p := range parsed { //nolint:staticcheck // see above
		return p.Files
	}
	return nil
}

// undocumented lists the exported names of a declaration that lack a comment.
func undocumented(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exported(d.Recv.List[0].Type) && !customary[d.Name.Name]) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					if d.Doc == nil && s.Doc == nil {
						names = append(names, s.Name.Name)
					}
					names = append(names, members(s.Name.Name, s.Type)...)
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// customary are methods whose contract is known by their name.
var customary = map[string]bool{"Error": true, "Unwrap": true, "String": true}

// members lists the methods of an interface, and the fields of what a caller fills
// in, that lack a comment. One may stand above several fields without a blank line
// between. What the fields of results are, their type says.
func members(typ string, expr ast.Expr) (names []string) {
	var list *ast.FieldList
	switch e := expr.(type) {
	case *ast.StructType:
		if strings.HasSuffix(typ, "Config") || strings.HasSuffix(typ, "Options") {
			list = e.Fields
		}
	case *ast.InterfaceType:
		list = e.Methods
	}
	if list == nil {
		return nil
	}
	var last token.Pos // the end of a field with a comment, or of one that shares it
	for _, field := range list.List {
		shared := last.IsValid() && field.Pos()-last < 4 // a line break and a tab
		if field.Doc == nil && field.Comment == nil && !shared {
			for _, name := range field.Names {
				if name.IsExported() {
					names = append(names, typ+"."+name.Name)
				}
			}
			continue
		}
		last = field.End()
	}
	return names
}

func exported(receiver ast.Expr) bool {
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}
