package statuspage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// document is what `crossfade status --output json` prints, as of the last look.
// What is not known to be so is an error: programs decide by it.
func (p *Page) document(w http.ResponseWriter, _ *http.Request) {
	s := p.current.Load()
	w.Header().Set("Content-Type", "application/json")
	if err := p.fresh(s); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		encode(w, struct {
			Error string `json:"error"`
			// LastRead is when the database was read last.
			LastRead *time.Time `json:"last_read,omitempty"`
		}{err.Error(), known(s.at)})
		return
	}
	list := s.list
	if list == nil {
		list = []migrator.Status{} // [] rather than null
	}
	encode(w, list)
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// encode writes as the command does.
func encode(w http.ResponseWriter, document any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = b.WriteTo(w)
}

// healthz says whether the ledger can be read. Whoever has not got the token does
// not learn why.
func (p *Page) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	err := p.fresh(p.current.Load())
	switch {
	case err == nil:
		fmt.Fprintln(w, "ok")
		return
	case !p.guard.admits(r):
		err = nil
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, "the ledger cannot be read")
	if err != nil {
		fmt.Fprintf(w, ": %v", err)
	}
	fmt.Fprintln(w)
}
