package rewrite

import "strings"

// prescan finds texts that need a closer look: those in which one of some
// words occurs, in any case, anywhere. It may report too much, never too
// little, and allocates nothing.
//
// It searches for all words at once by the method of Wu and Manber: a window
// as long as the shortest word moves over the text, and the two bytes at its
// end tell how far it may move on. A table in transition with a very short
// name makes it slower, not wrong.
type prescan struct {
	window int
	// shift is indexed by a hash of two bytes without the bit that
	// distinguishes ASCII capitals.
	shift [4096]uint8
	// ends are the words by the hash in which their first window bytes end.
	ends [4096][]needle
	// any: some name cannot be searched for; everything is a hit.
	any bool
}

// needle is a word, and the hash of its first two bytes.
type needle struct {
	word  string
	start uint16
}

func newPrescan(words []string) *prescan {
	p := &prescan{window: 255}
	for _, word := range words {
		p.window = min(p.window, len(word))
	}
	if p.window < 2 {
		p.any = true
		return p
	}
	for i := range p.shift {
		p.shift[i] = uint8(p.window - 1)
	}
	for _, word := range words {
		for end := 1; end < p.window; end++ {
			h := pair(word[end-1], word[end])
			p.shift[h] = min(p.shift[h], uint8(p.window-1-end))
			if end == p.window-1 {
				p.ends[h] = append(p.ends[h], needle{word, pair(word[0], word[1])})
			}
		}
	}
	return p
}

// pair hashes two bytes so that the case of ASCII letters does not matter.
func pair(a, b byte) uint16 {
	return (uint16(a&^0x20)<<5 ^ uint16(b&^0x20)) & 4095
}

// hit tells whether one of the words may occur in sql, or an identifier or
// string written in Unicode escapes, which can stand for any word.
func (p *prescan) hit(sql string) bool {
	if p.any {
		return true
	}
	for i := p.window - 1; i > 0 && i < len(sql); {
		h := pair(sql[i-1], sql[i])
		if skip := p.shift[h]; skip > 0 {
			i += int(skip)
			continue
		}
		rest := sql[i-p.window+1:]
		start := pair(rest[0], rest[1])
		for _, n := range p.ends[h] {
			if n.start == start && len(rest) >= len(n.word) && equalFold(rest[:len(n.word)], n.word) {
				return true
			}
		}
		i++
	}
	return hasUnicodeEscape(sql)
}

// hasUnicodeEscape looks for U& before a quote.
func hasUnicodeEscape(sql string) bool {
	for i := strings.IndexByte(sql, '&'); i >= 0; {
		if i > 0 && i+1 < len(sql) && sql[i-1]|0x20 == 'u' && (sql[i+1] == '"' || sql[i+1] == '\'') {
			return true
		}
		next := strings.IndexByte(sql[i+1:], '&')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}
