package statuspage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	// writeTimeout is how long a browser may take for one event.
	writeTimeout = 10 * time.Second
	// heartbeat keeps proxies from ending a stream in which nothing happens.
	heartbeat = 15 * time.Second
	// retry is when a browser that was turned away, or lost the stream, comes back.
	retry = 5 * time.Second
)

// update is what an event says.
type update struct {
	// At is when the database was read last.
	At time.Time `json:"at"`
	// Database is its name.
	Database string `json:"database"`
	// HTML is the part of the page that changes.
	HTML string `json:"html"`
}

// events sends the page anew whenever there is something new to see. A browser that
// is slow gets the newest, and not all of them.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		w.Header().Set("Retry-After", strconv.Itoa(int(retry.Seconds())))
		http.Error(w, "too many follow this page already", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events back
	stream := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		_ = stream.SetWriteDeadline(time.Now().Add(writeTimeout)) // where it is not supported, the server's holds
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && stream.Flush() == nil
	}
	if !send("retry: %d\n\n", retry.Milliseconds()) {
		return
	}
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	for {
		s := p.current.Load()
		text, err := json.Marshal(update{At: s.at, Database: s.database, HTML: string(s.html)})
		if s.ended || err != nil || !send("data: %s\n\n", text) {
			return
		}
		for waiting := true; waiting; {
			select {
			case <-r.Context().Done():
				return
			case <-s.next:
				waiting = false
			case <-alive.C:
				if !send(": still here\n\n") {
					return
				}
			}
		}
	}
}
