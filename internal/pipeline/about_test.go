package pipeline

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/rundir"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Whatever an exported file says about itself, it names no folder to read, and what it claims is
// compared with its tensors before anything of that size is allocated.
func FuzzAbout(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAbout(text)
		if err != nil {
			return
		}
		if a.Data.Dir != "" {
			t.Fatalf("the file names the folder %q", a.Data.Dir)
		}
		s, arch, err := space.ParseAny(a.Arch)
		if err != nil {
			return
		}
		c := (&ExportedFile{About: a}).config(s)
		if plausible(c, arch, nil) == nil {
			t.Fatal("a network without tensors is plausible")
		}
		if c.Check() != nil {
			return
		}
		if params, madds, err := c.Cost(arch); err != nil || params < 1 || madds < 1 || c.Image > net.MaxImage {
			t.Fatalf("%d parameters, %d multiply-adds, images of %d pixels: %v", params, madds, c.Image, err)
		}
	})
}

// How far a search has come is known by its lines, whatever lies in their place.
func TestProgressOfASearch(t *testing.T) {
	s := Stage{Name: "search", Begun: "samples.jsonl", Done: "best.json"}
	d := rundir.Folder(t.TempDir())
	want := func(done int, state string) {
		t.Helper()
		got := make(chan Progress, 1)
		go func() { got <- s.progress(d, 0) }()
		select {
		case p := <-got:
			if p.Done != done || p.State != state {
				t.Errorf("%+v, want %d %s", p, done, state)
			}
		case <-time.After(10 * time.Second):
			t.Error("the progress of a pipe waits")
		}
	}
	want(0, "none")
	for text, lines := range map[string]int{strings.Repeat("{}\n", 100_000): 100_000, "{}\n{}\n{": 2, "{": 0} {
		if err := os.WriteFile(d.File(s.Begun), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want(lines, "started")
	}
	if err := os.Remove(d.File(s.Begun)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(d.File(s.Begun), 0o644); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	want(0, "none")
}
