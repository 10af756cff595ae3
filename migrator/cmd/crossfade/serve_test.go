package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestServe: the page is there once its address is printed, and ends well when it is
// interrupted.
func TestServe(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	for _, flags := range [][]string{{"--output", "json"}, nil} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		lines := make(chan string, 10)
		code := make(chan int, 1)
		go func() {
			args := append([]string{"--database-url", s.db.URL, "serve", "--listen", "127.0.0.1:0", "--interval", "10ms"}, flags...)
			code <- Main(ctx, args, strings.NewReader(""), &lookout{seen: func(line string) { lines <- line }}, io.Discard)
		}()
		line := <-lines
		var event struct{ Event, URL string }
		if flags == nil {
			rest, found := strings.CutPrefix(line, "status page: ")
			require.True(t, found, line)
			event.URL, _, _ = strings.Cut(rest, " ")
		} else {
			require.NoError(t, json.Unmarshal([]byte(line), &event))
			require.Equal(t, "serving", event.Event)
		}
		require.Contains(t, fetch(t, event.URL, "users-name"), "full_name")
		fetch(t, event.URL+"status.json", `"name": "users-name"`)
		cancel()
		require.Equal(t, exitOK, <-code)
	}
}

// fetch asks until the answer has what is wanted.
func fetch(t *testing.T, url, wanted string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for t.Context().Err() == nil {
		response, err := client.Get(url)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		if strings.Contains(string(body), wanted) {
			return string(body)
		}
	}
	return ""
}

// TestServeIsGuarded: an address that others reach needs a token, or the word that it
// needs none.
func TestServeIsGuarded(t *testing.T) {
	s := newShell(t)
	for _, flags := range [][]string{
		{"--listen", ":0"}, {"--listen", "0.0.0.0:0"}, {"--listen", "[::]:0"}, {"--listen", "example.com:0"},
	} {
		contains(t, s.must(exitUsage, append([]string{"serve"}, flags...)...).stderr, "$CROSSFADE_TOKEN", "--no-token")
	}
	contains(t, s.must(exitUsage, "serve", "--token", "short").stderr, "at least 16")
	contains(t, s.must(exitUsage, "serve", "--token", "0123456789abcdef", "--no-token").stderr, "contradict")
	contains(t, s.must(exitUsage, "serve", "--interval", "0s").stderr, "above zero")
	contains(t, s.must(exitUsage, "serve", "--listen", "nowhere").stderr, "nowhere")
	t.Setenv(envToken, "0123456789abcdef")
	contains(t, s.must(exitUsage, "serve", "--no-token").stderr, "contradict")
	for _, listen := range []string{"127.0.0.1:1", "127.7.7.7:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1"} {
		require.True(t, onLoopback(listen), listen)
	}
	require.False(t, onLoopback("10.0.0.1:1"))
}
