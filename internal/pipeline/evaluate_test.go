package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rng"
	"oneshot/internal/ui"
	"oneshot/supernet"
)

// exported is a network as if it had been made with a configuration: EvaluateFile looks at
// what the file says of the data, not at how good the network is.
func exported(t *testing.T, c config.Config) (*Exported, About) {
	t.Helper()
	p, err := plan.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Data.Close()
	arch := p.Space.Sample(rng.New(1, "test"))
	made := about(p, p.Final(false), arch)
	made.AllImages = c.Retrain.AllImages
	meta, err := made.metadata()
	if err != nil {
		t.Fatal(err)
	}
	x := &Exported{Config: p.Final(false), Arch: arch, Space: p.Space}
	var a About
	rt, err := supernet.NewRuntime(1)
	if err == nil {
		t.Cleanup(func() { rt.Close() })
		x.Net, err = supernet.NewArch(x.Config, arch, 0, rt)
	}
	if err := errors.Join(err, json.Unmarshal([]byte(meta[aboutKey]), &a)); err != nil {
		t.Fatal(err)
	}
	return x, a
}

// splitPhotos moves some pictures of every class into splits of their own.
func splitPhotos(t *testing.T, splits map[string]int) string {
	t.Helper()
	from, dir := photos(t, 20), t.TempDir()
	for _, class := range []string{"left", "right"} {
		files, err := filepath.Glob(filepath.Join(from, class, "*.png"))
		if err != nil {
			t.Fatal(err)
		}
		for _, split := range []string{"train", "val", "test"} {
			for range splits[split] {
				to := filepath.Join(dir, split, class, filepath.Base(files[0]))
				if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(files[0], to)); err != nil {
					t.Fatal(err)
				}
				files = files[1:]
			}
		}
	}
	return dir
}

// again is the configuration that evaluates a file on the images it was made with.
func again(a About, dir string) config.Config {
	c := config.Default()
	c.Seed, c.Data = a.Seed, a.Data
	c.Data.Dir = dir
	return c
}

// ownConfig makes a small network of images of one's own.
func ownConfig(t *testing.T, dir string, sets ...string) config.Config {
	t.Helper()
	c, err := config.Request{Preset: "folder-small", Sets: append([]string{"data.dir=" + dir, "run.device=cpu", "seed=3",
		"retrain.layers=3", "retrain.channels=4"}, sets...)}.Resolve(nil, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEvaluateFileKeepsTrainedImagesOut: the figure is of images that neither a training
// nor a search has seen, whatever is asked for.
func TestEvaluateFileKeepsTrainedImagesOut(t *testing.T) {
	one := photos(t, 20)
	two := splitPhotos(t, map[string]int{"train": 16, "val": 4})
	three := splitPhotos(t, map[string]int{"train": 12, "val": 4, "test": 4})
	for _, x := range []struct {
		title, dir string
		made       []string // with what the network was made
		split      string
		set        func(c *config.Config)
		refuse     bool
	}{
		{"drawn test", one, nil, "test", func(*config.Config) {}, false},
		{"drawn test of fewer", one, nil, "test", func(c *config.Config) { c.Data.TestSize = 4 }, false},
		{"drawn test of another seed", one, nil, "test", func(c *config.Config) { c.Seed++ }, true},
		{"test of its own, another seed", two, nil, "test", func(c *config.Config) { c.Seed++ }, false},
		{"drawn instead of its own", two, nil, "test", func(c *config.Config) { c.Data.TestFrom = "train" }, true},
		{"searched on val, tested on it", two, []string{"data.search_from=val"}, "test", func(c *config.Config) { c.Data.SearchFrom = "" }, true},
		{"searched on val, named for the test", three, nil, "test", func(c *config.Config) { c.Data.TestFrom = "val" }, true},
		{"search", three, nil, "search", func(*config.Config) {}, false},
		{"search from train", three, nil, "search", func(c *config.Config) { c.Data.SearchFrom = "train" }, true},
		{"search from the test", three, nil, "search", func(c *config.Config) { c.Data.TestFrom = "train" }, true},
		{"drawn search of another seed", one, nil, "search", func(c *config.Config) { c.Seed++ }, true},
		{"drawn search of fewer", one, nil, "search", func(c *config.Config) { c.Data.SearchSize = 4 }, true},
	} {
		net, a := exported(t, ownConfig(t, x.dir, x.made...))
		c := again(a, x.dir)
		x.set(&c)
		_, res, err := EvaluateFile(t.Context(), process().UI, net, a, c, given(), x.split, Room{})
		switch {
		case !x.refuse && (err != nil || res.Images == 0):
			t.Errorf("%s: %v, %d images", x.title, err, res.Images)
		case x.refuse && (err == nil || fault.Classify(err).Code != fault.ExitUsage):
			t.Errorf("%s: %d images, %v, want a refusal", x.title, res.Images, err)
		}
	}
}

// TestEvaluateFileOfOtherSplits: the same images in one split have the same hash, but
// another test.
func TestEvaluateFileOfOtherSplits(t *testing.T) {
	one := photos(t, 20)
	net, a := exported(t, ownConfig(t, one))
	if !a.TestDrawn {
		t.Error("the file does not say that its test was drawn")
	}
	c := again(a, one)
	a.TestDrawn = false // as of splits in files
	if _, _, err := EvaluateFile(t.Context(), process().UI, net, a, c, given(), "test", Room{}); err == nil || !strings.Contains(err.Error(), "another test split") {
		t.Errorf("%v", err)
	}
	// Other images are evaluated, with a word on what is not known of them.
	var said bytes.Buffer
	a.TestDrawn, a.DataSHA256 = true, "0"
	if _, _, err := EvaluateFile(t.Context(), ui.New(io.Discard, &said, time.Now), net, a, c, given(), "test", Room{}); err != nil ||
		!strings.Contains(said.String(), "not the images") || !strings.Contains(said.String(), "as there is no test split") {
		t.Errorf("%v: %s", err, said.String())
	}
}

// TestLeftOutIsOfTheSplit: bad images are counted where the others are.
func TestLeftOutIsOfTheSplit(t *testing.T) {
	dir := splitPhotos(t, map[string]int{"train": 12, "val": 4, "test": 4})
	bad := map[string]int{"train": 3, "val": 2, "test": 1}
	for split, n := range bad {
		files, err := filepath.Glob(filepath.Join(dir, split, "left", "*.png"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files[:n] {
			if err := os.WriteFile(f, []byte("no picture"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	net, a := exported(t, ownConfig(t, dir, "data.on_bad_sample=skip:9"))
	c := again(a, dir)
	for split, want := range map[string]int{"test": 1, "search": 2} {
		d, res, err := EvaluateFile(t.Context(), process().UI, net, a, c, given(), split, Room{})
		if err != nil {
			t.Fatal(err)
		}
		if got := LeftOut(d, split, res); got != want || res.Images != 8-want {
			t.Errorf("%s: %d left out beside %d, want %d", split, got, res.Images, want)
		}
	}
}

// given says that the caller gave these keys a value.
func given(keys ...string) func(key string) bool {
	return func(key string) bool { return slices.Contains(keys, key) }
}

// TestEvaluateFileOnOtherImages: other images of the same classes are all tested, however
// many the network was made with.
func TestEvaluateFileOnOtherImages(t *testing.T) {
	net, a := exported(t, ownConfig(t, photos(t, 20)))
	for _, n := range []int{3, 33} {
		c := again(a, photos(t, n))
		d, res, err := EvaluateFile(t.Context(), process().UI, net, a, c, given("data.dir"), "test", Room{})
		if err != nil || res.Images != 2*n || d.TestDrawn {
			t.Errorf("%d images a class: %d were tested, %v", n, res.Images, err)
		}
	}
	c := again(a, photos(t, 3))
	if _, _, err := EvaluateFile(t.Context(), process().UI, net, a, c, given("data.dir", "data.train_size"), "test", Room{}); err == nil || !strings.Contains(err.Error(), "train_size") {
		t.Errorf("with more training images than there are: %v", err)
	}
}
