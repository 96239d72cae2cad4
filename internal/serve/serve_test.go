package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"oneshot/internal/config"
)

// newRunFolder makes the folder of a run of preset micro, with some lines of each file.
func newRunFolder(t *testing.T, dir string) {
	t.Helper()
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config.yaml"), string(b))
	write(t, filepath.Join(dir, "metrics.jsonl"), step(1)+step(2)+step(3))
	write(t, filepath.Join(dir, "log.jsonl"), logged("begun"))
}

func step(n int) string {
	return fmt.Sprintf(`{"stage":"train","step":%d,"loss":%g,"lr":0.1,"grad_norm":1,"top1":0.5}`+"\n", n, 2+1/float64(n))
}

func logged(text string) string {
	b, _ := json.Marshal(text)
	return fmt.Sprintf(`{"time":%q,"level":"INFO","msg":%s}`+"\n", time.Now().Format(time.RFC3339Nano), b)
}

// ended is the last line of a process.
func ended(text string, code int) string {
	return fmt.Sprintf(`{"time":%q,"level":"INFO","msg":%q,"exit":%d}`+"\n", time.Now().Format(time.RFC3339Nano), text, code)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func every(ctx context.Context, d time.Duration, f func() bool) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !f() {
				return
			}
		}
	}
}

// visitor is a server with a browser that was let in.
type visitor struct {
	*Server
	*http.Client
	t    *testing.T
	home string // of the pages
	root string // of the server
}

func visit(t *testing.T, path string) visitor {
	t.Helper()
	s, err := New(Options{Path: path, Now: time.Now, Every: every})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := visitor{Server: s, Client: &http.Client{Jar: jar, Timeout: 10 * time.Second}, t: t, root: "http://" + l.Addr().String()}
	v.home = v.root + s.base
	if code, _ := v.get(s.Address(l.Addr())); code != http.StatusOK {
		t.Fatalf("the address that is printed is answered with %d", code)
	}
	return v
}

func (v visitor) get(address string) (int, string) {
	v.t.Helper()
	r, err := v.Get(address)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// ask makes a request as a browser that has the cookie, with a change.
func (v visitor) ask(method, address string, body url.Values, change func(*http.Request)) *http.Response {
	v.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(&http.Cookie{Name: cookieName, Value: v.cookie})
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		v.t.Fatal(err)
	}
	b, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(strings.NewReader(string(b)))
	return answer
}

// TestOnlyWhoWasLetIn: the secret, the Host, the method and the headers of every answer.
func TestOnlyWhoWasLetIn(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	v := visit(t, dir)
	for _, c := range []struct {
		name, method, address string
		change                func(*http.Request)
		want                  int
	}{
		{"the page", "GET", v.home, nil, 200},
		{"its head", "HEAD", v.home, nil, 200},
		{"the head of the events", "HEAD", v.home + "events", nil, 200},
		{"the script", "GET", v.home + "script.js", nil, 200},
		{"no cookie", "GET", v.home, func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		{"no cookie, the style", "GET", v.home + "style.css", func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		{"no cookie, the events", "GET", v.home + "events", func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		{"the token is no cookie", "GET", v.home, func(r *http.Request) { r.Header.Set("Cookie", cookieName+"="+v.token) }, 403},
		{"another's cookie beside ours", "GET", v.home, func(r *http.Request) { r.Header.Set("Cookie", cookieName+"=x; "+cookieName+"="+v.cookie) }, 200},
		{"no token", "GET", v.root + "/", nil, 403},
		{"another token", "GET", v.root + "/?token=" + strings.Repeat("0", 32), nil, 403},
		{"an empty token", "GET", v.root + "/?token=", nil, 403},
		{"the token by POST", "POST", v.root + "/?token=" + v.token, nil, 405},
		{"the token", "GET", v.root + "/?token=" + v.token, nil, 303},
		{"another path", "GET", v.root + "/style.css", nil, 403},
		{"a page that is none", "GET", v.home + "nothing", nil, 404},
		{"a page by PUT", "PUT", v.home, nil, 405},
		{"stop by GET", "GET", v.home + "stop", nil, 405},
		{"localhost", "GET", v.home, func(r *http.Request) { r.Host = "localhost:8000" }, 200},
		{"a port that was forwarded", "GET", v.home, func(r *http.Request) { r.Host = "127.0.0.1:9" }, 200},
		{"a name that somebody gave the address", "GET", v.home, func(r *http.Request) { r.Host = "rebound.example" }, 421},
		{"likewise, with a port", "GET", v.home, func(r *http.Request) { r.Host = "127.0.0.1.rebound.example:80" }, 421},
		{"likewise, with the token", "GET", v.root + "/?token=" + v.token, func(r *http.Request) { r.Host = "rebound.example" }, 421},
	} {
		r := v.ask(c.method, c.address, nil, c.change)
		if r.StatusCode != c.want {
			t.Errorf("%s: answered with %d, want %d", c.name, r.StatusCode, c.want)
		}
		for name, want := range map[string]string{"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
			}
		}
		if c.want == 403 && strings.Contains(r.Header.Get("Set-Cookie"), v.cookie) {
			t.Errorf("%s: the cookie is given away", c.name)
		}
	}
	given := v.ask("GET", v.root+"/?token="+v.token, nil, nil)
	if c := given.Cookies(); len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != v.base {
		t.Errorf("the cookie is %v", c)
	}
	if at := given.Header.Get("Location"); at != v.base {
		t.Errorf("the token is exchanged for %q", at)
	}
	for _, site := range []string{"cross-site", "same-site"} { // a browser holds the cookie back behind a redirect then
		door := v.ask("GET", v.root+"/?token="+v.token, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) })
		b, _ := io.ReadAll(door.Body)
		if text := string(b); door.StatusCode != http.StatusOK || len(door.Cookies()) != 1 || !strings.Contains(text, `content="0; url=`+v.base+`"`) || !strings.Contains(text, `<a href="`+v.base+`">`) ||
			strings.Contains(text, v.token) || strings.Contains(text, v.cookie) {
			t.Errorf("the address, followed from a page that is %s, is answered with %d\n%s", site, door.StatusCode, text)
		}
		if r := v.ask("GET", v.root+"/?token=0", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) }); r.StatusCode != 403 || len(r.Cookies()) > 0 {
			t.Errorf("another token, followed from a page that is %s, is answered with %d", site, r.StatusCode)
		}
	}
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("policy %s", policy)
	}
	for name, bits := range map[string]string{"token": v.token, "cookie": v.cookie, "key": v.key} {
		if other := newSecrets(); len(bits) != 32 || bits == other.token || bits == other.cookie {
			t.Errorf("%s is %q", name, bits)
		}
	}
	_, page := v.get(v.home)
	for _, bad := range []string{"style=", "onclick", "javascript:", v.token, v.cookie} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestListensHereOnly: other machines are no names of this one.
func TestListensHereOnly(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1": true, "127.0.0.1:80": true, "LOCALHOST:1": true, "": false, "0.0.0.0:80": false, "evil.example": false,
		"localhost.evil.example": false, "127.0.0.1@evil.example": false, "[::1]:80": false} {
		if got := ofThisMachine(host); got != want {
			t.Errorf("%q is this machine: %v", host, got)
		}
	}
}

// TestEscaped: names of folders and what files say are text, whatever it is.
func TestEscaped(t *testing.T) {
	const evil = "<script>alert(\"1\")&'\x1b[31m\xff\u202e"
	dir := t.TempDir()
	run := filepath.Join(dir, evil)
	newRunFolder(t, run)
	add(t, filepath.Join(run, "log.jsonl"), logged(evil))
	add(t, filepath.Join(run, "metrics.jsonl"), `{"stage":"<script>alert(\"1\")&'","step":4,"loss":1}`+"\n")
	write(t, filepath.Join(run, "search/samples.jsonl"), `{"index":0,"arch":"<script>alert(\"1\")&'","hash":"<script>alert(\"1\")&'","score":0.5,"loss":1,"images":1,"params":2,"madds":3}`+"\n"+
		`{"index":1,"arch":"<script>","hash":"<script>alert(\"1\")&'","score":0,"loss":1,"failed":"<script>alert(\"1\")&'"}`+"\n")
	v := visit(t, dir)
	for _, at := range []string{"", "run/" + url.PathEscape(evil) + "/"} {
		code, page := v.get(v.home + at)
		if code != http.StatusOK || !strings.Contains(page, "&lt;script&gt;alert") {
			t.Errorf("%q: %d, and the name is not there", at, code)
		}
		if !utf8.ValidString(page) || strings.ContainsAny(page, "\x1b\u202e") {
			t.Errorf("%q: bytes that act or are no text", at)
		}
		if strings.Count(page, "<script") != 1 || strings.Contains(page, "alert(\"") {
			t.Errorf("%q: what a name says is script", at)
		}
	}
}

// TestNothingOutside: no name and no link leads out of the folder that is shown.
func TestNothingOutside(t *testing.T) {
	above := t.TempDir()
	dir, secret := filepath.Join(above, "runs"), filepath.Join(above, "secret")
	newRunFolder(t, secret)
	add(t, filepath.Join(secret, "log.jsonl"), logged("the secret"))
	newRunFolder(t, filepath.Join(dir, "good"))
	link := func(to, at string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		os.Remove(at)
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	link(secret, filepath.Join(dir, "linked"))
	link("../secret", filepath.Join(dir, "relative"))
	for i, file := range []string{"log.jsonl", "metrics.jsonl", "config.yaml", "search/best.json", "supernet"} {
		run := filepath.Join(dir, fmt.Sprintf("file%d", i))
		newRunFolder(t, run)
		link(filepath.Join(secret, "log.jsonl"), filepath.Join(run, file))
	}
	others := []string{} // names beside cache, which is left out only where it is a folder
	for name, plant := range map[string]func(run string){
		"cache is a file": func(run string) {
			write(t, filepath.Join(run, "cache"), "x")
			link(secret, filepath.Join(run, "search"))
		},
		"cache is a link":           func(run string) { link(secret, filepath.Join(run, "cache")) },
		"cache is a link to a file": func(run string) { link(filepath.Join(secret, "log.jsonl"), filepath.Join(run, "cache")) },
		"cache is a folder": func(run string) {
			write(t, filepath.Join(run, "cache", "x"), "x")
			link(secret, filepath.Join(run, "search"))
		},
	} {
		others = append(others, name)
		newRunFolder(t, filepath.Join(dir, name))
		plant(filepath.Join(dir, name))
	}
	v := visit(t, dir)
	for _, name := range others {
		if _, page := v.get(v.home + "run/" + url.PathEscape(name) + "/"); strings.Contains(page, "the secret") || !strings.Contains(page, "leads out of the folder") {
			t.Errorf("%s: a link that leads out goes unnoticed", name)
		}
	}
	_, list := v.get(v.home)
	if !strings.Contains(list, "good") || strings.Contains(list, "linked") || strings.Contains(list, "relative") || strings.Contains(list, "the secret") {
		t.Errorf("the list is\n%s", list)
	}
	for _, name := range []string{"linked", "relative", "..", "../secret", "..%2fsecret", "%2e%2e%2fsecret", "good%2f..%2f..%2fsecret", ".", "", "%00", "missing"} {
		if r := v.ask("GET", v.home+"run/"+name+"/", nil, nil); r.StatusCode == http.StatusOK {
			t.Errorf("run %q is shown", name)
		}
	}
	for i := range 5 {
		_, page := v.get(v.home + fmt.Sprintf("run/file%d/", i))
		if strings.Contains(page, "the secret") || !strings.Contains(page, "leads out of the folder") {
			t.Errorf("file%d: what a link leads to is shown", i)
		}
	}
	if len(v.runs) > mostRuns {
		t.Errorf("%d runs are remembered", len(v.runs))
	}
}

// TestFewConnections: what asks for more waits, and is answered when there is room.
func TestFewConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := bound(l, 2)
	var open []net.Conn
	got := make(chan net.Conn)
	go func() {
		for {
			c, err := b.Accept()
			if err != nil {
				close(got)
				return
			}
			got <- c
		}
	}()
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range 2 {
		open = append(open, <-got)
	}
	select {
	case <-got:
		t.Fatal("three connections at a time")
	case <-time.After(50 * time.Millisecond):
	}
	open[0].Close()
	open[0].Close() // once more makes no more room
	<-got
	b.Close()
	if _, more := <-got; more {
		t.Error("a connection after the end")
	}
}
