package pipeline

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// TestRunOfOwnImagesGoesOn: what was left to the images and settled by them is the run's;
// naming the preset again does not change it, and asking for something else is refused.
func TestRunOfOwnImagesGoesOn(t *testing.T) {
	images, dir := photos(t, 20), newRun(t)
	open := func(preset string, sets ...string) (config.Config, error) {
		r, err := Open(t.Context(), process(), Request{Folder: dir, Create: true, Resume: true, Preset: "tiny",
			Config: config.Request{Preset: preset, Sets: append([]string{"run.device=cpu"}, sets...)}})
		if err != nil {
			return config.Config{}, err
		}
		defer r.Close()
		return r.Config, nil
	}
	first, err := open("", "data.dir="+images)
	if err != nil {
		t.Fatal(err)
	}
	if first.Preset != "folder-small" || first.Data.Image != 12 || first.Train.Batch != 26 {
		t.Fatalf("preset %q, %d pixels, batches of %d", first.Preset, first.Data.Image, first.Train.Batch)
	}
	before := tree(t, dir)
	for _, x := range []struct {
		preset string
		sets   []string
		refuse string // a key; "" goes on
	}{
		{"", nil, ""},
		{"", []string{"data.dir=" + images}, ""},
		{"folder-small", []string{"data.dir=" + images}, ""},
		{"folder-small", []string{"data.dir=" + images, "data.image=12", "train.batch=26"}, ""},
		{"", []string{"data.on_bad_sample=skip:3"}, "free"},
		{"", []string{"data.on_bad_sample=error"}, ""},
		{"folder-small", []string{"data.dir=" + images, "data.image=16"}, "data.image: 12 -> 16"},
		{"", []string{"data.image=16"}, "data.image: 12 -> 16"},
		{"", []string{"data.crop_pct=0.5"}, "data.crop_pct: 1 -> 0.5"},
		{"", []string{"data.train_size=30"}, "data.train_size: 32 -> 30"},
		{"", []string{"data.search_size=5"}, "data.search_size: 6 -> 5"},
		{"", []string{"data.decoder=go"}, "data.decoder: turbo -> go"},
		{"", []string{"train.batch=20"}, "train.batch: 26 -> 20"},
		{"", []string{"data.test_from=train"}, "data.test_from:  -> train"},
		{"", []string{"data.resize=stretch"}, "data.resize: crop -> stretch"},
	} {
		if strings.Contains(x.refuse, "turbo") && first.Data.Decoder != "turbo" {
			continue
		}
		got, err := open(x.preset, x.sets...)
		switch {
		case x.refuse == "free" && (err != nil || len(config.Drift(first, got)) != 1):
			t.Errorf("%q: %v\n%v", x.sets, err, config.Drift(first, got))
		case x.refuse == "free":
		case x.refuse == "" && (err != nil || got != first):
			t.Errorf("preset %q, %q: %v\n%v", x.preset, x.sets, err, config.Drift(first, got))
		case x.refuse != "" && (err == nil || !strings.Contains(err.Error(), x.refuse) || fault.Classify(err).Code != fault.ExitUsage):
			t.Errorf("preset %q, %q: %v, want a refusal of %q", x.preset, x.sets, err, x.refuse)
		}
	}
	if after := tree(t, dir); after["config.yaml"] != before["config.yaml"] {
		t.Errorf("config.yaml was\n%s\nand is\n%s", before["config.yaml"], after["config.yaml"])
	}
	// Other images in the same place are not those of the run.
	b, err := os.ReadFile(filepath.Join(images, "right", "1.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(images, "left", "0.png"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	// Where the test has taken so long that their list was kept, it is this that they differ from.
	if _, err := open(""); err == nil || !strings.Contains(err.Error(), "differs from that of the run") && !strings.Contains(err.Error(), "changed since the records were listed") {
		t.Errorf("with another image: %v", err)
	}
	if err := os.Remove(filepath.Join(images, "left", "0.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(""); err == nil {
		t.Error("a run goes on with an image less")
	}
}

// TestRunOfAnEarlierVersionGoesOn: its configuration leaves to the images what is settled
// and stored now.
func TestRunOfAnEarlierVersionGoesOn(t *testing.T) {
	dir := newRun(t)
	r, err := Open(t.Context(), process(), microRequest(dir))
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	path := filepath.Join(dir, "config.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var old []string
	dropped := 0
	for line := range strings.Lines(string(b)) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "image", "crop_pct", "resize", "search_from", "test_from", "on_bad_sample", "decoder":
			dropped++
			continue
		}
		old = append(old, line)
	}
	if dropped != 7 {
		t.Fatalf("%d keys dropped", dropped)
	}
	if err := os.WriteFile(path, []byte(strings.Join(old, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	q := microRequest(dir)
	q.Resume = true
	if r, err = Open(t.Context(), process(), q); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if now, err := os.ReadFile(path); err != nil || string(now) != string(b) {
		t.Errorf("%v: config.yaml is\n%s", err, now)
	}
}
