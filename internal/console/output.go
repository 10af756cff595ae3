package console

import (
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Options of an Output. The zero value looks at the stream and the environment.
type Options struct {
	// NoColor forbids colours, as $NO_COLOR does.
	NoColor bool
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
}

// Output is a stream for people, and what it can show. It is not safe for
// concurrent use; a Live on it is.
type Output struct {
	w io.Writer
	// size gives columns and rows of a terminal; nil where there is none.
	size  func() (width, height int)
	style Style
}

// NewOutput finds out what w can show.
func NewOutput(w io.Writer, options Options) *Output {
	getenv := options.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	o := &Output{w: w}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || !understandsEscapes(getenv) {
		return o
	}
	o.size = func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}
	o.style = Style{
		Color:   !options.NoColor && getenv("NO_COLOR") == "",
		Unicode: speaksUnicode(getenv),
	}
	return o
}

// IsTerminal tells whether lines can be redrawn.
func (o *Output) IsTerminal() bool { return o.size != nil }

// Style is how text may look here.
func (o *Output) Style() Style { return o.style }

// Width is the number of columns; 0 where lines may be as long as they like.
func (o *Output) Width() int {
	if o.size == nil {
		return 0
	}
	width, _ := o.size()
	return width
}

// Write writes to the stream.
func (o *Output) Write(p []byte) (int, error) { return o.w.Write(p) }

// understandsEscapes: a dumb terminal does not, a build server pretends to, and
// the old console of Windows prints them.
func understandsEscapes(getenv func(string) string) bool {
	if getenv("TERM") == "dumb" || getenv("CI") != "" {
		return false
	}
	return runtime.GOOS != "windows" || getenv("WT_SESSION") != "" || getenv("TERM") != ""
}

// speaksUnicode asks the locale, in the order in which the C library does.
func speaksUnicode(getenv func(string) string) bool {
	if runtime.GOOS == "windows" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			locale = strings.ToLower(locale)
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}

// IsTerminal tells whether r or w is a terminal, where a question can be asked.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
