package statuspage_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

const token = "correct-horse-battery-staple"

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

// TestToken: nothing but healthz and what the form looks like is to be had without
// the token, and the cookie is not the token.
func TestToken(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{Token: token})
	pgtest.WaitFor(t, "the first look", func() bool { return s.ask("GET", "/healthz").code == http.StatusOK })
	for _, path := range []string{"/", "/events", "/status.json", "/metrics"} {
		for _, change := range []func(*http.Request){
			func(*http.Request) {},
			header("Authorization", "Bearer wrong"),
			header("Authorization", "Bearer "+token[:len(token)-1]),
			header("Authorization", "Basic "+token),
			header("Cookie", "crossfade_status="+token),
		} {
			answer := s.ask("GET", path, change)
			require.Equal(t, http.StatusUnauthorized, answer.code, path)
			require.Contains(t, answer.header.Get("WWW-Authenticate"), "Bearer")
			require.NotContains(t, answer.body, "users-name")
		}
	}
	require.Equal(t, http.StatusUnauthorized, s.ask("GET", "/status.json?token="+token).code, "only the page takes it")
	require.Equal(t, http.StatusUnauthorized, s.ask("GET", "/?token=wrong").code)
	for _, path := range []string{"/style.css", "/live.js", "/icon.svg"} {
		require.Equal(t, http.StatusOK, s.ask("GET", path).code, path)
	}
	bearer := header("Authorization", "bearer "+token)
	for _, path := range []string{"/", "/status.json", "/metrics"} {
		require.Equal(t, http.StatusOK, s.ask("GET", path, bearer).code, path)
	}
	form := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body = io.NopCloser(strings.NewReader("token=" + token))
		r.ContentLength = int64(len("token=" + token))
	}
	for _, enter := range []answer{s.ask("GET", "/?token="+token), s.ask("POST", "/login", form)} {
		require.Equal(t, http.StatusSeeOther, enter.code)
		require.Equal(t, "./", enter.header.Get("Location"))
		cookie := enter.header.Get("Set-Cookie")
		require.Contains(t, cookie, "HttpOnly")
		require.Contains(t, cookie, "SameSite=Strict")
		require.NotContains(t, cookie, token)
		pair, _, _ := strings.Cut(cookie, ";")
		require.Contains(t, s.ask("GET", "/", header("Cookie", pair)).body, "users-name")
	}
	require.Equal(t, http.StatusUnauthorized, s.ask("POST", "/login").code)
}

// TestHealthKeepsItsReason: a probe learns that something is wrong; what it is, who
// has the token.
func TestHealthKeepsItsReason(t *testing.T) {
	t.Parallel()
	s := serve(t, newMigrator(t, pgtest.New(t), migrator.Config{}), statuspage.Config{Token: token})
	bearer := header("Authorization", "Bearer "+token)
	pgtest.WaitFor(t, "the first look", func() bool { return contains(s.ask("GET", "/healthz", bearer).body, "crossfade init") })
	answer := s.ask("GET", "/healthz")
	require.Equal(t, http.StatusServiceUnavailable, answer.code)
	require.Equal(t, "the ledger cannot be read\n", answer.body)
}

// TestHost: a name that somebody has made lead to the loopback address is turned
// away.
func TestHost(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{Hosts: []string{"status.example.com"}})
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	s.get("/", "users-name")
	for name, code := range map[string]int{
		"localhost:" + port: http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:" + port: http.StatusOK, "LOCALHOST.": http.StatusOK,
		"status.example.com:443": http.StatusOK,
		"evil.example.com":       http.StatusMisdirectedRequest, "evil.example.com:" + port: http.StatusMisdirectedRequest,
		"localhost.evil.example.com": http.StatusMisdirectedRequest, "10.0.0.1": http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/events", "/healthz", "/style.css"} {
			if path == "/events" && code == http.StatusOK {
				continue // it does not end
			}
			require.Equal(t, code, s.ask("GET", path, host(name)).code, "%s of %s", path, name)
		}
	}
	anywhere := serve(t, m, statuspage.Config{Hosts: []string{"*"}})
	require.Equal(t, http.StatusOK, anywhere.ask("GET", "/", host("evil.example.com")).code)
}

// TestHeaders: each answer has them, errors too, and nothing but reading is answered.
func TestHeaders(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{Token: token})
	for _, answer := range []answer{
		s.ask("GET", "/"), s.ask("GET", "/", header("Authorization", "Bearer "+token)), s.ask("GET", "/healthz"), s.ask("GET", "/style.css"),
		s.ask("GET", "/nothing"), s.ask("GET", "/", host("evil.example.com")), s.ask("DELETE", "/"), s.ask("POST", "/status.json"),
	} {
		policy := answer.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, "DENY", answer.header.Get("X-Frame-Options"))
		require.Equal(t, "nosniff", answer.header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", answer.header.Get("Referrer-Policy"))
		require.Equal(t, "no-store", answer.header.Get("Cache-Control"))
		require.Empty(t, answer.header.Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, http.StatusMethodNotAllowed, s.ask("DELETE", "/").code)
	require.Equal(t, http.StatusMethodNotAllowed, s.ask("POST", "/status.json").code)
}
