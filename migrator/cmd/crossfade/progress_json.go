package main

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// jsonProgress is the Observer for programs: one JSON object per line.
type jsonProgress struct {
	mu      sync.Mutex // guards what follows
	encoder *json.Encoder
	// last is when a kind of event was last written: batches and looks at a
	// drain come too often for a log.
	last map[string]time.Time
}

// jsonPulse is the time between two lines about the same thing.
const jsonPulse = time.Second

func newJSONProgress(w io.Writer) *jsonProgress {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return &jsonProgress{encoder: encoder, last: map[string]time.Time{}}
}

// header is what every line begins with.
type header struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"`
}

func (p *jsonProgress) Observe(event migrator.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now().UTC()
	// Progress is a courtesy: a closed pipe does not stop the work.
	switch e := event.(type) {
	case migrator.StepEvent:
		_ = p.encoder.Encode(struct {
			header
			migrator.StepEvent
			Error string `json:"error,omitempty"`
		}{header{now, "step"}, e, errorText(e.Err)})
	case migrator.StatementEvent:
		if !e.Done && e.Retry == 0 {
			return
		}
		_ = p.encoder.Encode(struct {
			header
			migrator.StatementEvent
			Error string `json:"error,omitempty"`
		}{header{now, "statement"}, e, errorText(e.Err)})
	case migrator.DrainEvent:
		if p.due("drain", now, e.Done) {
			_ = p.encoder.Encode(struct {
				header
				migrator.DrainEvent
			}{header{now, "drain"}, e})
		}
	case migrator.RequestEvent:
		_ = p.encoder.Encode(struct {
			header
			migrator.RequestEvent
		}{header{now, "request"}, e})
	case migrator.StepBackEvent:
		_ = p.encoder.Encode(struct {
			header
			migrator.StepBackEvent
		}{header{now, "step-back"}, e})
	case migrator.BatchEvent:
		if p.due("batch", now, e.Progress.Finished) {
			_ = p.encoder.Encode(struct {
				header
				migrator.BatchEvent
			}{header{now, "batch"}, e})
		}
	}
}

// due tells whether to write a line of this kind; the last one always is.
func (p *jsonProgress) due(kind string, now time.Time, last bool) bool {
	if !last && now.Sub(p.last[kind]) < jsonPulse {
		return false
	}
	p.last[kind] = now
	return true
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
