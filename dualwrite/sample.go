package dualwrite

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/shadow"
)

// sample is a read of the application that is to be run both ways.
type sample struct {
	server *server
	source *source
	user   string
	world  *world
	texts  *translator
	*statement
	// touched are the transitions that are compared, as places in the world.
	touched []int
	types   []uint32
	formats []int16
	params  [][]byte
}

// samples tells whether the connection has to look at what it sends.
func (c *conn) samples() bool {
	if c.hook.shadow == nil {
		return false
	}
	for _, t := range c.world.view.Transitions {
		if t.Phase.ComparesReads() {
			return true
		}
	}
	return false
}

// sampled tells whether a statement that is executed is one of the sample. It is
// on the way of each statement, and allocates nothing.
func (c *conn) sampled(s *statement) bool {
	return s != nil && s.result.Reads && rand.Float64() < c.hook.config.Shadow.Rate
}

// sampleQuery takes the text of a Query, with its constants.
func (c *conn) sampleQuery(s *statement) {
	if c.sampled(s) {
		c.sample(s, func(*sample) bool { return true })
	}
}

// sampleBind takes a statement with what a Bind says behind its name.
func (c *conn) sampleBind(name []byte, s *statement, body []byte) {
	if !c.sampled(s) {
		return
	}
	types := c.unnamedTypes
	if p := c.named[string(name)]; len(name) > 0 && p != nil {
		types = p.types
	}
	c.sample(s, func(taken *sample) bool {
		taken.types = typesOf(types)
		return taken.bind(body)
	})
}

// sample hands a statement to those who compare. It never waits: what finds no
// place is dropped, and counted.
func (c *conn) sample(s *statement, fill func(*sample) bool) {
	taken := &sample{server: c.server, source: c.source, user: c.user, world: c.world, texts: c.texts, statement: s}
	for i, t := range c.world.view.Transitions {
		if t.Phase.ComparesReads() && names(s.send, c.tokens[i]) {
			taken.touched = append(taken.touched, i)
		}
	}
	switch queue := c.hook.shadow.queue; {
	case len(taken.touched) == 0:
	case c.pathMoved || s.by != c.texts || s.doubtful:
		taken.skip(shadow.Path)
	case !c.hook.running.Load() || len(queue) == cap(queue) || !fill(taken):
		taken.drop()
	default:
		select {
		case queue <- taken:
		default:
			taken.drop()
		}
	}
}

func (s *sample) skip(why shadow.Reason) {
	for _, i := range s.touched {
		s.tally(i).skip(why)
	}
}

func (s *sample) drop() {
	for _, i := range s.touched {
		s.tally(i).drop()
	}
}

func (s *sample) tally(i int) *tally { return s.server.tally(s.world.view.Transitions[i]) }

// rememberTypes keeps the types that a Parse gives its parameters.
func (c *conn) rememberTypes(p *prepared, types []byte) {
	if p != nil {
		p.types = slices.Clone(types)
		return
	}
	c.unnamedTypes = append(c.unnamedTypes[:0], types...)
}

// typesOf reads the end of a Parse: a number, and as many types.
func typesOf(b []byte) []uint32 {
	n, b := count(b)
	types := make([]uint32, 0, n)
	for ; n > 0 && len(b) >= 4; n, b = n-1, b[4:] {
		types = append(types, binary.BigEndian.Uint32(b))
	}
	return types
}

// bind copies from a Bind the formats and values of the parameters, and tells
// whether it could be read.
func (s *sample) bind(b []byte) bool {
	n, b := count(b)
	for ; n > 0 && len(b) >= 2; n, b = n-1, b[2:] {
		s.formats = append(s.formats, int16(binary.BigEndian.Uint16(b)))
	}
	if n > 0 {
		return false
	}
	n, b = count(b)
	b = slices.Clone(b)
	for ; n > 0 && len(b) >= 4; n-- {
		size := int(int32(binary.BigEndian.Uint32(b)))
		if b = b[4:]; size < 0 {
			s.params = append(s.params, nil)
			continue
		}
		if size > len(b) {
			return false
		}
		s.params, b = append(s.params, b[:size:size]), b[size:]
	}
	return n == 0
}

func count(b []byte) (n int, rest []byte) {
	if len(b) < 2 {
		return 0, nil
	}
	return int(binary.BigEndian.Uint16(b)), b[2:]
}
