package plan

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
)

// photos writes two class folders of n pictures of 12x12 pixels each.
func photos(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 2 * n {
		m := image.NewRGBA(image.Rect(0, 0, 12, 12))
		for k := range 144 {
			m.SetRGBA(k%12, k/12, color.RGBA{uint8(i * 7), uint8(k), uint8(i + k), 255})
		}
		p := filepath.Join(dir, []string{"left", "right"}[i%2], fmt.Sprint(i, ".png"))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// own is the configuration for images of one's own.
func own(t *testing.T, dir string) config.Config {
	t.Helper()
	c, err := config.Request{Sets: []string{"data.dir=" + dir}}.Resolve(nil, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSettleFitsFewImages: a recipe asks for no more images than there are, says so, and
// is left alone the next time.
func TestSettleFitsFewImages(t *testing.T) {
	dir := photos(t, 20) // 40: 8 to test, 6 to search, 26 to train
	c := own(t, dir)
	c.Score.Images, c.Score.RecheckRecalImages = 100, 1000
	before := c
	d, err := OpenData(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Train.Len() != 26 || d.Search.Len() != 6 || d.Test.Len() != 8 {
		t.Fatalf("%d, %d and %d images", d.Train.Len(), d.Search.Len(), d.Test.Len())
	}
	changed := Settle(&c, d)
	want := before
	want.Data.Image, want.Data.CropPct, want.Data.Decoder = 12, 1, d.Decoder
	want.Data.TrainSize, want.Data.SearchSize, want.Data.TestSize = 32, 6, 8
	want.Train.Batch, want.Retrain.Batch = 26, 26
	want.Score.RecalBatch, want.Score.RecalImages, want.Score.RecheckRecalImages, want.Score.Images = 26, 26, 26, 6
	if c != want {
		t.Errorf("settled on other values:\n%v", config.Drift(want, c))
	}
	keys := map[string]bool{}
	for _, d := range config.Drift(before, c) {
		if !slices.Contains(Settled, d.Key) {
			t.Errorf("%s has changed, which is none of those that may", d.Key)
		}
		keys[d.Key] = true
	}
	for _, line := range changed {
		key, _, _ := strings.Cut(line, " ")
		if !keys[key] {
			t.Errorf("%q has not changed", line)
		}
	}
	if len(changed) != 6 || changed[0] != "train.batch 26 instead of 32: there are no more images" {
		t.Errorf("%q", changed)
	}
	if again := Settle(&c, d); len(again) != 0 || c != want {
		t.Errorf("settled again: %q", again)
	}
	p := &Plan{Config: c, Data: d}
	if p.Space, err = OpenSpace(c); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(); err != nil {
		t.Errorf("the settled configuration cannot be: %v", err)
	}
	// What is stored opens the same images.
	e, err := OpenData(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.SHA256 != d.SHA256 || e.Roles != d.Roles || e.Image != d.Image || e.TrainSize != d.TrainSize {
		t.Errorf("%s, was %s", e.Roles, d.Roles)
	}
}

// TestSettleCountsAllImages where the final network trains on the search images too.
func TestSettleCountsAllImages(t *testing.T) {
	c := own(t, photos(t, 20))
	c.Retrain.AllImages, c.Retrain.Batch, c.Train.Batch = true, 30, 30
	d, err := OpenData(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	Settle(&c, d)
	if c.Train.Batch != 26 || c.Retrain.Batch != 30 {
		t.Errorf("batches of %d and %d, want 26 and 30", c.Train.Batch, c.Retrain.Batch)
	}
}

// TestSettleKeepsMicroBatch: a smaller batch is one that micro_batch divides. Where it is
// larger than all images, Check says so.
func TestSettleKeepsMicroBatch(t *testing.T) {
	dir := photos(t, 20) // 26 to train
	for _, x := range []struct {
		micro, batch int
		line         string // about train.batch
	}{
		{8, 24, "train.batch 24 instead of 96: there are 26 images, and it is a multiple of micro_batch"},
		{2, 26, "train.batch 26 instead of 96: there are no more images"},
		{0, 26, "train.batch 26 instead of 96: there are no more images"},
		{32, 26, "train.batch 26 instead of 96: there are no more images"},
	} {
		c := own(t, dir)
		c.Train.Batch, c.Train.MicroBatch, c.Retrain.Batch, c.Retrain.MicroBatch = 96, x.micro, 96, x.micro
		p, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Data.Close()
		if s := p.Config; s.Train.Batch != x.batch || s.Retrain.Batch != x.batch || s.Train.MicroBatch != x.micro {
			t.Errorf("micro_batch %d: batches of %d and %d, micro_batch %d; want %d", x.micro, s.Train.Batch, s.Retrain.Batch, s.Train.MicroBatch, x.batch)
		}
		if err := p.Check(); (err == nil) != (x.micro <= 26) {
			t.Errorf("micro_batch %d: %v", x.micro, err)
		}
		c = own(t, dir)
		c.Train.Batch, c.Train.MicroBatch = 96, x.micro
		if changed := Settle(&c, p.Data); !slices.Contains(changed, x.line) {
			t.Errorf("micro_batch %d: %q, want %q", x.micro, changed, x.line)
		}
	}
}

// TestSettleLeavesOfficialSetsAlone: with less of them than a recipe wants, the recipe is
// wrong, and Check says so.
func TestSettleLeavesOfficialSetsAlone(t *testing.T) {
	c, err := config.FromPreset("tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.Data.TrainSize, c.Data.SearchSize, c.Train.Batch, c.Score.RecalImages = 160, 40, 500, 1000
	c.Train.Epochs, c.Train.Steps, c.Retrain.Epochs, c.Retrain.Steps = 0, 100, 0, 100
	before := c
	p, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	before.Data.Image, before.Data.CropPct = 32, 1
	if p.Config != before {
		t.Errorf("settled: %v", config.Drift(before, p.Config))
	}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "train.batch is 500, but there are only 120") {
		t.Errorf("%v", err)
	}
	// CIFAR-10 is as large as it is; only what Settle reads of a data set is needed here.
	if c, err = config.FromPreset("cifar10-small"); err != nil {
		t.Fatal(err)
	}
	c.Train.Batch, c.Score.RecalImages = 500, 1000
	before = c
	few := *p.Data
	few.TrainSize, few.SearchSize, few.TestSize = c.Data.TrainSize, c.Data.SearchSize, c.Data.TestSize
	before.Data.Image, before.Data.CropPct = 32, 1
	if changed := Settle(&c, &few); len(changed) != 0 || c != before {
		t.Errorf("cifar10 settled: %q, %v", changed, config.Drift(before, c))
	}
}

// TestOpenDataFails with the exit code of what is wrong.
func TestOpenDataFails(t *testing.T) {
	dir := photos(t, 4)
	for _, x := range []struct {
		title string
		set   func(c *config.Config)
		code  int
	}{
		{"missing", func(c *config.Config) { c.Data.Dir = filepath.Join(dir, "nowhere") }, fault.ExitInvalid},
		{"another format", func(c *config.Config) { c.Data.Name = "mnist" }, fault.ExitInvalid},
		{"more than there are", func(c *config.Config) { c.Data.TrainSize = 100 }, fault.ExitUsage},
		{"no such split", func(c *config.Config) { c.Data.TestFrom = "dev2" }, fault.ExitUsage},
		{"damaged", func(c *config.Config) {
			c.Data.Dir = photos(t, 4)
			c.Train.ResizedCrop, c.Retrain.ResizedCrop = 0, 0
			if err := os.WriteFile(filepath.Join(c.Data.Dir, "left", "0.png"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, fault.ExitInvalid},
	} {
		c := own(t, dir)
		x.set(&c)
		_, err := OpenData(t.Context(), c, nil)
		if got := fault.Classify(err); err == nil || got.Code != x.code {
			t.Errorf("%s: exit code %d, want %d: %v", x.title, got.Code, x.code, err)
		}
	}
}

// TestDescribeData has what a user wants to know of images.
func TestDescribeData(t *testing.T) {
	d, err := data.Open(data.Config{Name: "shapes10", Seed: 3, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	if got := DescribeData(d); len(got) != 1 || got[0] != "data     drawn by oneshot (shapes10 v1, seed 3): 120 images to train, 40 to search, 40 to test" {
		t.Errorf("%q", got)
	}
	d, err = OpenData(t.Context(), own(t, photos(t, 20)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got := strings.Join(DescribeData(d), "\n")
	for _, want := range []string{"26 images to train, 6 to search, 8 to test", "roles    train 26 from the only split", "images   12x12 pixels of 2 classes", "decoded by "} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %q", got, want)
		}
	}
	if strings.Contains(got, "central") {
		t.Errorf("%s\nspeaks of a crop that there is not", got)
	}
}
