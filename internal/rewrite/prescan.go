package rewrite

import "strings"

// prescan finds texts that need a closer look: those in which one of some
// words occurs, in any case, anywhere. It may report too much, never too
// little, and allocates nothing.
//
// It looks at two bytes of the text, then at the two that stand stride further,
// and so on. With a stride of one less than the shortest word's length, no word
// fits between two looks: one of them falls on a word's first bytes, and tells
// where in the word it has fallen. What is looked at does not depend on what
// was found, as in searches that skip by what they see: the processor looks
// ahead, which makes it several times as fast. A table in transition with a
// very short name makes it slower, not wrong.
type prescan struct {
	stride int
	// buckets is indexed by a hash of two bytes; zero is the empty bucket.
	buckets [4096]uint16
	places  [][]place
	// any: some name cannot be searched for; everything is a hit.
	any bool
}

// place is where in a word, which is folded, two bytes stand.
type place struct {
	word string
	at   int
}

func newPrescan(words []string) *prescan {
	p := &prescan{stride: len(words[0]) - 1, places: make([][]place, 1)}
	for _, word := range words {
		p.stride = min(p.stride, len(word)-1)
	}
	if p.stride < 1 {
		p.any = true
		return p
	}
	for _, word := range words {
		for at := range p.stride {
			bucket := &p.buckets[pair(word[at], word[at+1])]
			if *bucket == 0 {
				*bucket = uint16(len(p.places))
				p.places = append(p.places, nil)
			}
			p.places[*bucket] = append(p.places[*bucket], place{word, at})
		}
	}
	return p
}

// pair hashes two bytes so that the case of ASCII letters does not matter.
func pair(a, b byte) uint16 {
	return (uint16(a&^0x20)<<5 ^ uint16(b&^0x20)) & 4095
}

// hit tells whether one of the words may occur in sql, or an identifier or
// string written in escapes, which can stand for any word.
func (p *prescan) hit(sql string) bool {
	if p.any {
		return true
	}
	for i := 1; i < len(sql); i += p.stride {
		if bucket := p.buckets[pair(sql[i-1], sql[i])]; bucket != 0 && p.found(sql, i-1, bucket) {
			return true
		}
	}
	return hasUnicodeEscape(sql) || hasEscape(sql)
}

// found tells whether a word lies over the two bytes at i.
func (p *prescan) found(sql string, i int, bucket uint16) bool {
	for _, place := range p.places[bucket] {
		start := i - place.at
		end := start + len(place.word)
		if start >= 0 && end <= len(sql) && equalFold(sql[start:end], place.word) {
			return true
		}
	}
	return false
}

// hasUnicodeEscape looks for U& before a quote. The standard library finds a
// rare byte in a hundredth of the time that the words take.
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
