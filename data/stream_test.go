package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// photographs writes class folders of images of many sizes and returns the folder.
func photographs(t testing.TB) string {
	dir := t.TempDir()
	for k, size := range [][2]int{{50, 40}, {33, 61}, {90, 30}, {24, 24}} {
		for c := range 3 {
			for i := range 6 {
				split := []string{"train", "train", "train", "train", "val", "test"}[i]
				ext := []string{"jpg", "png"}[(i+k)%2]
				writeFile(t, encoded(t, ext, picture(k*100+c*10+i, size[0], size[1])), dir, split, classNames[c], fmt.Sprintf("%d-%d.%s", k, i, ext))
			}
		}
	}
	return dir
}

// TestStreamedIsResident: whether images are decoded once or each time changes no bit.
func TestStreamedIsResident(t *testing.T) {
	dir := photographs(t)
	strong := Augment{Crop: 2, Flip: true, Cutout: 6, ResizedCrop: 0.3, ColorJitter: 0.4, Hue: 0.1, Policy: "randaugment", Ops: 2, Magnitude: 9, Erase: 0.5}
	any, self := strong, strong
	any.CutMix, any.MixProb, any.MixAny, any.MixTimes = 1, 0.7, true, 2
	self.Mixup, self.CutMix, self.MixProb = 0.4, 1, 0.8
	for _, edit := range []func(*Config){
		func(c *Config) { c.Image = 32 },
		func(c *Config) { c.Image, c.Resize = 24, "stretch" },
		func(c *Config) { c.Image, c.SearchFrom, c.Decoder = 32, "train", "auto" },
	} {
		resident := opened(t, dir, edit)
		streamed := opened(t, dir, func(c *Config) { edit(c); c.Originals = true })
		if !resident.Train.Resident() || streamed.Train.Resident() {
			t.Fatal("nothing is compared")
		}
		if resident.Mean != streamed.Mean || resident.Std != streamed.Std || resident.SHA256 != streamed.SHA256 {
			t.Errorf("mean %v %v, deviation %v %v, hash %.12s %.12s", resident.Mean, streamed.Mean, resident.Std, streamed.Std, resident.SHA256, streamed.SHA256)
		}
		batches := func(d *Dataset) (out [][]Batch) {
			out = append(out, copies(t, d.Search.Batches(5)), copies(t, d.Search.Batches(5)), copies(t, d.Search.Part(4).Batches(3)),
				copies(t, d.Test.Batches(7)), copies(t, d.Test.Batches(1000)), copies(t, d.Train.Calib(3, 20, 8)))
			for _, a := range []Augment{{}, {Crop: 4, Flip: true, Cutout: 8}, strong, any, self} {
				l := start(t, d, LoaderConfig{Batch: 10, Seed: 2, Workers: 2, Augment: a})
				out = append(out, takeAny(t, l, 9))
			}
			return out
		}
		want, got := batches(resident), batches(streamed)
		for i := range want {
			if err := same(got[i], want[i]); err != nil {
				t.Errorf("sequence %d: %v", i, err)
			}
		}
	}
}

// takeAny is take for images of any size.
func takeAny(t testing.TB, l *Loader, n int) []Batch {
	t.Helper()
	var out []Batch
	for range n {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, cloned(b))
		spoil(b)
		l.Recycle(b)
	}
	return out
}

// TestStreamedAugmentation: with everything drawn that can be, neither workers nor a later
// start change a bit, and epochs differ.
func TestStreamedAugmentation(t *testing.T) {
	dir := photographs(t)
	for _, policy := range []string{"randaugment", "autoaugment-imagenet"} {
		d := opened(t, dir, func(c *Config) { c.Image, c.Originals = 32, true })
		c := LoaderConfig{Batch: 11, Seed: 4, Workers: 1, Augment: Augment{Crop: 2, Flip: true, Cutout: 4, ResizedCrop: 0.2,
			ColorJitter: 0.4, Hue: 0.2, Policy: policy, Ops: 3, Magnitude: 12, Erase: 0.5}}
		const steps = 15 // 48 images: three epochs
		want := takeAny(t, start(t, d, c), steps)
		for _, c.Workers = range []int{2, 7} {
			if err := same(takeAny(t, start(t, d, c), steps), want); err != nil {
				t.Errorf("%s, %d workers: %v", policy, c.Workers, err)
			}
		}
		c.Workers = 3
		for _, c.StartStep = range []int{1, 4, 5, 9, 12} {
			if err := same(takeAny(t, start(t, d, c), 3), want[c.StartStep:c.StartStep+3]); err != nil {
				t.Errorf("%s, from step %d: %v", policy, c.StartStep, err)
			}
		}
		if same(want[:5], want[5:10]) == nil {
			t.Errorf("%s: two epochs are alike", policy)
		}
		// Each part of it does something.
		for what, edit := range map[string]func(*Augment){
			"crop": func(a *Augment) { a.Crop = 0 }, "flip": func(a *Augment) { a.Flip = false }, "cutout": func(a *Augment) { a.Cutout = 0 },
			"resized crop": func(a *Augment) { a.ResizedCrop = 0 }, "jitter": func(a *Augment) { a.ColorJitter = 0 }, "hue": func(a *Augment) { a.Hue = 0 },
			"policy": func(a *Augment) { a.Policy = noPolicy }, "erase": func(a *Augment) { a.Erase = 0 },
		} {
			without := c
			without.StartStep = 0
			edit(&without.Augment)
			if same(takeAny(t, start(t, d, without), 5), want[:5]) == nil {
				t.Errorf("%s: without %s nothing changes", policy, what)
			}
		}
	}
}

// TestAnImageHasItsOwnDraw: what becomes of an image in an epoch depends neither on its
// place nor on the other images.
func TestAnImageHasItsOwnDraw(t *testing.T) {
	d := opened(t, photographs(t), func(c *Config) { c.Image, c.Originals = 16, true })
	a := Augment{Crop: 2, Flip: true, ResizedCrop: 0.2, ColorJitter: 0.4, Erase: 0.5}
	seen := func(batch, steps int) map[string]bool {
		m := map[string]bool{}
		for _, b := range takeAny(t, start(t, d, LoaderConfig{Batch: batch, Seed: 4, Augment: a}), steps) {
			for k := range b.N {
				m[fmt.Sprint(b.X[k*768:(k+1)*768], b.Y[k])] = true
			}
		}
		return m
	}
	one, other := seen(48, 1), seen(5, 10)
	for k := range one {
		if !other[k] {
			t.Fatal("an image is augmented otherwise in batches of 5")
		}
	}
	both := seen(48, 2)
	if len(both) != 96 {
		t.Errorf("%d different images in two epochs of 48: an image has the same draw in both", len(both))
	}
	if len(one) != 48 || len(other) != 48 {
		t.Errorf("%d and %d different images, want 48", len(one), len(other))
	}
}

// TestViewsAreBounded: what is looked at again is kept as long as there is room, and what
// is kept or not changes nothing.
func TestViewsAreBounded(t *testing.T) {
	const side = 16
	before := viewBytes
	t.Cleanup(func() { viewBytes = before })
	var want []Batch
	for _, room := range []int{0, 10, 1000} { // images
		viewBytes = int64(room) * side * side * 3
		f := newFake(2, map[string]int{"train": 100, "val": 50, "test": 40}).raw(side)
		read, reads := f.read, new(atomic.Int64)
		f.read = func(s, r int, buf []byte) ([]byte, error) { reads.Add(1); return read(s, r, buf) }
		d := opened(t, f.dir(t), func(c *Config) { c.Originals = true })
		d.Train.train.img.views = newViews(d.Train.train.img.len()) // forget what opening has seen
		var counts []int64
		for range 3 {
			n := reads.Load()
			got := copies(t, d.Search.Batches(8))
			if want == nil {
				want = got
			}
			if err := same(got, want); err != nil {
				t.Errorf("room for %d: %v", room, err)
			}
			counts = append(counts, reads.Load()-n)
		}
		kept := int64(min(room, 50))
		if !slices.Equal(counts, []int64{50, 50 - kept, 50 - kept}) {
			t.Errorf("room for %d of 50 views: %v reads in three rounds", room, counts)
		}
		n := reads.Load()
		copies(t, d.Test.Batches(8))
		copies(t, d.Test.Batches(8))
		if got := reads.Load() - n; got != 80 {
			t.Errorf("%d reads of 40 test images in two rounds, which are not kept", got)
		}
	}
}

// TestStreamIsFlat: a collection much larger than memory goes through a loader in little
// of it. It stands for photographs: each record is made when it is read.
func TestStreamIsFlat(t *testing.T) {
	const side, images = 12, 100_000
	f := newFake(5, map[string]int{"train": images, "test": 10})
	files := make([][]byte, 64)
	for i := range files {
		files[i] = encoded(t, "jpg", picture(i, side, side-i%5))
	}
	for k := range f.info.Splits {
		for i := range f.info.Splits[k].Sizes {
			f.info.Splits[k].Sizes[i] = 1 << 20 // too much to be hashed
		}
	}
	f.read = func(s, r int, buf []byte) ([]byte, error) { return append(buf[:0], files[r%len(files)]...), nil }
	before := viewBytes
	viewBytes = 1 << 20
	t.Cleanup(func() { viewBytes = before })
	d := opened(t, f.dir(t), func(c *Config) { c.Originals, c.Image, c.Decoder = true, side, "auto" })
	l := start(t, d, LoaderConfig{Batch: 50, Seed: 1, Workers: 2, Augment: Augment{Flip: true, ResizedCrop: 0.5}})
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	next := func(images int) {
		for range images / 50 {
			b, err := l.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			l.Recycle(b)
		}
	}
	next(1000)
	early := heap()
	next(19_000)
	calib := 0
	for b := range d.Train.Calib(1, 2000, 50) {
		calib += b.N
	}
	late := heap()
	// The views that are kept, and nothing for the 30 MB that went through.
	if grown := late - early; grown > viewBytes+1<<20 || calib != 2000 {
		t.Errorf("%d bytes more after 20,000 images than after 1,000", grown)
	}
	runtime.KeepAlive(d)
}

// goroutinesEnd waits until there are no more than n.
func goroutinesEnd(t testing.TB, n int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), n)
}

// TestBrokenOffSequencesEnd: a round that is left early, or panics, leaves no goroutine,
// and the next one starts from the beginning.
func TestBrokenOffSequencesEnd(t *testing.T) {
	d := opened(t, newFake(2, map[string]int{"train": 300, "test": 100}).raw(8).dir(t), func(c *Config) { c.Originals = true })
	n := runtime.NumGoroutine()
	for i := range 60 {
		rounds := 0
		func() {
			defer func() { recover() }()
			for b := range d.Test.Batches(7) {
				if b.N != 7 || b.Y[0] != 0 && rounds == 0 {
					t.Errorf("round %d starts with a batch of %d, label %d", i, b.N, b.Y[0])
				}
				if rounds++; rounds > i%5 {
					if i%2 == 0 {
						break
					}
					panic("of the caller")
				}
			}
		}()
		for range d.Train.Calib(uint64(i), 50, 10) {
			break
		}
	}
	goroutinesEnd(t, n)
	l := start(t, d, LoaderConfig{Batch: 10, Workers: 5})
	takeAny(t, l, 3)
	l.Close()
	goroutinesEnd(t, n)
	if _, err := l.Next(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("Next after Close: %v", err)
	}
}

// TestGreyAndPlanar: the ways in which plain pixels are stored.
func TestGreyAndPlanar(t *testing.T) {
	for _, originals := range []bool{false, true} {
		for _, planar := range []bool{false, true} {
			f := newFake(2, map[string]int{"train": 10, "test": 2}).raw(8)
			f.info.Raw.Planar = planar
			f.read = func(_, r int, buf []byte) ([]byte, error) {
				buf = slices.Grow(buf[:0], 192)[:192]
				for i := range 64 {
					for c := range 3 {
						at := 3*i + c
						if planar {
							at = 64*c + i
						}
						buf[at] = byte(10*c + i + r)
					}
				}
				return buf, nil
			}
			f.checkBytes(t, originals, func(r, i, c int) byte { return byte(10*c + i + r) })
		}
		g := newFake(2, map[string]int{"train": 10, "test": 2}).raw(8)
		g.info.Raw.Channels = 1
		g.read = func(_, r int, buf []byte) ([]byte, error) {
			buf = slices.Grow(buf[:0], 64)[:64]
			for i := range buf {
				buf[i] = byte(2*i + r)
			}
			return buf, nil
		}
		g.checkBytes(t, originals, func(r, i, _ int) byte { return byte(2*i + r) })
	}
}

// checkBytes wants pixel i of record r in the test split to be as want says.
func (f *fake) checkBytes(t *testing.T, originals bool, want func(r, i, c int) byte) {
	t.Helper()
	d := opened(t, f.dir(t), func(c *Config) {
		c.Originals, c.As = originals, &Preprocess{Std: [3]float32{1. / 255, 1. / 255, 1. / 255}}
	})
	for b := range d.Test.Batches(2) {
		for j, v := range b.X {
			r, i, c := j/192, j%192/3, j%3
			if w := float32(want(r, i, c)); !(max(v-w, w-v) <= 1e-3) {
				t.Errorf("originals %v, raw %+v: record %d, pixel %d, channel %d: %g, want %g", originals, *f.info.Raw, r, i, c, v, w)
				return
			}
		}
	}
}

// TestWrongRecordSize is no fault of a record that could be left out: the source is wrong.
func TestWrongRecordSize(t *testing.T) {
	f := newFake(2, map[string]int{"train": 10, "test": 2}).raw(8)
	f.read = func(_, _ int, buf []byte) ([]byte, error) { return buf[:0], nil }
	if _, err := openedOr(f.dir(t), func(c *Config) { c.OnBadSample = "skip:100" }); err == nil {
		t.Error("records of no bytes pass for images of 8x8 pixels")
	}
}

// TestSequencesStartAgain: one sequence may be gone through twice, and twice at once.
func TestSequencesStartAgain(t *testing.T) {
	for _, originals := range []bool{false, true} {
		d := opened(t, newFake(2, map[string]int{"train": 30, "test": 10}).raw(8).dir(t), func(c *Config) { c.Originals = originals })
		for name, seq := range map[string]iter.Seq[*Batch]{"test": d.Test.Batches(4), "search": d.Search.Batches(2), "calib": d.Train.Calib(1, 10, 3)} {
			want := copies(t, seq)
			if err := same(copies(t, seq), want); err != nil || len(want) < 2 {
				t.Errorf("originals %v, %s: the second time: %v", originals, name, err)
			}
			k := 0
			for range seq {
				if err := same(copies(t, seq), want); err != nil {
					t.Errorf("originals %v, %s: within another round: %v", originals, name, err)
				}
				k++
			}
			if k != len(want) {
				t.Errorf("originals %v, %s: %d batches around other rounds, want %d", originals, name, k, len(want))
			}
		}
	}
}
