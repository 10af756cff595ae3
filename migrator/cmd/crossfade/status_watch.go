package main

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// watchEvery is the time between two looks of status --watch.
const watchEvery = time.Second

// watched is the View of status --watch: what the last look has found.
type watched struct {
	name string // of the one that is watched; empty for all

	mu   sync.Mutex // guards list: the looks and the View run in two goroutines
	list []migrator.Status
}

func (w *watched) set(list []migrator.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = list
}

// Lines is what status prints without --watch.
func (w *watched) Lines(_ int, s console.Style) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var text bytes.Buffer
	if w.name != "" && len(w.list) == 1 {
		_ = printStatus(&text, s, w.list[0])
	} else {
		_ = printStatusList(&text, w.list)
	}
	return strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
}

// Status is a line for a log.
func (w *watched) Status() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := make([]string, len(w.list))
	for i, s := range w.list {
		lines[i] = s.Name + ": " + dash(string(s.Phase)) + ", last step " + dash(s.Step) + ", " + now(s)
		for _, job := range s.Jobs {
			if !job.Finished {
				lines[i] += ", " + job.Job + " " + jobText(job)
			}
		}
	}
	return strings.Join(lines, "; ")
}

// watchStatus shows the status again and again until it is interrupted: drawn anew on a
// terminal, a line where it has changed elsewhere, one JSON document a line with
// --output json.
func (a *app) watchStatus(ctx context.Context, m *migrator.Migrator, name string, events int) error {
	view := &watched{name: name}
	reader := m.StatusReader()
	defer reader.Close(ctx)
	look := func() ([]migrator.Status, error) {
		return reader.Status(ctx, migrator.StatusOptions{Name: name, Events: events})
	}
	first, err := look()
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	show := func(list []migrator.Status) error {
		changed := !reflect.DeepEqual(ageless(list), ageless(view.list))
		view.set(list)
		if a.output != outputJSON || !changed {
			return nil
		}
		return encoder.Encode(list)
	}
	again := func() error {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for list := first; ; {
			if err := show(list); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil // that is how it ends
			case <-ticker.C:
			}
			var err error
			if list, err = look(); ctx.Err() != nil {
				return nil //nolint:nilerr // interrupted in the middle of a look
			} else if err != nil {
				return err
			}
		}
	}
	if a.output == outputJSON {
		return again()
	}
	return console.NewLive(a.out(), view).While(again)
}

// ageless is a copy without what changes by itself as time goes by.
func ageless(list []migrator.Status) []migrator.Status {
	list = slices.Clone(list)
	young := func(sessions []migrator.Session) []migrator.Session {
		sessions = slices.Clone(sessions)
		for i := range sessions {
			sessions[i].Age = 0
		}
		return sessions
	}
	for i := range list {
		s := &list[i]
		s.Laggards, s.Instances, s.Writers, s.Refused = young(s.Laggards), slices.Clone(s.Instances), slices.Clone(s.Writers), slices.Clone(s.Refused)
		for k := range s.Instances {
			s.Instances[k].Oldest = 0
		}
		for k := range s.Writers {
			s.Writers[k].Ago = 0
		}
		for k := range s.Refused {
			s.Refused[k].Ago = 0
		}
		if s.LastMismatch != nil {
			last := *s.LastMismatch
			last.Ago, s.LastMismatch = 0, &last
		}
		if s.Drain != nil {
			drain := *s.Drain
			drain.Waiting, drain.Fenced = young(drain.Waiting), young(drain.Fenced)
			s.Drain = &drain
		}
	}
	return list
}
