package statuspage_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

// stream follows a page.
type stream struct {
	t    testing.TB
	text *bufio.Reader
	stop context.CancelFunc
}

// stream opens the events; it ends with the test.
func (s *site) stream() *stream {
	s.t.Helper()
	following, stop := context.WithCancel(ctx)
	r, err := http.NewRequestWithContext(following, http.MethodGet, s.url+"/events", nil)
	require.NoError(s.t, err)
	response, err := s.http.Do(r)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	require.Equal(s.t, "text/event-stream", response.Header.Get("Content-Type"))
	s.t.Cleanup(func() { stop(); _ = response.Body.Close() })
	return &stream{s.t, bufio.NewReader(response.Body), stop}
}

// next is the HTML of the next event; io.EOF when it has ended.
func (s *stream) next() (string, error) {
	for {
		line, err := s.text.ReadString('\n')
		if err != nil {
			return "", err
		}
		if data, found := strings.CutPrefix(line, "data: "); found {
			var update struct {
				At             time.Time
				Database, HTML string
			}
			require.NoError(s.t, json.Unmarshal([]byte(data), &update))
			return update.HTML, nil
		}
	}
}

// see reads until an event has what is wanted.
func (s *stream) see(wanted string) {
	s.t.Helper()
	for {
		html, err := s.next()
		require.NoError(s.t, err)
		if contains(html, wanted) {
			return
		}
	}
}

// TestEventsTellOfAFlip: whoever follows sees it without asking.
func TestEventsTellOfAFlip(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{})
	first, second := s.stream(), s.stream()
	first.see(`aria-current="step"><span class="stage">off`)
	run(t, m, rename.Name, migrator.DualWrite)
	first.see(`aria-current="step"><span class="stage">dualwrite`)
	run(t, m, rename.Name, migrator.Shadow)
	first.see(`aria-current="step"><span class="stage">shadow`)
	second.see(`aria-current="step"><span class="stage">shadow`)
}

// TestStreamsAreBounded: those beyond the limit are told to come back, and may when
// another one has gone.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{MaxStreams: 2})
	first := s.stream()
	s.stream()
	answer := s.ask("GET", "/events")
	require.Equal(t, http.StatusServiceUnavailable, answer.code)
	require.NotEmpty(t, answer.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.ask("GET", "/").code)
	first.stop()
	pgtest.WaitFor(t, "a place", func() bool {
		response, err := s.http.Get(s.url + "/events")
		require.NoError(t, err)
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// TestStreamsEnd: when Run ends they do, so that a server can shut down.
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	page, err := statuspage.New(m, statuspage.Config{Interval: 10 * time.Millisecond, Logger: quiet})
	require.NoError(t, err)
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- page.Run(running) }()
	events := listen(t, page).stream()
	events.see("users-name")
	stop()
	require.ErrorIs(t, <-done, context.Canceled)
	for {
		if _, err = events.next(); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, io.EOF)
}
