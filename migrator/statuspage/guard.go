package statuspage

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// secure sets the headers of every answer. What the page needs comes from where it
// does itself; nothing in it is inline.
func secure(h http.Header) {
	for name, value := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Frame-Options":              "DENY",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	} {
		h.Set(name, value)
	}
}

// guard tells who may read the page.
type guard struct {
	token string
	hosts []string
	// pass is what the cookie holds in place of the token.
	pass string
}

const (
	cookieName = "crossfade_status"
	cookieLife = 30 * 24 * time.Hour
)

func newGuard(c Config) guard {
	mac := hmac.New(sha256.New, []byte(c.Token))
	mac.Write([]byte(cookieName))
	return guard{token: c.Token, hosts: c.Hosts, pass: hex.EncodeToString(mac.Sum(nil))}
}

// knows tells whether the page may be called as the request calls it. A page on a
// loopback address is reached by any page in the browser whose name has been made
// to lead there; its scripts could read what they get, were it not for this.
func (g guard) knows(r *http.Request) bool {
	local, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !known || !loopback(local.String()) {
		return true
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	return host == "localhost" || loopback(host) || slices.ContainsFunc(g.hosts, func(name string) bool {
		return name == "*" || strings.EqualFold(name, host)
	})
}

// loopback tells whether an address, with a port or without, is one of this machine
// alone. A socket of the file system is.
func loopback(address string) bool {
	if strings.HasPrefix(address, "/") || strings.HasPrefix(address, "@") || address == "" {
		return true
	}
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback()
}

// ask lets those pass who have the token.
func (g guard) ask(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if given := r.URL.Query().Get("token"); r.URL.Path == "/" && given != "" {
			g.enter(w, r, given)
			return
		}
		if g.admits(r) {
			next(w, r)
			return
		}
		g.turnAway(w, r)
	}
}

// admits tells whether a request has the token, or the cookie in its place.
func (g guard) admits(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	if scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return same(strings.TrimSpace(given), g.token)
	}
	cookie, err := r.Cookie(cookieName)
	return err == nil && same(cookie.Value, g.pass)
}

// same compares in a time that does not depend on where they differ, or on how long
// they are.
func same(given, wanted string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// login takes the token from the form.
func (g guard) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	g.enter(w, r, r.PostFormValue("token"))
}

// enter gives a cookie for the token, and leads to the page, without the token in
// its address.
func (g guard) enter(w http.ResponseWriter, r *http.Request, given string) {
	if g.token != "" && !same(given, g.token) {
		g.turnAway(w, r)
		return
	}
	if g.token != "" {
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: g.pass, MaxAge: int(cookieLife.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	}
	w.Header().Set("Location", "./") // relative, since it may be mounted anywhere
	w.WriteHeader(http.StatusSeeOther)
}

// turnAway asks for the token: people by a form, programs by the header.
func (g guard) turnAway(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="crossfade status"`)
	if r.URL.Path != "/" && r.URL.Path != "/login" {
		http.Error(w, "the token is missing or wrong: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		return
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "login.html", r.URL.Query().Has("token") || r.Method == http.MethodPost); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = b.WriteTo(w)
}
