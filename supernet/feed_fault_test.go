package supernet

import (
	"context"
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
	"oneshot/data/source"
	"oneshot/ops/cuda/emu"
)

// files is a folder of small images of two classes, which are decoded for every batch.
func files(t *testing.T) (*data.Dataset, string) {
	t.Helper()
	dir := t.TempDir()
	for i := range 40 {
		m := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for k := range 32 * 32 {
			m.Set(k%32, k/32, color.RGBA{uint8(k * (i + 1)), uint8(i * 6), uint8(k / 4), 255})
		}
		path := filepath.Join(dir, []string{"cat", "dog"}[i%2], fmt.Sprintf("%02d.png", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := data.Open(data.Config{Name: "folder", Dir: dir, Image: 32, Originals: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if d.Train.Resident() {
		t.Fatal("the images are in memory: nothing is read in the training")
	}
	return d, dir
}

// damage overwrites half of a training image that the loader of c wants for the first time in the
// batch of the given step, and returns its path.
func damage(t *testing.T, d *data.Dataset, dir string, c data.LoaderConfig, step int) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	first := func() int {
		l, err := d.Train.Loader(c)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for k := range step + 1 {
			if _, err := l.Next(t.Context()); err != nil {
				return k
			}
		}
		return -1
	}
	for _, path := range paths {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		broken := append(slices.Clone(whole[:len(whole)/2]), make([]byte, len(whole)-len(whole)/2)...)
		if err := os.WriteFile(path, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if first() == step {
			return path
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("no image is wanted first in step %d", step)
	return ""
}

// TestBadImageEndsTheTraining, also TestCUDABadImageEndsTheTraining: an image that cannot
// be decoded is the error of the step that wants it, every time that step is asked for;
// the steps before it are taken, and one of another batch can be, and the trainer closes.
func TestBadImageEndsTheTraining(t *testing.T)     { badImage(t, newRuntime(t, 2)) }
func TestCUDABadImageEndsTheTraining(t *testing.T) { badImage(t, newDevice(t, false)) }

func badImage(t *testing.T, rt *Runtime) {
	const bad = 3
	d, dir := files(t)
	cfg, c := smallNet(t, "lanas"), smallTrain(8)
	cfg.Classes, c.Batch, c.Workers = 2, 4, 2
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, d.Train, c)
	if err != nil {
		t.Fatal(err)
	}
	start, err := tr.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	path := damage(t, d, dir, data.LoaderConfig{Batch: c.Batch, Seed: c.Seed, Augment: c.Augment, DropLast: true}, bad)
	steps := func() []float64 {
		t.Helper()
		var losses []float64
		tr.Hold(true)
		for range bad {
			s, err := tr.Step(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, s.Loss)
		}
		for range 2 { // again likewise
			_, err := tr.Step(t.Context())
			var f *source.Fault
			if !errors.As(err, &f) || !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Fatalf("step %d: %v, want a fault of %s", bad, err, path)
			}
		}
		if tr.StepNumber() != bad || tr.Ahead() != 0 {
			t.Errorf("%d steps taken and %d under way, want %d and none", tr.StepNumber(), tr.Ahead(), bad)
		}
		return losses
	}
	first := steps()
	if _, err := tr.Checkpoint(); err != nil {
		t.Errorf("no checkpoint after a bad image: %v", err)
	}
	if err := tr.Restore(start); err != nil {
		t.Fatal(err)
	}
	again := steps()
	for i, w := range first {
		if again[i] != w {
			t.Errorf("step %d after going back: loss %v, was %v", i, again[i], w)
		}
	}
	tr.Close()
	if _, err := n.Logits(tr.archOf(0), make([]float32, 32*32*3)); err != nil {
		t.Errorf("the engine is of no more use: %v", err)
	}
}

// TestCUDAClosedWithBatchesUnderWay: a trainer that is closed while the device has steps
// of uploaded batches, and the loader others, gives all memory back.
func TestCUDAClosedWithBatchesUnderWay(t *testing.T) {
	if os.Getenv("ONESHOT_CUDA_TEST") == "real" {
		t.Skip("only the emulated driver counts what it has and can be late")
	}
	fake := emu.Control(t, emu.Library(t))
	fake.Option(t, "FAKE_CUDA_LAZY", "1", "0")
	d, _ := files(t)
	rt := newDevice(t, true)
	cfg, c := smallNet(t, "lanas"), smallTrain(8)
	cfg.Classes, c.Batch, c.MicroBatch = 2, 4, 2
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	before := fake.Used().Pinned
	tr, err := NewTrainer(n, d.Train, c)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p, err := tr.graph()
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.issue(context.Background(), p, nil); err != nil {
			t.Fatal(err)
		}
	}
	if tr.Ahead() != 2 {
		t.Errorf("%d steps under way, want 2", tr.Ahead())
	}
	tr.Close()
	left := fake.Used().Pinned - before
	// The tables of the plans stay in the engine; the packets do not.
	if tables := int64(1); left > tables {
		t.Errorf("%d pinned blocks are left, want at most %d", left, tables)
	}
}

// TestCUDAUploadsWaitForTheirStep: where the device does everything as late as it may, a
// step still has its own batch, not the next one's.
func TestCUDAUploadsWaitForTheirStep(t *testing.T) {
	if os.Getenv("ONESHOT_CUDA_TEST") == "real" {
		t.Skip("only the emulated driver can be late")
	}
	fake := emu.Control(t, emu.Library(t))
	d, _ := files(t)
	c := smallTrain(4)
	c.Batch, c.MicroBatch = 4, 2
	losses := func(lazy string, hold bool) (out []float64) {
		fake.Option(t, "FAKE_CUDA_LAZY", lazy, "0")
		cfg := smallNet(t, "lanas")
		cfg.Classes = 2
		n, err := New(cfg, 1, newDevice(t, false))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainer(n, d.Train, c)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		tr.Hold(hold)
		for range c.Steps {
			s, err := tr.Step(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s.Loss)
		}
		return out
	}
	want := losses("0", true)
	for i, got := range losses("1", false) {
		if got != want[i] {
			t.Errorf("step %d: loss %v, one at a time %v", i, got, want[i])
		}
	}
}
