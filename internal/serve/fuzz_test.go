package serve

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// FuzzMark: an id that a browser sends is refused, or is a place within bounds that is written as it is read.
func FuzzMark(f *testing.F) {
	for _, m := range []mark{{}, {100, 7, 20}, {1 << 40, 1<<32 - 1, 0}} {
		f.Add(m.String())
	}
	for _, text := range []string{"1-2-3", "9223372036854775807-1048576-ffffffff", "+1-+1-0", "-1--1-0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := parseMark(text)
		if !ok {
			return
		}
		if m.at < 0 || m.len < 0 || m.len > m.at || m.len > longestLine {
			t.Errorf("%q is read as %+v", text, m)
		}
		if again, ok := parseMark(m.String()); !ok || again != m {
			t.Errorf("%q is read as %+v, and that as %+v", text, m, again)
		}
	})
}

// FuzzTail: a file of any bytes, read from any mark and cut and grown in between, gives its whole lines, and only those.
func FuzzTail(f *testing.F) {
	f.Add([]byte("one\ntwo\nthr"), []byte("ee\n"), "0-0-00000000", uint16(3))
	f.Add([]byte("\n\n\x00\n"), []byte{}, "1-0-00000000", uint16(0))
	f.Add([]byte("one\n"), []byte("two\n"), "4-3-00000000", uint16(9))
	f.Fuzz(func(t *testing.T, text, more []byte, id string, cut uint16) {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		x := newFollower(t, dir)
		x.tail.mark, _ = parseMark(id)
		begun := x.tail.mark
		write(t, path, string(text))
		x.read()
		if x.anew == 0 && begun != (mark{}) && begun.at > int64(len(text)) {
			t.Errorf("a mark behind the end is of this file: %+v", begun)
		}
		if x.tail.mark.at > int64(len(text)) {
			t.Fatalf("%d bytes are read up to %d", len(text), x.tail.mark.at)
		}
		text = append(text[:len(text)-min(len(text), int(cut))], more...)
		write(t, path, string(text))
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil { // one clock tick may hold both
			t.Fatal(err)
		}
		x.read()
		if begun != (mark{}) && x.anew == 0 {
			return // what lies before the mark was not handed out
		}
		var want []string
		for line := range bytes.Lines(text) {
			if whole, ok := bytes.CutSuffix(line, []byte("\n")); ok {
				want = append(want, string(whole))
			}
		}
		// Where the line of the mark is the same at the same place, a mark cannot know that earlier ones are others.
		if n := len(want); n > 0 && (len(x.lines) == 0 || x.lines[len(x.lines)-1] != want[n-1]) || cut == 0 && !slices.Equal(x.lines, want) {
			t.Errorf("%q gives %q", text, x.lines)
		}
	})
}

// FuzzMetric: whatever the lines of the metrics are, they can be drawn, and no curve has a point that is no number.
func FuzzMetric(f *testing.F) {
	f.Add([]byte(step(1)+step(2)), []byte(`{"stage":"search","step":1,"best":0.5}`))
	f.Add([]byte(`{"stage":"train","step":-1,"loss":1e308,"lr":-1e308}`), []byte(`{"stage":"retrain","step":9223372036854775807,"loss":1e308}`))
	f.Add([]byte(`{"stage":"<b>","loss":null}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		x := newRun(t.TempDir(), "", time.Now)
		for range 3 {
			for _, text := range [][]byte{one, two} {
				for line := range bytes.Lines(text) {
					x.addMetric(line)
				}
			}
		}
		drawAll(t, x)
		for name, c := range x.curves {
			for _, v := range c.means {
				if math.IsNaN(v) {
					t.Errorf("%s has a mean that is no number", name)
				}
			}
		}
	})
}

// FuzzEntry: whatever the lines of the log are, they can be drawn, and only the last of them are kept.
func FuzzEntry(f *testing.F) {
	f.Add([]byte(logged("begun")), []byte(ended("ended", 0)))
	f.Add([]byte(`{"msg":"progress","stage":"train","done":1,"total":2,"seconds_left":1e300,"time":"2026-01-01T00:00:00Z"}`), []byte(`{"msg":"stage","images_per_s":-1}`))
	f.Add([]byte(`{"msg":"asked to stop"}`), []byte(`{"msg":"x","exit":-9223372036854775808}`))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		x := newRun(t.TempDir(), "", time.Now)
		x.request = request{open: true, made: x.now()}
		for range logLines {
			for _, text := range [][]byte{one, two} {
				for line := range bytes.Lines(text) {
					x.addEntry(line)
				}
			}
		}
		if len(x.entries) > logLines {
			t.Errorf("%d entries are kept", len(x.entries))
		}
		if x.end != nil && x.end.Exit == nil {
			t.Error("an end without a code")
		}
		x.changed = x.now()
		x.stage = "train"
		drawAll(t, x)
	})
}

// drawAll draws every part, as a page does that is loaded.
func drawAll(t *testing.T, x *run) {
	t.Helper()
	for _, name := range partNames {
		if _, err := x.drawPart(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
