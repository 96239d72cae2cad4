package decode

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestChoose(t *testing.T) {
	if name, err := Choose(Go); name != Go || err != nil {
		t.Errorf("%s: %q, %v", Go, name, err)
	}
	if _, err := Choose("pil"); err == nil || !strings.Contains(err.Error(), `no decoder "pil", want auto, turbo or go`) {
		t.Errorf("an unknown decoder: %v", err)
	}
	if _, err := New("pil"); err == nil {
		t.Error("New makes an unknown decoder")
	}
	want := Turbo
	if err := findTurbo(); err != nil {
		want = Go
		if !errors.Is(err, ErrNoTurbo) || !strings.Contains(err.Error(), "apt install libturbojpeg0") {
			t.Errorf("%v", err)
		}
	}
	for _, auto := range []string{Auto, ""} {
		if name, err := Choose(auto); name != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", auto, name, err, want)
		}
	}
	if _, isGo := newDecoder(t, Auto).jpeg.(goJPEG); isGo != (want == Go) {
		t.Errorf("New makes the decoder go: %v, want %s", isGo, want)
	}
	if v := Version(Go); !strings.HasPrefix(v, "image/jpeg of go") {
		t.Error(v)
	}
	if v := Version(want); want == Turbo && v != "libturbojpeg 2" && v != "libturbojpeg 3" {
		t.Error(v)
	}
}

// Decoders share nothing, and their memory is reused without leaving traces.
func TestDecodersSideBySide(t *testing.T) {
	g := readGolden(t)
	for _, decoder := range []string{Go, Turbo} {
		t.Run(decoder, func(t *testing.T) {
			newDecoder(t, decoder)
			var wg sync.WaitGroup
			for w := range 4 {
				d := newDecoder(t, decoder)
				wg.Go(func() {
					for i := range g.names {
						name := g.names[(i*(w+1)+w)%len(g.names)]
						fresh, err := New(decoder)
						if err != nil {
							t.Error(err)
							return
						}
						a, errA := d.Decode(g.files[name])
						b, errB := fresh.Decode(g.files[name])
						if (errA == nil) != (errB == nil) {
							t.Errorf("%s: %v, then %v", name, errA, errB)
						} else if errA == nil && string(a.RGB(nil)) != string(b.RGB(nil)) {
							t.Errorf("%s: other pixels the second time", name)
						}
						fresh.Close()
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestWarningsOfManyThreads: the library keeps its message for the thread, and Go moves a goroutine
// from one to another between two calls. A harmless warning stays one.
func TestWarningsOfManyThreads(t *testing.T) {
	b := readGolden(t).files["jpeg_restart.jpg"]
	first := bytes.Index(b, []byte("\xff\xd0"))
	warns := slices.Concat(b[:first], []byte{1, 2, 3}, b[first:]) // extraneous bytes before a marker
	newDecoder(t, Turbo)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16)) // more than there are processors: calls are interrupted
	var wg sync.WaitGroup
	for range 64 {
		d := newDecoder(t, Turbo)
		wg.Go(func() {
			for range 300 {
				if _, err := d.Decode(warns); err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}
