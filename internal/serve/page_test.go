package serve

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/lanas"
	"oneshot/supernet/space"
)

// searched writes n samples of a search of the run's space, whose score is that of a made-up landscape, and returns the
// search.
func searched(t *testing.T, dir string, n int) lanas.Search {
	t.Helper()
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.OpenSpace(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{Config: c, Space: s}
	within, err := p.SearchSpace()
	if err != nil {
		t.Fatal(err)
	}
	search, err := p.NewSearch(c.Search.Algo, within)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var lines strings.Builder
	for i := range n {
		code, err := search.Ask()
		if err != nil {
			t.Fatal(err)
		}
		score := 0.5 + 0.2*float64(code[0]) + 0.02*r.Float64()
		failed, loss := "", 1.0
		if i%10 == 9 {
			score, loss, failed = 0, rundir.NoLoss, "the loss is NaN"
		}
		if err := search.Tell(code, score); err != nil {
			t.Fatal(err)
		}
		a, err := s.Decode(code)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(rundir.Sample{Index: i, Arch: s.Format(a), Hash: space.Hash(s, a), Score: score, Loss: loss, Images: 1,
			Params: int64(1000 + i), MAdds: int64(1e6 + 1e4*float64(i%7)), Source: "warm-up", Seed: c.Seed, Failed: failed})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s\n", b)
	}
	write(t, filepath.Join(dir, "search/samples.jsonl"), lines.String())
	return search
}

// TestPageOfASearch: what has no file yet is made of the samples: the tree is that of the search itself, the choice that
// decides the made-up score is found, and samples without a score are shown with their reason.
func TestPageOfASearch(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	search := searched(t, dir, 40)
	add(t, filepath.Join(dir, "log.jsonl"), fmt.Sprintf(`{"time":%q,"level":"INFO","msg":"progress","stage":"train","done":3,"total":12,"images_per_s":5,"seconds_left":3000.5,"note":"loss 2"}`+"\n", time.Now().Format(time.RFC3339Nano)))
	v := visit(t, dir)
	code, page := v.get(v.home)
	if code != 200 {
		t.Fatalf("%d", code)
	}
	for _, want := range []string{"After 40 samples; it grows", "no score: the loss is NaN", "the loss is NaN</li>", "all architectures", "Best score so far",
		"with the Pareto front", "Supernet: training loss", "Supernet: learning rate", "<progress aria-label=\"train\" value=\"3\" max=\"12\"", "about 50m0s left", "train    3/12  loss 2  5 images/s", "epsilon squared"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	// The best so far holds until the next: each of its lines is level or upright.
	before, _, _ := strings.Cut(page, `"><title>best so far</title>`)
	points := strings.Fields(before[strings.LastIndex(before, `points="`)+len(`points="`):])
	for i, p := range points[1:] {
		at, height, _ := strings.Cut(p, ",")
		if was, level, _ := strings.Cut(points[i], ","); was != at && level != height {
			t.Errorf("the best so far slants from %s to %s", points[i], p)
		}
	}
	if len(points) < 40 {
		t.Errorf("the best so far has %d points", len(points))
	}
	x := v.run("")
	x.mu.Lock()
	defer x.mu.Unlock()
	got, live, err := x.regions()
	if err != nil || !live {
		t.Fatalf("live %v, %v", live, err)
	}
	if want := search.(interface{ Tree() []lanas.Region }).Tree(); !reflect.DeepEqual(fmt.Sprint(got), fmt.Sprint(want)) || len(got) < 3 {
		t.Errorf("the tree is\n%v\nwant\n%v", got, want)
	}
	ranked := x.choicesView().Ranked
	if len(ranked) < 3 || ranked[0].Name != "normal node 0, input 0" || !strings.HasPrefix(ranked[0].Share, "9") {
		t.Errorf("the choices are %+v", ranked)
	}
}

// TestCurvesAreBounded: a training of any length is a few hundred points, whose means are right.
func TestCurvesAreBounded(t *testing.T) {
	var c curve
	const n = 100000
	for i := range n {
		c.add(float64(i))
	}
	if len(c.means) > mostPoints || len(c.means) < mostPoints/2-1 {
		t.Fatalf("%d points", len(c.means))
	}
	for i, m := range c.means {
		if want := float64(i*c.per) + float64(c.per-1)/2; m != want {
			t.Fatalf("point %d is %v, want %v", i, m, want)
		}
	}
}

// TestDrawingIsRare: what took a while to draw is not drawn again soon, but is when a stage has ended.
func TestDrawingIsRare(t *testing.T) {
	dir := t.TempDir()
	newRunFolder(t, dir)
	clock := time.Now()
	x := newRun(dir, "", func() time.Time { clock = clock.Add(10 * time.Millisecond); return clock }) // a drawing takes ten or more
	x.sync()
	x.draw(true)
	first := x.parts["curves"].version
	drawnAfter := func(d time.Duration) bool {
		clock = clock.Add(d)
		add(t, filepath.Join(dir, "metrics.jsonl"), step(10+int(x.latest["train"].Step)))
		x.sync()
		x.draw(false)
		return x.parts["curves"].version != first
	}
	if drawnAfter(300 * time.Millisecond) {
		t.Error("it is drawn again at once")
	}
	if !drawnAfter(wait * 10 * time.Millisecond) {
		t.Error("it is not drawn again")
	}
	first = x.parts["curves"].version
	if drawnAfter(inspectEvery) {
		t.Error("it is drawn again, though no stage has ended")
	}
	write(t, filepath.Join(dir, "supernet/record.json"), `{"steps":12}`) // by which a stage is another one
	if !drawnAfter(inspectEvery) {
		t.Error("a stage has ended, and it is not drawn again")
	}
}

// TestListOfRuns: name, how far, state and figures of each.
func TestListOfRuns(t *testing.T) {
	runs := t.TempDir()
	for name, change := range map[string]func(dir string){
		"going": func(string) {},
		"stopped": func(dir string) {
			add(t, filepath.Join(dir, "log.jsonl"), `{"time":"2026-01-01T00:00:00Z","level":"ERROR","msg":"stopped on request in stage train at 3 of 12","exit":75}`+"\n")
		},
		"failed": func(dir string) {
			add(t, filepath.Join(dir, "log.jsonl"), `{"time":"2026-01-01T00:00:00Z","level":"ERROR","msg":"the disk is full","exit":6}`+"\n")
		},
		"done": func(dir string) {
			write(t, filepath.Join(dir, "search/best.json"), `{"score":0.75,"samples":8}`)
			write(t, filepath.Join(dir, "result.json"), `{"test_top1":0.875,"test_images":40}`)
		},
		"old": func(dir string) {
			for _, name := range listed {
				os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-time.Hour))
			}
		},
		"ended": func(dir string) { add(t, filepath.Join(dir, "log.jsonl"), ended("ended", 0)) },
		"torn":  func(dir string) { add(t, filepath.Join(dir, "metrics.jsonl"), `{"stage":"ret`) },
	} {
		dir := filepath.Join(runs, name)
		newRunFolder(t, dir)
		if err := rundir.Folder(dir).MakeDir("supernet"); err != nil {
			t.Fatal(err)
		}
		if err := rundir.Folder(dir).KeepRecord("supernet/record.json", rundir.Record{Stage: "train", Steps: 12, Inputs: map[string]string{}}); err != nil {
			t.Fatal(err)
		}
		change(dir)
	}
	write(t, filepath.Join(runs, "no run/notes.txt"), "x")
	write(t, filepath.Join(runs, "file"), "x")
	l := list{path: runs, now: time.Now}
	want := map[string]string{"going": "goes on", "stopped": "stopped", "failed": "failed (6): the disk is full", "done": "has a result", "old": "quiet", "ended": "ended", "torn": "goes on"}
	for range 2 { // the second time from what is known
		v := l.read(time.Now())
		if len(v.Rows) != len(want) {
			t.Fatalf("%d rows of %d: %+v", len(v.Rows), len(want), v.Rows)
		}
		for _, r := range v.Rows {
			if r.State.Text != want[r.Name] || r.Stage != "train" || r.Done != 3 || r.Total != 12 {
				t.Errorf("%+v", r)
			}
			if r.Name == "done" && (r.Best != "75.00\u00a0%" || r.Test != "87.50\u00a0%") {
				t.Errorf("%+v", r)
			}
		}
		if last := v.Rows[len(v.Rows)-1]; last.Name != "old" {
			t.Errorf("the last is %s", last.Name)
		}
	}
	if v := l.read(time.Now().Add(time.Hour)); v.Rows[0].State.Text == "goes on" {
		t.Error("an hour later it still goes on")
	}
}

// TestStaleIsNotCurrent: what a stale stage has found is shown neither on the page nor in the list.
func TestStaleIsNotCurrent(t *testing.T) {
	runs := t.TempDir()
	for _, kind := range []string{"fresh", "stale", "damaged"} {
		stale, dir := kind != "fresh", filepath.Join(runs, kind)
		newRunFolder(t, dir)
		write(t, filepath.Join(dir, "search/best.json"), `{"score":0.75,"samples":1,"hash":"0123456789ab"}`)
		write(t, filepath.Join(dir, "search/samples.jsonl"), `{"index":0,"arch":"x","hash":"0123456789ab","score":0.75,"loss":1,"images":1,"params":2,"madds":3}`+"\n")
		write(t, filepath.Join(dir, "result.json"), `{"test_top1":0.875,"test_images":40}`)
		switch kind {
		case "stale":
			for _, s := range pipeline.Stages {
				if s.Name == "search" || s.Name == "test" {
					if err := rundir.Folder(dir).KeepRecord(s.Record, rundir.Record{Stage: s.Name, Inputs: map[string]string{"supernet": "another"}}); err != nil {
						t.Fatal(err)
					}
				}
			}
		case "damaged":
			write(t, filepath.Join(dir, "search/record.json"), `{"stage":"search"`)
		}
		x := newRun(dir, "", time.Now)
		x.sync()
		v := x.stateView()
		shown := fmt.Sprint(v.Figures, x.foundView(), v.Problem)
		for text, want := range map[string]bool{"75.00": !stale, "87.50": !stale, "stale": kind == "stale", "cannot be told": kind == "damaged"} {
			if strings.Contains(shown, text) != want {
				t.Errorf("%s: %q is shown: %v\n%s", kind, text, !want, shown)
			}
		}
		search, err := x.searchView()
		if err != nil || (len(search.Charts) == 0) != stale {
			t.Errorf("%s: %d charts, %v", kind, len(search.Charts), err)
		}
	}
	l := list{path: runs, now: time.Now}
	for _, r := range l.read(time.Now()).Rows {
		if fresh := r.Name == "fresh"; (r.Best != "") != fresh || (r.Test != "") != fresh {
			t.Errorf("%s: %q, %q", r.Name, r.Best, r.Test)
		}
	}
}
