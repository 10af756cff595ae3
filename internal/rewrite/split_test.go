package rewrite

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", " ;; -- nothing;\n /* ; */ ", nil},
		{"two", "select 1; select 2", []string{"select 1", "select 2"}},
		{"comments stay", "-- name: X;\nselect 1 /* a /* b; */ ; */;", []string{"-- name: X;\nselect 1 /* a /* b; */ ; */"}},
		{"a remark", "select 1; -- one;\nselect 2 -- two;\n;  --\n-- three\nselect 3", []string{"select 1", "select 2 -- two;", "-- three\nselect 3"}},
		{"strings", `select 'a;''b;', "c;""d;", E'\';', 'x\'; select 2`, []string{`select 'a;''b;', "c;""d;", E'\';', 'x\'`, "select 2"}},
		{"escape string", `select E'a'';\';'; select 2`, []string{`select E'a'';\';'`, "select 2"}},
		{"a string in pieces", "select 'a'\n -- no;\n 'b;'; select 2", []string{"select 'a'\n -- no;\n 'b;'", "select 2"}},
		{"a name that ends in e", `select tablee';\'; select 2`, []string{`select tablee';\'`, "select 2"}},
		{"unicode", `select U&"a;\0061", U&'b;'; select 2`, []string{`select U&"a;\0061", U&'b;'`, "select 2"}},
		{"dollar quotes", "do $x$ begin; $$ ; end $x$; select $1, $2; select a$b$c; select $$;$$",
			[]string{"do $x$ begin; $$ ; end $x$", "select $1, $2", "select a$b$c", "select $$;$$"}},
		{"parentheses", "create rule r as on insert to t do (select 1; select 2); select 3",
			[]string{"create rule r as on insert to t do (select 1; select 2)", "select 3"}},
		{"atomic", "create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3",
			[]string{"create function f() returns int begin atomic select case when true then 1 end; select 2; end", "select 3"}},
		{"begin", "begin; select 1; end", []string{"begin", "select 1", "end"}},
		{"no end", "select 1; select 'a; b", []string{"select 1", "select 'a; b"}},
		{"no end of a comment", "select 1; /* a; b", []string{"select 1"}},
		{"one dollar", "select $", []string{"select $"}},
		{"several at once", `select 1\; select 2;`, []string{`select 1\`, "select 2"}},
		{"a backslash in a string", "select '\n\\c a'; select $$\n\\d\n$$; select 3",
			[]string{"select '\n\\c a'", "select $$\n\\d\n$$", "select 3"}},
		{"a backslash in a comment", "/* \n\\c\n ; */ select 1; select 2", []string{"/* \n\\c\n ; */ select 1", "select 2"}},
		{"psql", "\\c it's\nselect 1;\n\\echo 'x\nselect 2 \\g\nselect 3\n\\gset\nselect 4", []string{"select 1", "select 2", "select 3", "select 4"}},
		{"rows", "copy t (a) from stdin;\n1\tit's;\n\\.\nselect 2", []string{"copy t (a) from stdin", "select 2"}},
		{"rows at the end", "copy t from stdin with (format csv);\n';\n\\.", []string{"copy t from stdin with (format csv)"}},
		{"no rows", "copy t from stdin; select 2", []string{"copy t from stdin", "select 2"}},
	} {
		var got []string
		statements, _ := Split(c.text)
		for _, s := range statements {
			got = append(got, s.Text)
		}
		require.Equal(t, c.want, got, c.name)
	}
}

func TestSplitSaysWhere(t *testing.T) {
	const text = "\\set x 1\n-- name: A :one\n\nselect 1;  select\n2\n;\ncopy t from stdin;\n1;\n\\.\n /* é */ select 3 \\g out\n"
	statements, commands := Split(text)
	var lines []int
	for _, s := range statements {
		require.Equal(t, text[s.Start:s.End], s.Text)
		lines = append(lines, s.Line)
		require.Equal(t, s.Text[:1] == "c", s.Rows, s.Text)
	}
	require.Equal(t, []int{4, 4, 7, 10}, lines)
	require.Equal(t, "select 1", statements[0].Text[statements[0].First:])
	require.Equal(t, "select 3", statements[3].Text[statements[3].First:])
	require.Len(t, commands, 2)
	require.Equal(t, `\set x 1`, commands[0].Text)
	require.Equal(t, `\g out`, commands[1].Text)
	require.Equal(t, 10, commands[1].Line)
}

// FuzzSplit holds that statements stand in the text in order, and that one
// taken alone is one statement.
func FuzzSplit(f *testing.F) {
	for _, sql := range scanCases {
		f.Add(sql + ";" + sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		statements, commands := Split(sql)
		end := 0
		for _, s := range statements {
			require.True(t, end <= s.Start && s.Start < s.End && s.First < len(s.Text), "%q", sql)
			require.Equal(t, sql[s.Start:s.End], s.Text)
			require.Equal(t, strings.Count(sql[:s.Start+s.First], "\n")+1, s.Line)
			end = s.End
			again, _ := Split(s.Text)
			require.Len(t, again, 1, "%q in %q", s.Text, sql)
		}
		for _, c := range commands {
			require.Equal(t, byte('\\'), c.Text[0])
		}
	})
}
