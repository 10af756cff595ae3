package dualwrite

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kept translates a text as often as it takes to be kept.
func kept(texts *translator, sql string) *statement {
	texts.translate([]byte(sql))
	return texts.translate([]byte(sql))
}

func TestCacheIsBounded(t *testing.T) {
	many := strings.Repeat("update users set full_name = 'x' where id = 1; ", 100)
	for name, c := range map[string]struct {
		paths, texts int
		format       string
	}{
		"unrelated":  {1, 60_000, "select %d"},
		"rewritten":  {1, 30_000, "select full_name from users where id = %d"},
		"refused":    {1, 20_000, "copy users (full_name) from '%d'"},
		"many edits": {1, 600, many + "select %d"},
		"long":       {1, 400, "select '" + strings.Repeat("x", cacheLongest-100) + "', %d"},
		"paths":      {1000, 20, "select full_name from users where id = %d"},
	} {
		t.Run(name, func(t *testing.T) {
			first := knownTexts(t)
			before := heap()
			turns := 0
			for range c.paths {
				texts := beside(t, first)
				for n := range c.texts {
					bytes := first.cache.bytes
					kept(texts, fmt.Sprintf(c.format, n))
					if first.cache.bytes < bytes {
						turns++
					}
				}
			}
			require.Greater(t, turns, 2, "too few texts")
			used := heap() - before
			t.Logf("%d bytes in use, %d counted of the young generation", used, first.cache.bytes)
			require.Less(t, used, int64(2*(cacheBytes+cacheLongest)))
			runtime.KeepAlive(first)
		})
	}
}

func TestFloodLeavesNoTrace(t *testing.T) {
	texts := knownTexts(t)
	hot := kept(texts, touching)
	require.Same(t, hot, texts.translate([]byte(touching)))
	bytes := texts.cache.bytes
	for n := range 100_000 {
		texts.translate(unique(nil, false, n))
	}
	require.Equal(t, bytes, texts.cache.bytes)
	require.Same(t, hot, texts.translate([]byte(touching)))
}

func TestUsedTextsAreKept(t *testing.T) {
	texts := knownTexts(t)
	hot, once := kept(texts, touching), kept(texts, unrelated)
	turns := 0
	for n := 0; turns < 3; n++ {
		bytes := texts.cache.bytes
		kept(texts, string(unique(nil, false, n)))
		if texts.cache.bytes < bytes {
			turns++
		}
		require.Same(t, hot, texts.translate([]byte(touching)))
	}
	require.NotSame(t, once, texts.translate([]byte(unrelated)))
}

func TestTranslatorsShareRoomNotTexts(t *testing.T) {
	first := knownTexts(t)
	second := beside(t, first)
	s := kept(first, touching)
	require.Same(t, second, kept(second, touching).by)
	require.Same(t, s, first.translate([]byte(touching)))
	for n := 0; len(first.cache.users) > 1; n++ { // until nothing of second's is left
		kept(first, string(unique(nil, true, n)))
	}
	require.Empty(t, second.young)
	require.Empty(t, second.old)
}
