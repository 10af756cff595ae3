package lockstep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Case is a statement of the corpus, for one kind of transition.
type Case struct {
	// Place is the file and the number of the paragraph.
	Place string
	Step  Step
	// Target: it names the target, so the original database cannot say what it
	// should do. Phase off, without a target, can.
	Target bool
}

// raw is a statement as it stands in the corpus.
type raw Statement

func (r raw) write(w *writer) {
	w.WriteString(r.SQL)
	w.args, w.ordered = append(w.args, r.Args...), r.Ordered
}

// Corpus reads the statements in files that make sense for the kind. They stand
// in paragraphs. {s} is the source, {t} the target, {1} to {4} are values of the
// source; of the first move. Lines before the statement say more:
//
//	-- args: Ann|null     values of parameters; {1} is a value of the column
//	-- ordered            the order of the rows is determined
//	-- needs: text        only for a column that takes any text; or: unique, key,
//	                      id (which is the key)
func (k Kind) Corpus(pattern string) ([]Case, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	if files == nil {
		return nil, fmt.Errorf("no file matches %s", pattern)
	}
	var cases []Case
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for i, paragraph := range strings.Split(string(data), "\n\n") {
			if c, ok := k.parse(strings.TrimSpace(paragraph)); ok {
				c.Place = fmt.Sprintf("%s, paragraph %d", filepath.Base(file), i+1)
				cases = append(cases, c)
			}
		}
	}
	return cases, nil
}

// parse reads a paragraph; false when it is not for the kind.
func (k Kind) parse(paragraph string) (c Case, ok bool) {
	var r raw
	var lines []string
	for line := range strings.SplitSeq(paragraph, "\n") {
		if args, found := strings.CutPrefix(line, "-- args: "); found {
			for arg := range strings.SplitSeq(k.expand(args, func(v string) string { return strings.Trim(v, "'") }), "|") {
				if arg == "null" {
					r.Args = append(r.Args, nil)
					continue
				}
				r.Args = append(r.Args, []byte(arg))
			}
		} else if need, found := strings.CutPrefix(line, "-- needs: "); found {
			if !k.meets(need) {
				return c, false
			}
		} else if line == "-- ordered" {
			r.Ordered = true
		} else {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "\n")
	if text == "" {
		return c, false
	}
	m := k.Moves[0]
	c.Target = strings.Contains(text, "{t}")
	if strings.Contains(text, "{s}") && len(m.Sources) > 1 || c.Target && len(m.Targets) > 1 {
		return c, false
	}
	r.SQL = k.expand(text, func(v string) string { return v })
	c.Step = Step{Manner: Undone, Statements: []*Node{seq("", r)}}
	return c, true
}

// meets tells whether the column that moves is of the sort that is needed.
func (k Kind) meets(need string) bool {
	m := k.Moves[0]
	switch need {
	case "text":
		return m.Free && m.Sources[0].BaseType == "text"
	case "key":
		return m.Key
	case "id": // is the key
		return !m.Key
	case "unique":
		return m.Unique
	case "order":
		return !types[typeOf(m.Sources[0].BaseType)].unordered
	}
	panic("no such need: " + need)
}

func (k Kind) expand(text string, value func(string) string) string {
	m := k.Moves[0]
	pairs := []string{"{s}", quoted(m.Sources[0].Name), "{t}", quoted(m.Targets[0].Name)}
	for i, v := range slices.Clone(m.Values[m.Sources[0].Name]) {
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), value(v))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Without is the world with fewer sides.
func (w World) Without(names ...string) *World {
	w.Expanded = slices.DeleteFunc(slices.Clone(w.Expanded), func(s *Side) bool { return slices.Contains(names, s.Name) })
	return &w
}

// Against is the world in which another side says what is right.
func (w World) Against(reference *Side) *World {
	w.Original = reference
	w.Expanded = slices.DeleteFunc(slices.Clone(w.Expanded), func(s *Side) bool { return s == reference })
	return &w
}
