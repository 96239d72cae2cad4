package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/supernet"
)

// predicted runs predict and returns its lines and its exit code.
func predicted(t *testing.T, args ...string) (lines []pipeline.Prediction, stderr string, code int) {
	t.Helper()
	var out, complaints bytes.Buffer
	code = run(append([]string{"predict", "--json"}, args...), &out, &complaints)
	for _, l := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if l == "" {
			continue
		}
		var p pipeline.Prediction
		if err := json.Unmarshal([]byte(l), &p); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		lines = append(lines, p)
	}
	return lines, complaints.String(), code
}

// TestPredict: image files get the classes and probabilities that the network's logits give for the images of the
// data set that they were written from.
func TestPredict(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var stderr bytes.Buffer
	if code := run([]string{"run", "--preset", "micro", "--out", dir, "--quiet"}, &bytes.Buffer{}, &stderr); code != fault.ExitOK {
		t.Fatalf("run exits with %d: %s", code, &stderr)
	}
	weights := filepath.Join(dir, "export", "model.safetensors")
	file, err := pipeline.ReadExport(weights)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	x, err := file.Network("", 0, rt)
	if err != nil {
		t.Fatal(err)
	}
	d, err := data.Open(data.Config{Name: "shapes10", Seed: 42, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	pictures := filepath.Join(t.TempDir(), "pictures")
	want := map[string][]float32{} // logits by file
	for b := range d.Test.Batches(16) {
		logits, err := x.Net.Logits(x.Arch, b.X)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			name := filepath.Join(pictures, "deep", strings.Repeat("x", i+1)+".png")
			want[name] = logits[i*10 : (i+1)*10]
			writePNG(t, name, b.X[i*len(b.X)/b.N:(i+1)*len(b.X)/b.N], d)
		}
		break
	}
	lines, complaints, code := predicted(t, "--weights", weights, "--top", "3", pictures)
	if code != fault.ExitOK || len(lines) != len(want) {
		t.Fatalf("exit code %d, %d of %d images: %s", code, len(lines), len(want), complaints)
	}
	for _, l := range lines {
		logits := want[l.File]
		sum, best := 0.0, 0
		for k, v := range logits {
			sum += math.Exp(float64(v))
			if v > logits[best] {
				best = k
			}
		}
		if p := math.Exp(float64(logits[best])) / sum; l.Top[0].Class != d.Classes[best] || math.Abs(l.Top[0].Probability-p) > 1e-6 || len(l.Top) != 3 {
			t.Errorf("%s: %v, want %s with %.6f", l.File, l.Top, d.Classes[best], p)
		}
	}

	// What is no image in a folder is left out with a warning; one that was named is an error, behind the others.
	note := filepath.Join(pictures, "note.txt")
	if err := os.WriteFile(note, []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	if lines, complaints, code := predicted(t, "--weights", weights, pictures); code != fault.ExitOK || len(lines) != len(want) || !strings.Contains(complaints, "note.txt") {
		t.Errorf("a folder with a text: exit code %d, %d lines: %s", code, len(lines), complaints)
	}
	if lines, complaints, code := predicted(t, "--weights", weights, note, pictures); code != fault.ExitInvalid || len(lines) != len(want) || !strings.Contains(complaints, "note.txt") {
		t.Errorf("a text that was named: exit code %d, %d lines: %s", code, len(lines), complaints)
	}
	if _, complaints, code := predicted(t, "--weights", weights, filepath.Join(pictures, "nothing")); code != fault.ExitUsage || !strings.Contains(complaints, "nothing") {
		t.Errorf("a file that is not there: exit code %d: %s", code, complaints)
	}
}

// writePNG writes a normalised image (side,side,3) as the file that it was decoded from.
func writePNG(t *testing.T, name string, x []float32, d *data.Dataset) {
	t.Helper()
	im := image.NewNRGBA(image.Rect(0, 0, d.Image, d.Image))
	for i := range d.Image * d.Image {
		var c [3]uint8
		for k := range c {
			c[k] = uint8(math.Round(255 * float64(x[3*i+k]*d.Std[k]+d.Mean[k])))
		}
		im.Set(i%d.Image, i/d.Image, color.NRGBA{c[0], c[1], c[2], 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
