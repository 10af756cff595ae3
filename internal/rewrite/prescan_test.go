package rewrite

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestPrescanFindsEveryWord(t *testing.T) {
	for _, words := range wordSets {
		p := newPrescan(words)
		random := rand.New(rand.NewPCG(1, 2))
		for range 20000 {
			text := noise(random, 40)
			word := words[random.IntN(len(words))]
			if random.IntN(2) == 0 {
				word = strings.Replace(word, "s", "S", 1)
			}
			at := random.IntN(len(text) + 1)
			require.True(t, p.hit(text[:at]+word+text[at:]), "%q in %q", word, text)
		}
	}
}

// wordSets are words as tables in transition may be called.
var wordSets = [][]string{
	{"users"}, {"users", "role", "search_path"}, {"ab"}, {"été", "x_1"}, {"t"}, {`us""ers`},
	{"ab", "abc", "users_archive", "users"}, append([]string{"accounts"}, sessionNames...),
}

// checkPrescan compares with the plain way to find words, which is exact.
func checkPrescan(t *testing.T, words []string, text string) {
	t.Helper()
	folded := foldASCII(text)
	want := strings.Contains(folded, `u&"`) || strings.Contains(folded, "u&'")
	for _, word := range words {
		want = want || len(word) < 2 || strings.Contains(folded, word)
	}
	require.Equal(t, want, newPrescan(words).hit(text), "%q in %q", words, text)
}

func TestPrescanIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		words := wordSets[random.IntN(len(wordSets))]
		text := noise(random, 60)
		if word := words[random.IntN(len(words))]; random.IntN(2) == 0 {
			text += word[:random.IntN(len(word))] + noise(random, 4) // most of a word
		}
		checkPrescan(t, words, text)
	}
}

func FuzzPrescan(f *testing.F) {
	f.Add("users", "select 1 from USERS")
	f.Add("x1", "select u&'x' from y, xX1")
	for _, sql := range sampleTexts(f) {
		f.Add("orders", sql)
	}
	f.Fuzz(func(t *testing.T, word, text string) {
		if word == "" {
			return
		}
		checkPrescan(t, []string{foldASCII(word)}, text)
		checkPrescan(t, append([]string{foldASCII(word)}, sessionNames...), text)
	})
}

// Whatever the tokens of a text say of tables and of the session, the text has
// not been passed unseen.
func FuzzPassed(f *testing.F) {
	for _, sql := range append(sampleTexts(f), sessionTexts...) {
		f.Add(sql)
	}
	r := sampleRewriter(f)
	f.Fuzz(func(t *testing.T, sql string) { checkPassed(t, r, sql) })
}

func TestPassed(t *testing.T) {
	r := sampleRewriter(t)
	for _, sql := range append(sampleTexts(t), sessionTexts...) {
		checkPassed(t, r, sql)
	}
	random := rand.New(rand.NewPCG(5, 6))
	parts := []string{";", " ", "'", "''", `"`, "--", "\n", "/*", "*/", "set ", "RESET ", "do ", "$$", "discard all", "role x", "select ", "x", "users", "u&'", "E'", "\\"}
	for range 50_000 {
		var b strings.Builder
		for range random.IntN(10) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		checkPassed(t, r, b.String())
	}
}

func checkPassed(t *testing.T, r *Rewriter, sql string) {
	t.Helper()
	tokens := scan(sql, nil)
	resets, movesPath := session(sql, tokens)
	if resets || movesPath || r.mentions(sql, tokens) {
		require.True(t, r.prescan.hit(sql) || beginsSession(sql), "%q", sql)
	}
}

func sampleRewriter(t testing.TB) *Rewriter {
	t.Helper()
	users := Name{Schema: "public", Name: "users"}
	r, err := New(Catalog{
		SearchPath: []string{"pg_catalog", "public"}, Homonyms: []Name{users},
		Transitions: []Transition{{
			ID: 1, Table: users, Phase: phase.Live, Token: "t1_live_1",
			Move: transform.Renamed(transform.Column{Name: "full_name", Type: "text", BaseType: "text"}, "name"),
		}},
		Tables: []Table{{Name: users, Of: users, Columns: []Column{
			{Name: "id", Type: "bigint"}, {Name: "full_name", Type: "text"}, {Name: "created_at", Type: "timestamp with time zone"},
		}}},
	})
	require.NoError(t, err)
	return r
}

func TestPrescanPassesOthers(t *testing.T) {
	p := newPrescan(append([]string{"users"}, sessionNames...))
	for _, text := range []string{"", "u", "user", "select 1", strings.Repeat("use rs ", 100), "a & b", "x&'y'"} {
		require.False(t, p.hit(text), text)
	}
	for _, text := range []string{"USERS", "xusersx", "U&\"x\"", "a u&'x'"} {
		require.True(t, p.hit(text), text)
	}
}

func TestPrescanDoesNotAllocate(t *testing.T) {
	p := newPrescan(append([]string{"users"}, sessionNames...))
	text := strings.Repeat("select id, title from posts where author_id = $1 and x & y > 0;\n", 50)
	require.Zero(t, testing.AllocsPerRun(100, func() { p.hit(text) }))
}

// sessionTexts may do something to the session, as far as their bytes tell.
var sessionTexts = []string{
	"set role x", " SET ROLE x", "/* a /* b */ */ -- c\n;reset all", "select 1; set role x", "do $$$$",
	"select 1; /* b */ DISCARD all", "select '; set'", "select ';-- '; set role x", "select '; /* '; set role x; select '*/'",
	"select 1;/*", "do",
}

func TestSessionCommandsAreSeen(t *testing.T) {
	for _, text := range sessionTexts {
		require.True(t, beginsSession(text), text)
	}
	for _, text := range []string{"", "select 1", "select 1; ;\n", "settle", "-- set", "dot", "select * from doc", "set_x", "/* ; */ select 1"} {
		require.False(t, beginsSession(text), text)
	}
}

func noise(random *rand.Rand, n int) string {
	b := make([]byte, random.IntN(n))
	for i := range b {
		b[i] = "abcdeUSR_s \n\"'&x"[random.IntN(16)]
	}
	return string(b)
}
