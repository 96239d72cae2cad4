package serve

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
)

// What each part of the guard is for. The server is reached by more than the person at the keyboard: by every user of
// the machine, and by every web site that this person's browser has open.
//
// Secret. The address that is printed has a random token. It comes as a query, so that pages work without script, and is
// exchanged at once for a cookie and an address without it, so that it stays in no history and in no screenshot. The
// cookie is HttpOnly, so no script reads it, and SameSite=Strict, so no other site's request has it. It has a random
// value of its own. A browser that follows the printed address from another site's page, such as a terminal or a chat in
// a browser, holds such a cookie back on a redirect too; it is answered with a small page of ours, which leads on.
// Cookies know no ports: another server of this machine would get it too. So its path is random, and a browser shows it to
// nobody who does not know that path.
//
// Host. A site may give its own name the address 127.0.0.1 (DNS rebinding); its pages then are of one origin with ours,
// but the browser still sends that name as the Host. Only names of this machine are answered. Any port is right: it
// may have been forwarded by ssh.
//
// Origin. A request that changes something says that it comes from our own page, by Sec-Fetch-Site or Origin, and has
// the key of the form.
//
// Content. Whatever a file says, it cannot become script: html/template escapes it, and the policy allows no script,
// style, picture or connection but our own files.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	cookieName = "oneshot"
	mostBody   = 4 << 10 // bytes of a form
)

// secrets of a server.
type secrets struct {
	token  string // of the address that is printed
	cookie string // what it is exchanged for
	key    string // of forms
	base   string // path of all pages, "/"+random+"/"
}

// newSecrets draws them: 128 bits each.
func newSecrets() secrets {
	draw := func() string {
		var b [16]byte
		rand.Read(b[:]) // never fails
		return hex.EncodeToString(b[:])
	}
	return secrets{draw(), draw(), draw(), "/" + draw() + "/"}
}

// same compares secrets in a time that does not depend on how much of them is right.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// guard lets through to next what may come in.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		switch {
		case !ofThisMachine(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this server answers to 127.0.0.1 and localhost only")
		case r.URL.Path == "/":
			s.exchange(w, r)
		case !strings.HasPrefix(r.URL.Path, s.base) || !s.known(r):
			refuse(w, http.StatusForbidden, noToken)
		case r.Method == http.MethodPost && !fromHere(r):
			refuse(w, http.StatusForbidden, "this may only be asked for by a page of this server")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const noToken = "open the address that `oneshot serve` has printed: it has a token that this request lacks"

// exchange gives the cookie for the token.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "only GET")
	case same(r.URL.Query().Get("token"), s.token):
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: s.cookie, Path: s.base, HttpOnly: true, SameSite: http.SameSiteStrictMode})
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			s.render(w, "door", page{Title: "Watching runs", Base: s.base})
			return
		}
		http.Redirect(w, r, s.base, http.StatusSeeOther)
	default:
		refuse(w, http.StatusForbidden, noToken)
	}
}

// known says whether a request has the cookie.
func (s *Server) known(r *http.Request) bool {
	for _, c := range r.CookiesNamed(cookieName) { // another server's may have the same name
		if same(c.Value, s.cookie) {
			return true
		}
	}
	return false
}

// ofThisMachine says whether a Host names this machine by itself.
func ofThisMachine(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return name == "127.0.0.1" || strings.EqualFold(name, "localhost")
}

// fromHere says whether a browser says that a request comes from a page of this server. As our pages send no referrer,
// forms of theirs have the origin null; then only Sec-Fetch-Site tells, which no page can set.
func fromHere(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	ours := origin == "http://"+r.Host
	if site == "" {
		return ours
	}
	return site == "same-origin" && (ours || origin == "" || origin == "null")
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	w.Write([]byte(why + "\n"))
}
