package rewrite

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrescanFindsEveryWord(t *testing.T) {
	for _, words := range [][]string{{"users"}, {"users", "role", "search_path"}, {"ab"}, {"été", "x_1"}, {"t"}} {
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

func TestSessionCommandsAreSeen(t *testing.T) {
	for _, text := range []string{
		"set role x", " SET ROLE x", "/* a /* b */ */ -- c\n;reset all", "select 1; set role x", "do $$$$", "select 1; /* b */ DISCARD all", "select '; set'",
	} {
		require.True(t, beginsSession(text), text)
	}
	for _, text := range []string{"", "select 1", "select 1; ;\n", "settle", "-- set", "dot", "select * from doc"} {
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
