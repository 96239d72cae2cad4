package supernet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"oneshot/data"
	"oneshot/supernet/engine"
)

// photos opens class folders of pictures, in memory or decoded when they are needed, and
// says where they are.
func photos(t testing.TB, streamed bool) (d *data.Dataset, dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := range 120 {
		m := image.NewRGBA(image.Rect(0, 0, 16, 16))
		for k := range 256 {
			m.SetRGBA(k%16, k/16, color.RGBA{uint8(i*7 + k), uint8(k * (i%3 + 1)), uint8(i), 255})
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(dir, fmt.Sprint("class", i%3), fmt.Sprintf("%03d.png", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := data.Default("folder")
	c.Dir, c.Seed, c.Originals = dir, 5, streamed
	d, err := data.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if d.Train.Resident() == streamed {
		t.Fatalf("resident: %v, want the contrary", streamed)
	}
	return d, dir
}

// photoTrainer trains a small network on images.
func photoTrainer(t testing.TB, rt *Runtime, d *data.Dataset, edit func(*TrainConfig)) *Trainer {
	t.Helper()
	cfg := smallNet(t, "lanas")
	cfg.Classes, cfg.Image = len(d.Classes), d.Image
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(8)
	c.Batch, c.Workers = 8, 2
	c.Augment = data.Augment{Crop: 2, Flip: true, Cutout: 6}
	if edit != nil {
		edit(&c)
	}
	tr, err := NewTrainer(n, d.Train, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

// TestStreamedTraining: images that are decoded on the way train the same network, bit for
// bit, as those in memory; a device that makes batches itself does what the host makes.
func TestStreamedTraining(t *testing.T)     { testStreamed(t, newRuntime(t, 2), 8) }
func TestCUDAStreamedTraining(t *testing.T) { testStreamed(t, newDevice(t, false), 4) }

func testStreamed(t *testing.T, rt *Runtime, steps int) {
	run := func(streamed bool, edit func(*TrainConfig)) []byte {
		d, _ := photos(t, streamed)
		tr := photoTrainer(t, rt, d, func(c *TrainConfig) {
			if c.Steps, c.WarmupSteps = steps, 1; edit != nil {
				edit(c)
			}
		})
		for range steps {
			if _, err := tr.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c, err := tr.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		return encode(t, c)
	}
	want := run(false, nil)
	if !bytes.Equal(run(true, nil), want) {
		t.Error("streamed images train another network than those in memory")
	}
	if bytes.Equal(run(true, func(c *TrainConfig) { c.Augment.Crop = 0 }), want) {
		t.Error("without crops nothing changes: nothing is compared")
	}
	// What a device cannot do itself.
	strong := func(c *TrainConfig) { c.Augment.ResizedCrop, c.Augment.ColorJitter, c.Augment.Erase = 0.5, 0.4, 0.5 }
	a := run(false, strong)
	if !bytes.Equal(run(true, strong), a) || bytes.Equal(a, want) {
		t.Error("augmentation that is not plain: streamed images train another network, or it does nothing")
	}
}

// TestStreamedTrainingResumes from a checkpoint as if it had never stopped.
func TestStreamedTrainingResumes(t *testing.T) {
	rt := newRuntime(t, 2)
	d, _ := photos(t, true)
	whole := photoTrainer(t, rt, d, nil)
	step := func(tr *Trainer, n int) {
		for range n {
			if _, err := tr.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	step(whole, 3)
	c, err := whole.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	step(whole, 5)
	rest := photoTrainer(t, rt, d, nil)
	if err := rest.Restore(c); err != nil {
		t.Fatal(err)
	}
	step(rest, 5)
	want, err := whole.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	got, err := rest.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encode(t, got), encode(t, want)) {
		t.Error("other bytes than never stopped")
	}
}

// TestBadImagesStopATraining with the name of the file, on either engine.
func TestBadImagesStopATraining(t *testing.T)     { testBadImage(t, newRuntime(t, 2)) }
func TestCUDABadImagesStopATraining(t *testing.T) { testBadImage(t, newDevice(t, false)) }

func testBadImage(t *testing.T, rt *Runtime) {
	d, dir := photos(t, true)
	for i := 3; i < 120; i += 10 { // after it was opened
		p := filepath.Join(dir, fmt.Sprint("class", i%3), fmt.Sprintf("%03d.png", i))
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		clear(b[len(b)/2:])
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr := photoTrainer(t, rt, d, nil)
	var err error
	for range 8 {
		if _, err = tr.Step(t.Context()); err != nil {
			break
		}
	}
	var bad *data.BadSampleError
	if !errors.As(err, &bad) || filepath.Ext(bad.Last.File) != ".png" {
		t.Errorf("%v, want a *data.BadSampleError", err)
	}
}

// TestFeed: steps in a row, back and again, and a cancelled wait give the batches of a
// loader; Close ends what runs.
func TestFeed(t *testing.T) {
	d, _ := photos(t, true)
	c := data.LoaderConfig{Batch: 8, Seed: 3, Workers: 2, Augment: data.Augment{Crop: 2, Flip: true}, DropLast: true}
	l, err := d.Train.Loader(c)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]float32
	for range 20 {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, slices.Clone(b.X))
	}
	l.Close()
	goroutines := runtime.NumGoroutine()
	c.DropLast, c.StartStep = false, 7 // the feed has its own
	f := engine.Feed{Images: d.Train, Config: c}
	for _, step := range []int{0, 1, 2, 3, 2, 3, 17, 18, 0} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Batch(ctx, step); !errors.Is(err, context.Canceled) {
			t.Errorf("step %d, cancelled: %v", step, err)
		}
		b, err := f.Batch(t.Context(), step)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.X, want[step]) {
			t.Errorf("step %d has another batch", step)
		}
		for i := range b.X {
			b.X[i] = float32(math.NaN())
		}
		f.Recycle(b)
		if step == 18 {
			f.Close()
		}
	}
	f.Close()
	f.Close()
	for range 200 {
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
}
