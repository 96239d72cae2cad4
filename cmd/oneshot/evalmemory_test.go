package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"oneshot/internal/fault"
)

// decodes is what of an announcement is for images of which nothing is known before they are decoded.
var decodes = regexp.MustCompile(`, at most (\d+) of it to decode images`)

// evaluationsFit: what eval and predict take of large images is at most what they announced, and not far below it; with a
// limit it is at most that, by fewer images at a time.
func evaluationsFit(t *testing.T, path string) {
	dir := filepath.Join(t.TempDir(), "run")
	var stderr bytes.Buffer
	if code := run([]string{"run", "--preset", "micro", "--out", dir, "--quiet"}, &bytes.Buffer{}, &stderr); code != fault.ExitOK {
		t.Fatalf("run exits with %d: %s", code, &stderr)
	}
	pictures := t.TempDir()
	for i := range 6 {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
			t.Fatal(err)
		}
		writeFile(t, b.Bytes(), pictures, fmt.Sprintf("%d.png", i))
	}
	weights := filepath.Join(dir, "export", "model.safetensors")
	predict := []string{"predict", "--weights", weights, "--device", "cpu", "--img-size", "768", pictures}
	for _, args := range [][]string{predict, {"eval", "--weights", weights, "--device", "cpu"}} {
		peak, out, err := peakOf(t, path, nil, args...)
		m := announced.FindStringSubmatch(out)
		if err != nil || m == nil {
			t.Fatalf("%v\n%s", err, out)
		}
		said, _ := strconv.ParseFloat(m[1], 64)
		unknown := 0.0
		if d := decodes.FindStringSubmatch(out); d != nil {
			unknown, _ = strconv.ParseFloat(d[1], 64)
		}
		t.Logf("%-8s announced %4.0f MB, %.0f of it to decode, peak %4.0f MB", args[0], said, unknown, peak)
		if !(peak <= said && peak >= (said-unknown)/2) {
			t.Errorf("%s announced %.0f MB, %.0f of it to decode, and took %.0f", args[0], said, unknown, peak)
		}
	}
	_, out, err := peakOf(t, path, nil, append(predict, "--memory-limit", "20MB")...)
	m := regexp.MustCompile(`one at a time needs about (\d+) MB, the limit is 20 MB`).FindStringSubmatch(out)
	if err == nil || m == nil {
		t.Fatalf("no least limit is named: %v\n%s", err, out)
	}
	peak, out, err := peakOf(t, path, nil, append(predict, "--memory-limit", m[1]+"MB")...)
	if least, _ := strconv.ParseFloat(m[1], 64); err != nil || !(peak > 0 && peak <= least) {
		t.Errorf("with the least limit, %s MB, %.0f were used: %v\n%s", m[1], peak, err, out)
	}
}
