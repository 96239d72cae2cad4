package serve

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneshot/internal/rundir"
)

// TestStopIsAskedByOurPageOnly: the button leaves a request in the folder; what comes from elsewhere leaves none.
func TestStopIsAskedByOurPageOnly(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	v := visit(t, dir)
	form := url.Values{"key": {v.key}}
	origin := func(o string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Origin", o) } }
	for _, c := range []struct {
		name   string
		form   url.Values
		change func(*http.Request)
		want   int
	}{
		{"no word of where it comes from", form, nil, 403},
		{"another site", form, origin("http://evil.example"), 403},
		{"another port", form, origin("http://127.0.0.1:1"), 403},
		{"no origin", form, origin("null"), 403},
		{"another site, by the browser", form, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site"); origin(v.root)(r) }, 403},
		{"another origin than the browser says", form, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin"); origin("http://evil.example")(r) }, 403},
		{"no site", form, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none"); origin("null")(r) }, 403},
		{"no key", nil, origin(v.root), 403},
		{"the token is no key", url.Values{"key": {v.token}}, origin(v.root), 403},
		{"the key in the address", nil, func(r *http.Request) { r.URL.RawQuery = form.Encode(); origin(v.root)(r) }, 403},
		{"no cookie", form, func(r *http.Request) { r.Header.Del("Cookie"); origin(v.root)(r) }, 403},
		{"much more than a form", url.Values{"key": {v.key}, "more": {strings.Repeat("x", 2*mostBody)}}, origin(v.root), 400},
	} {
		if r := v.ask("POST", v.home+"stop", c.form, c.change); r.StatusCode != c.want {
			t.Errorf("%s: answered with %d, want %d", c.name, r.StatusCode, c.want)
		}
		if rundir.Folder(dir).StopAsked() {
			t.Fatalf("%s: the run is asked to stop", c.name)
		}
	}
	for _, how := range []func(*http.Request){origin(v.root), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin"); origin("null")(r) }} {
		if r := v.ask("POST", v.home+"stop", form, how); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != v.base {
			t.Errorf("the button is answered with %d to %q", r.StatusCode, r.Header.Get("Location"))
		}
		if _, page := v.get(v.home); !strings.Contains(page, "asked to stop") {
			t.Error("the page does not say so")
		}
		if asked, err := rundir.Folder(dir).TakeStop(); !asked || err != nil { // as the run does
			t.Errorf("the run is asked: %v, %v", asked, err)
		}
	}
	if _, page := v.get(v.home); strings.Contains(page, "the run has taken the request") {
		t.Error("the page says that the run has taken the request before the run does")
	}
	add(t, filepath.Join(dir, "log.jsonl"), logged(rundir.LogStopped))
	v.waitFor("the run has taken the request")
	add(t, filepath.Join(dir, "log.jsonl"), ended("stopped on request in stage train at 3 of 12", 75))
	if page := v.waitFor("stopped on request"); strings.Contains(page, "has taken the request") {
		t.Error("the page still speaks of the request when the run has ended")
	}
}

// waitFor loads the page until it says something.
func (v visitor) waitFor(text string) string {
	v.t.Helper()
	page := ""
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(30 * time.Millisecond) {
		if _, page = v.get(v.home); strings.Contains(page, text) {
			return page
		}
	}
	v.t.Errorf("the page never says %q:\n%s", text, page)
	return page
}

// TestWordOfARequestEnds: what is said of a request to stop is void when the run works again or is another one, and one
// that a run did not take before its end is taken back at once.
func TestWordOfARequestEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	newRunFolder(t, dir)
	log := filepath.Join(dir, "log.jsonl")
	clock := time.Now()
	x := newRun(dir, "", func() time.Time { return clock })
	look := func() {
		clock = clock.Add(lookEvery)
		x.sync()
	}
	ask := func() {
		t.Helper()
		if err := x.askStop(); err != nil {
			t.Fatal(err)
		}
	}
	look()
	ask()
	clock = clock.Add(stopFor + time.Second)
	if x.stopOpen() || !strings.Contains(x.request.text, "no run works in this folder") {
		t.Fatalf("nobody takes it: %q", x.request.text)
	}
	add(t, log, logged("the run goes on"))
	if look(); x.request.text != "" {
		t.Errorf("the run works again, and the page says %q", x.request.text)
	}

	ask()
	add(t, log, ended("ended", 0))
	look()
	if x.stopOpen() || rundir.Folder(dir).StopAsked() || x.request.text != "" {
		t.Errorf("the run has ended, and the request stays: %q", x.request.text)
	}

	ask()
	if _, err := rundir.Folder(dir).TakeStop(); err != nil {
		t.Fatal(err)
	}
	if !x.stopOpen() {
		t.Error("the request is taken before the log says so")
	}
	clock = clock.Add(stopFor + time.Second)
	if x.stopOpen() || !strings.Contains(x.request.text, "oneshot status "+dir) {
		t.Errorf("the log never says that the request is taken: %q", x.request.text)
	}

	ask()
	if err := os.Rename(dir, dir+"-old"); err != nil {
		t.Fatal(err)
	}
	newRunFolder(t, dir)
	if look(); x.request.open || x.request.text != "" {
		t.Errorf("of another run the page says %q", x.request.text)
	}
}

// TestStopNobodyObeys: a request that no run takes is taken back, and a folder in which nothing may be written is said.
func TestStopNobodyObeys(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	clock := time.Now()
	x := newRun(dir, "", func() time.Time { return clock })
	x.sync()
	if err := x.askStop(); err != nil {
		t.Fatal(err)
	}
	if !x.stopOpen() || !rundir.Folder(dir).StopAsked() {
		t.Fatal("the request is not open")
	}
	clock = clock.Add(stopFor + time.Second)
	if x.stopOpen() || rundir.Folder(dir).StopAsked() || !strings.Contains(x.request.text, "taken back") {
		t.Errorf("it stays: %q", x.request.text)
	}
	gone := newRun(filepath.Join(dir, "nothing"), "", time.Now)
	if gone.askStop() == nil {
		t.Error("a run that is not there is asked")
	}
	outside := t.TempDir()
	newRunFolder(t, outside)
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	linked := newRun(dir, "out", time.Now)
	linked.sync()
	if linked.askStop() == nil || rundir.Folder(outside).StopAsked() {
		t.Error("a run outside is asked")
	}
}

// TestNothingElseIsWritten: whatever is asked for, the folder is as it was.
func TestNothingElseIsWritten(t *testing.T) {
	runs := t.TempDir()
	newRunFolder(t, filepath.Join(runs, "r"))
	before := listing(t, runs)
	v := visit(t, runs)
	events, stop := v.listen(v.home+"run/r/events", "")
	v.get(v.home)
	v.get(v.home + "run/r/")
	next(t, events, "part")
	stop()
	if after := listing(t, runs); after != before {
		t.Errorf("the folder was\n%s\nand is\n%s", before, after)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
