package rewrite

import (
	"cmp"
	"strings"
)

// Outcome is what became of a text.
type Outcome string

const (
	// Passed: the text goes out as it came, byte for byte.
	Passed Outcome = "passed"
	// Rewritten: the text was edited.
	Rewritten Outcome = "rewritten"
	// Refused: the text must not be executed.
	Refused Outcome = "refused"
)

// Result is what Rewrite makes of a text.
type Result struct {
	Outcome Outcome
	// SQL is the text to send: the original when Passed, the edited one when
	// Rewritten, empty when Refused.
	SQL string
	// Leading is how many statements stand in SQL before those of the original.
	// The server answers each with a CommandComplete that the application must
	// not see, and they can be sent by Query only: Parse takes one statement.
	Leading int
	// Edits are the edits that lead from the original to SQL, in order.
	Edits []Edit
	// Refusal is set when Refused.
	Refusal *Refusal
	// Resets: the text contains a statement that can drop the session's locks
	// or cached plans (DISCARD ALL, DEALLOCATE ALL, pg_advisory_unlock_all):
	// the connection should not be used for long after it.
	Resets bool
	// Reads: the text is one query that writes and locks nothing, as far as its
	// outermost node says. Only when Rewritten.
	Reads bool
	// Reported is what a policy lets pass though it would deserve a refusal.
	Reported []*Refusal
	// MovesPath: the text can change the session's search_path.
	MovesPath bool

	original string
}

// Edit replaces the bytes [Start, End) of the original text.
type Edit struct {
	Start, End int
	Text       string
}

// Refusal says why a text cannot be rewritten, and what to do about it.
type Refusal struct {
	// Message says what was refused and why, in a sentence of its own.
	Message string
	// Bare is the message where Message itself quotes more of the text than names:
	// without what it quotes. Empty when Message does not.
	Bare string
	// Hint says what the application can do instead.
	Hint string
	// Offset is the byte offset in the original text of what is refused, or -1.
	Offset int
	// Function is set when it is about the call of a function.
	Function Name
	// Illegible: the server reads the text in another way than this package does,
	// so it is not known what of it is a constant.
	Illegible bool
}

// Error makes a Refusal usable as an error.
func (r *Refusal) Error() string { return r.Message }

// Redacted is the message without values of the application.
func (r *Refusal) Redacted() string { return cmp.Or(r.Bare, r.Message) }

// OriginalOffset maps a byte offset of the rewritten text to the original. An
// offset inside text that was put in maps to where that text was copied from, if
// it was, or else to the place where it was put in.
func (r Result) OriginalOffset(offset int) int {
	shift := 0 // rewritten minus original, so far
	for _, e := range r.Edits {
		start := e.Start + shift
		if offset < start {
			break
		}
		if offset < start+len(e.Text) {
			if from := copiedFrom(r.original, e.Text, offset-start); from >= 0 && (offset > start || e.End == e.Start) {
				return from
			}
			return e.Start
		}
		shift += len(e.Text) - (e.End - e.Start)
	}
	return offset - shift
}

// copiedFrom is the offset in the original of what stands at an offset of an
// inserted text: where the most around it is the same; -1 when not even the
// token at the offset is there.
func copiedFrom(original, text string, offset int) int {
	end := offset + 1
	if tokens := scan(text[offset:], nil); len(tokens) > 0 && tokens[0].start == 0 {
		end = offset + int(tokens[0].end)
	}
	best, longest := -1, 0
	for at := 0; ; at++ {
		next := strings.Index(original[at:], text[offset:end])
		if next < 0 {
			return best
		}
		at += next
		if at > 0 && isIdentPart(original[at-1]) && isIdentPart(original[at]) {
			continue // in the middle of a word
		}
		same := end - offset
		for i := 1; i <= min(at, offset) && original[at-i] == text[offset-i]; i++ {
			same++
		}
		for i := end - offset; at+i < len(original) && offset+i < len(text) && original[at+i] == text[offset+i]; i++ {
			same++
		}
		if same > longest {
			best, longest = at, same
		}
	}
}
