package statuspage

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
)

//go:embed templates
var templates embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"count":    func(n int64) string { return console.Count(n) },
	"duration": func(d time.Duration) string { return console.Duration(d) },
	"stamp":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock":    func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"moment":   moment,
	"size":     func(n int64) string { return console.Size(float64(n)) },
	"plural":   console.Plural,
}).ParseFS(templates, "templates/*.html"))

// moment is a point in time for people; all are of one zone, since the page has
// many readers.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 15:04:05")
}

// view is what the changing part of the page shows.
type view struct {
	Database, Address string
	// At is when the database was read last; zero before the first time. Away says
	// why that is not now, Summary how things are in a few words.
	At      time.Time
	Away    string
	Summary string
	Cards   []card
	// Connections is nil where no transition concerns them.
	Connections *connections
}

// draw makes the part of the page that changes, once for all who watch.
func (s *state) draw(c Config) error {
	v := view{Database: s.database, Address: s.address, At: s.at}
	if s.err != nil {
		v.Away = s.err.Error()
	}
	for _, t := range s.list {
		v.Cards = append(v.Cards, newCard(t, s.past[t.Name], s.at, c))
	}
	sortCards(v.Cards)
	v.Summary = summary(v.Cards)
	v.Connections = newConnections(s.list, s.past[ofDatabase], s.at, c)
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "main.html", v); err != nil {
		return fmt.Errorf("draw the status page: %w", err)
	}
	s.html = b.Bytes()
	return nil
}

// page is the whole page. What changes in it was drawn before, and escaped then.
func (p *Page) page(w http.ResponseWriter, _ *http.Request) {
	s := p.current.Load()
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, "page.html", struct {
		Database string
		At       time.Time
		Seconds  int
		Main     template.HTML
	}{s.database, s.at, max(int(p.config.Interval.Seconds()), 5), template.HTML(s.html)}) //nolint:gosec // made by html/template
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w)
}
