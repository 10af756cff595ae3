package statuspage

import (
	"bytes"
	"embed"
	"net/http"
	"path"
	"time"
)

//go:embed static
var files embed.FS

// statics are the files that the page loads, by their names.
var statics = map[string]static{
	"style.css": {"text/css; charset=utf-8", read("style.css")},
	"live.js":   {"text/javascript; charset=utf-8", read("live.js")},
	"icon.svg":  {"image/svg+xml", read("icon.svg")},
}

type static struct {
	kind string
	text []byte
}

func read(name string) []byte {
	text, err := files.ReadFile(path.Join("static", name))
	if err != nil {
		panic(err) // it was there when this was compiled
	}
	return text
}

func (s static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", s.kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.text))
}
