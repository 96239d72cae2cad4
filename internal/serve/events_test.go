package serve

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// event is one of a stream.
type event struct{ kind, id, data string }

// listen reads a stream, from behind an id, until the function that it returns is called.
func (v visitor) listen(address, last string) (<-chan event, func()) {
	v.t.Helper()
	ctx, end := context.WithCancel(v.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	r.AddCookie(&http.Cookie{Name: cookieName, Value: v.cookie})
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		v.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		v.t.Fatalf("events are answered with %d", answer.StatusCode)
	}
	events := make(chan event, 1000)
	go func() {
		defer answer.Body.Close()
		defer close(events)
		var e event
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case lines.Text() == "" && e.kind != "":
				events <- e
				e = event{}
			case name == "event":
				e.kind = value
			case name == "id":
				e.id = value
			case name == "data":
				e.data += value + "\n"
			}
		}
	}()
	return events, end
}

// next is the next event of a kind.
func next(t *testing.T, events <-chan event, kind string) event {
	t.Helper()
	late := time.After(5 * time.Second)
	for {
		select {
		case e, more := <-events:
			if !more {
				t.Fatalf("the stream has ended before %s", kind)
			}
			if e.kind == kind {
				return e
			}
		case <-late:
			t.Fatalf("no event %s", kind)
		}
	}
}

// TestLinesArriveOnce: each line comes in less than a second, and a connection that was lost goes on behind the last line
// that it had, also before a server that has forgotten everything.
func TestLinesArriveOnce(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	metrics := filepath.Join(dir, "metrics.jsonl")
	v := visit(t, dir)
	events, end := v.listen(v.home+"events", "")
	first := next(t, events, "metrics")
	if n := strings.Count(first.data, "\n"); n != 3 || first.id == "" {
		t.Fatalf("%d lines of 3, id %q", n, first.id)
	}
	longest := time.Duration(0)
	var last event
	for n := 4; n < 8; n++ {
		begun := time.Now()
		add(t, metrics, step(n))
		last = next(t, events, "metrics")
		longest = max(longest, time.Since(begun))
		if !strings.Contains(last.data, fmt.Sprintf(`"step":%d,`, n)) {
			t.Fatalf("line %d came as %s", n, last.data)
		}
	}
	t.Logf("from a line of metrics.jsonl to the event: %v at most", longest)
	if longest >= time.Second {
		t.Errorf("a line took %v", longest)
	}
	add(t, metrics, `{"stage":"train","step":8,"lo`) // torn: nothing comes of it
	end()
	add(t, metrics, `ss":1}`+"\n"+step(9))
	for _, server := range []visitor{v, visit(t, dir)} {
		again, stop := server.listen(server.home+"events", last.id)
		if e := next(t, again, "metrics"); strings.Count(e.data, "\n") != 2 || !strings.Contains(e.data, `"step":8,"loss":1`) || !strings.Contains(e.data, `"step":9,`) {
			t.Errorf("after step 7 came %s", e.data)
		}
		stop()
	}
	for _, bad := range []string{"1-2-3", "9999999-10-00000000", "x", "10-20-00000000", "-1--1-0"} { // ids of another file
		again, stop := v.listen(v.home+"events", bad)
		next(t, again, "anew")
		stop()
	}
	after, stop := v.listen(v.home+"events?after="+url.QueryEscape(last.id), "")
	if e := next(t, after, "metrics"); strings.Count(e.data, "\n") != 2 {
		t.Errorf("after=%s gives %s", last.id, e.data)
	}
	stop()
}

// TestFilesChangeUnderIt: metrics that are put in another order, a folder that is gone, made again, and another one.
func TestFilesChangeUnderIt(t *testing.T) {
	runs := t.TempDir()
	dir := filepath.Join(runs, "r")
	newRunFolder(t, dir)
	metrics := filepath.Join(dir, "metrics.jsonl")
	v := visit(t, runs)
	events, end := v.listen(v.home+"run/r/events", "")
	defer end()
	next(t, events, "metrics")
	write(t, metrics+".new", step(1)+step(7)+step(8)+step(9))
	if err := os.Rename(metrics+".new", metrics); err != nil {
		t.Fatal(err)
	}
	next(t, events, "anew")
	if e := next(t, events, "metrics"); strings.Count(e.data, "\n") != 4 {
		t.Errorf("the other file came as %s", e.data)
	}
	state := func(want string) {
		t.Helper()
		for range 30 {
			if e := next(t, events, "part"); strings.Contains(e.data, `"state"`) && strings.Contains(e.data, want) {
				return
			}
		}
		t.Errorf("the page never says %q", want)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	state("the folder is gone")
	newRunFolder(t, dir)
	state("goes on")
	x := v.run("r")
	x.mu.Lock()
	if n := x.latest["train"].Step; n != 3 {
		t.Errorf("of the other run step %d is known", n)
	}
	x.mu.Unlock()

	// The list, as runs appear and are gone.
	list, stop := v.listen(v.home+"events", "")
	defer stop()
	if e := next(t, list, "part"); strings.Count(e.data, "run/") != 1 {
		t.Errorf("the list is %s", e.data)
	}
	newRunFolder(t, filepath.Join(runs, "s"))
	if e := next(t, list, "part"); strings.Count(e.data, "run/") != 2 {
		t.Errorf("with a second run the list is %s", e.data)
	}
}

// TestServerEnds: also while somebody listens.
func TestServerEnds(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	var events <-chan event
	t.Run("listening", func(t *testing.T) {
		v := visit(t, dir)
		v.t = t
		events, _ = v.listen(v.home+"events", "")
		next(t, events, "metrics")
	})
	for range events { // it ends
	}
}

// TestFewStreams: more than a server has room for are told to come again.
func TestFewStreams(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	v := visit(t, dir)
	v.mu.Lock()
	v.streams = mostStreams
	v.mu.Unlock()
	if r := v.ask("GET", v.home+"events", nil, nil); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many is answered with %d", r.StatusCode)
	}
}
