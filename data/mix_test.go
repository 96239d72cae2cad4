package data

import (
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rng"
	"oneshot/internal/setting"
)

// mixings are the ways of mixing, on top of what does other things to the images.
func mixings() map[string]Augment {
	a := Augment{Crop: 4, Flip: true, Cutout: 8, Erase: 0.5, Policy: "autoaugment-lanet", MixProb: 0.8, MixTimes: 1}
	with := func(edit func(*Augment)) Augment { b := a; edit(&b); return b }
	return map[string]Augment{
		"mixup":      with(func(a *Augment) { a.Mixup = 0.4 }),
		"cutmix":     with(func(a *Augment) { a.CutMix = 1 }),
		"both":       with(func(a *Augment) { a.Mixup, a.CutMix = 0.2, 1 }),
		"lanet":      with(func(a *Augment) { a.CutMix, a.MixProb, a.MixAny, a.MixTimes = 1, 0.5, true, 2 }),
		"any, both":  with(func(a *Augment) { a.Mixup, a.CutMix, a.MixAny, a.MixTimes = 0.2, 1, true, 3 }),
		"any, mixup": with(func(a *Augment) { a.Mixup, a.MixAny = 1, true }),
	}
}

// TestMixedBatchesAreTheSame at any number of workers and from any step on.
func TestMixedBatchesAreTheSame(t *testing.T) {
	d := small(t)
	const steps = 15 // of 160 images: two epochs
	for name, a := range mixings() {
		for _, drop := range []bool{false, true} {
			c := LoaderConfig{Batch: 24, Seed: 9, Augment: a, DropLast: drop}
			want := take(t, start(t, d, c), steps)
			for _, c.Workers = range []int{2, 7} {
				if err := same(take(t, start(t, d, c), steps), want); err != nil {
					t.Errorf("%s, %d workers: %v", name, c.Workers, err)
				}
			}
			for _, c.StartStep = range []int{1, 6, 7, 13} {
				if err := same(take(t, start(t, d, c), 2), want[c.StartStep:c.StartStep+2]); err != nil {
					t.Errorf("%s, from step %d: %v", name, c.StartStep, err)
				}
			}
			c.StartStep, c.Seed = 0, 10
			if same(take(t, start(t, d, c), 2), want[:2]) == nil {
				t.Errorf("%s: another seed gives the same batches", name)
			}
		}
	}
}

// reference mixes batches that a loader made without mixing, as the documentation says: from
// copies, one value at a time.
type reference struct {
	t      *testing.T
	d      *Dataset
	c      LoaderConfig
	plain  Augment // of c, without mixing
	order  []int32 // of the epoch
	mixed  int
	pieces map[string]int // of images that were mixed, by how
}

func (r *reference) mix(m mix, dst, partner, t []float32, y int32) {
	side := r.d.Image
	for i := range dst {
		py, px := i/3/side, i/3%side
		switch {
		case m.cut && py >= m.box.Y0 && py < m.box.Y1 && px >= m.box.X0 && px < m.box.X1:
			dst[i] = partner[i]
		case !m.cut:
			dst[i] = float32(m.keep*dst[i]) + float32(m.rest*partner[i])
		}
	}
	for c := range t {
		t[c] = m.keep * t[c]
	}
	t[y] += m.rest
	r.mixed++
	if m.cut {
		r.pieces["cut"]++
	} else {
		r.pieces["added"]++
	}
}

// batch is batch number step of what is given.
func (r *reference) batch(given Batch, step uint64) Batch {
	const classes = 10
	a, side, size := r.c.Augment, r.d.Image, len(given.X)/given.N
	b := Batch{X: slices.Clone(given.X), T: make([]float32, given.N*classes), Y: make([]int32, given.N), N: given.N}
	for k, y := range given.Y {
		b.T[k*classes+int(y)] = 1
	}
	rnd := rng.New(r.c.Seed, "mix", step)
	if m := a.mix(rnd, side); !a.MixAny && m.on() {
		partners := make([]int, b.N)
		for k := range partners {
			partners[k] = k
		}
		rnd.Shuffle(b.N, func(i, j int) { partners[i], partners[j] = partners[j], partners[i] })
		for k, p := range partners {
			r.mix(m, b.X[k*size:(k+1)*size], given.X[p*size:(p+1)*size], b.T[k*classes:(k+1)*classes], given.Y[p])
		}
	}
	if a.MixAny {
		steps := uint64((len(r.d.Train.train.idx) + r.c.Batch - 1) / r.c.Batch)
		epoch, first := step/steps, int(step%steps)*r.c.Batch
		if first == 0 {
			r.order = slices.Clone(r.d.Train.train.idx)
			rng.New(r.c.Seed, "order", epoch).Shuffle(len(r.order), func(i, j int) { r.order[i], r.order[j] = r.order[j], r.order[i] })
		}
		read := r.d.Train.train.img.reader()
		defer read.close()
		for k := range b.N {
			i := uint64(r.order[first+k])
			for time := range uint64(a.MixTimes) {
				rnd := rng.New(r.c.Seed, "mix", epoch, i, time)
				m := a.mix(rnd, side)
				if !m.on() {
					continue
				}
				p := r.d.Train.train.idx[rnd.IntN(r.d.Train.Len())]
				partner := make([]float32, size)
				if err := read.augmented(partner, p, &r.plain, rng.New(r.c.Seed, "partner", epoch, i, time, uint64(p)), r.d.Train.train.norm); err != nil {
					r.t.Fatal(err)
				}
				r.mix(m, b.X[k*size:(k+1)*size], partner, b.T[k*classes:(k+1)*classes], r.d.Train.train.img.y[p])
			}
		}
	}
	for k := range b.Y {
		t := b.T[k*classes : (k+1)*classes]
		b.Y[k] = int32(slices.Index(t, slices.Max(t)))
	}
	return b
}

// TestMixingIsOfFinishedImages: a loader that mixes gives the images of one that does not,
// erased and cut out, mixed as they are.
func TestMixingIsOfFinishedImages(t *testing.T) {
	d := small(t)
	for name, a := range mixings() {
		plain := a
		plain.Mixup, plain.CutMix, plain.MixAny, plain.MixTimes = 0, 0, false, 0
		c := LoaderConfig{Batch: 24, Seed: 9, Augment: a}
		r := reference{t: t, d: d, c: c, plain: plain, pieces: map[string]int{}}
		got := take(t, start(t, d, c), 14)
		c.Augment = plain
		given := take(t, start(t, d, c), 14)
		var want []Batch
		for step, b := range given {
			if b.T != nil {
				t.Fatalf("%s: labels are distributions without mixing", name)
			}
			want = append(want, r.batch(b, uint64(step)))
		}
		if err := same(got, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.mixed < 50 || a.CutMix > 0 && r.pieces["cut"] == 0 || a.Mixup > 0 && r.pieces["added"] == 0 {
			t.Errorf("%s: %d images were mixed, %v", name, r.mixed, r.pieces)
		}
	}
}

// TestTargetsAreDistributions, also of images that were not mixed.
func TestTargetsAreDistributions(t *testing.T) {
	d := small(t)
	for name, a := range mixings() {
		hot, soft := 0, 0
		for _, b := range take(t, start(t, d, LoaderConfig{Batch: 24, Seed: 3, Augment: a}), 40) {
			if len(b.T) != b.N*10 {
				t.Fatalf("%s: %d shares for %d images of 10 classes", name, len(b.T), b.N)
			}
			for k, y := range b.Y {
				row, sum := b.T[k*10:(k+1)*10], 0.0
				for _, share := range row {
					if !(share >= 0 && share <= 1.000001) {
						t.Fatalf("%s: shares %v", name, row)
					}
					sum += float64(share)
				}
				if !(math.Abs(sum-1) <= 1e-6) || row[y] != slices.Max(row) || slices.Contains(row[:y], row[y]) {
					t.Fatalf("%s: shares %v, sum %v, label %d", name, row, sum, y)
				}
				if row[y] == 1 {
					hot++
				} else {
					soft++
				}
			}
		}
		if hot == 0 || soft == 0 {
			t.Errorf("%s: %d images of one class, %d of several", name, hot, soft)
		}
	}
}

// TestABatchGoesFromLoaderToLoader: one that mixes leaves nothing in a batch for one that does not.
func TestABatchGoesFromLoaderToLoader(t *testing.T) {
	d := small(t)
	mixed := start(t, d, LoaderConfig{Batch: 24, Augment: mixings()["lanet"]})
	plain := start(t, d, LoaderConfig{Batch: 24})
	for range 30 {
		b, err := mixed.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		plain.Recycle(b)
		if b, err = plain.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.T != nil {
			t.Fatal("labels are distributions without mixing")
		}
		mixed.Recycle(b)
	}
}

// TestBadPartnersAreReplaced, as images are; whether they are found before or while they are used.
func TestBadPartnersAreReplaced(t *testing.T) {
	bad := []string{"train/5", "train/6", "train/39"}
	c := LoaderConfig{Batch: 7, Seed: 3, Augment: Augment{CutMix: 1, MixProb: 1, MixAny: true, MixTimes: 2}}
	open := func(streamed bool) *Dataset { return opened(t, broken(bad...).dir(t), skip(3, streamed)) }
	want := takeAny(t, start(t, open(false), c), 30)
	replaced, plain := 0, 0
	for _, b := range want {
		replaced += b.Replaced
	}
	unmixed := c
	unmixed.Augment = Augment{}
	for _, b := range takeAny(t, start(t, open(false), unmixed), 30) {
		plain += b.Replaced
	}
	if plain == 0 || replaced <= plain+10 {
		t.Fatalf("%d images and partners were replaced, and %d images", replaced, plain)
	}
	if n := foreign(want, 5, 6, 39); n > 0 {
		t.Errorf("%d pixels are of bad records", n)
	}
	// The same count finds them where they are read as if they were good.
	if foreign(takeAny(t, start(t, opened(t, broken().dir(t), skip(3, true)), c), 30), 5, 6, 39) == 0 {
		t.Error("nothing is found of records that are not replaced")
	}
	for _, workers := range []int{1, 2, 7} {
		for _, c.StartStep = range []int{0, 1, 8} {
			c.Workers = workers
			got := takeAny(t, start(t, open(true), c), 12)
			if err := same(got, want[c.StartStep:c.StartStep+12]); err != nil {
				t.Errorf("streamed, %d workers, from step %d: %v", workers, c.StartStep, err)
			}
		}
	}
	// A record's label is whether its number is odd; pasted once, an image's shares are its pixels'.
	once := c
	once.StartStep, once.Augment.MixTimes = 0, 1
	for _, b := range takeAny(t, start(t, open(true), once), 30) {
		for k := range b.N {
			odd := 0.0
			for _, r := range pixelReds(b.X[k*192 : (k+1)*192]) {
				odd += float64(r%2) / 64
			}
			if share := b.T[2*k+1]; !(math.Abs(float64(share)-odd) <= 1e-6) {
				t.Fatalf("share %v of the odd label, and %v of the pixels", share, odd)
			}
		}
	}
	// Partners count towards what is tolerated.
	l := start(t, opened(t, broken(bad...).dir(t), skip(2, true)), LoaderConfig{Batch: 7, Seed: 3, Augment: c.Augment})
	var err error
	for i := 0; i < 6 && err == nil; i++ {
		_, err = l.Next(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "tolerates 2") {
		t.Errorf("three bad records where two are tolerated: %v", err)
	}
}

// TestPartners: those of a batch are of the batch, or any of the split, and no others.
func TestPartners(t *testing.T) {
	d := opened(t, broken().dir(t), skip(0, false))
	split := map[int]bool{}
	for _, i := range d.Train.train.idx {
		split[int(d.Train.train.img.refs[i].record)] = true
	}
	for _, anyImage := range []bool{false, true} {
		c := LoaderConfig{Batch: 5, Seed: 2, Augment: Augment{CutMix: 1, MixProb: 1, MixAny: anyImage, MixTimes: 1}}
		mixed := takeAny(t, start(t, d, c), 24)
		c.Augment = Augment{}
		outside, seen := 0, map[int]bool{}
		for i, b := range takeAny(t, start(t, d, c), 24) {
			members := reds([]Batch{b})
			for _, r := range pixelReds(mixed[i].X) {
				seen[r] = true
				if !slices.Contains(members, r) {
					outside++
				}
				if !split[r] {
					t.Fatalf("any image %v: a pixel of record %d, which is not of the split", anyImage, r)
				}
			}
		}
		if (outside > 0) != anyImage || len(seen) != len(split) {
			t.Errorf("any image %v: %d pixels from outside of the batch, %d records of %d", anyImage, outside, len(seen), len(split))
		}
	}
}

func TestMixRules(t *testing.T) {
	for _, c := range []struct {
		a    Augment
		want string
	}{
		{Augment{}, ""},
		{Augment{MixAny: true}, ""}, // nothing is mixed
		{Augment{Mixup: 0.2, MixProb: 1}, ""},
		{Augment{CutMix: 1, MixProb: 0.5, MixAny: true, MixTimes: 2}, ""},
		{Augment{CutMix: 1, MixProb: 1, MixAny: true}, "mix_times is 0, want 1 or more with mix_any, where mixup or cutmix is on"},
		{Augment{Mixup: 1, MixProb: 1, MixTimes: 2}, "mix_times is 2, want 1 without mix_any, which mixes a batch once"},
		{Augment{MixTimes: 9, MixAny: true}, "mix_times is 9, want 0..8"},
		{Augment{Mixup: math.NaN()}, "mixup is NaN, want a number from 0 to 10"},
		{Augment{CutMix: 11}, "cutmix is 11, want a number from 0 to 10"},
	} {
		got := ""
		for _, e := range setting.Check(c.a) {
			got += strings.ReplaceAll(e.Error(), "\n", " ")
		}
		if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q, want %q", c.a, got, c.want)
		}
	}
	for _, c := range []struct {
		a            Augment
		mixes, plain bool
	}{
		{Augment{}, false, true}, {Augment{Mixup: 1}, false, true}, {Augment{MixAny: true, MixProb: 1}, false, true},
		{Augment{Mixup: 1, MixProb: 0.1}, true, false}, {Augment{CutMix: 1, MixProb: 1}, true, false},
	} {
		if c.a.Mixes() != c.mixes || c.a.Plain() != c.plain {
			t.Errorf("%+v: mixes %v, is plain %v", c.a, c.a.Mixes(), c.a.Plain())
		}
	}
}

// TestMixingAllocatesNothing beside the streams that an image's draws come from.
func TestMixingAllocatesNothing(t *testing.T) {
	d := small(t)
	for name, a := range mixings() {
		l := Loader{split: d.Train.train, config: LoaderConfig{Batch: 24, Augment: a}, steps: 7}
		b, r, x := l.split.newBatch(24), l.split.img.reader(), mixer{}
		j := &job{idx: l.split.idx[:24]}
		streams := 0.0
		if a.MixAny {
			streams = 24 * float64(a.MixTimes) * 2
		} else {
			streams = 1
		}
		stream := testing.AllocsPerRun(50, func() { rng.New(1, "mix", 1, 2, 3) })
		policy := 0.0
		if a.MixAny {
			policy = 24 * float64(a.MixTimes) * 4 // what a partner's policy draws
		}
		got := testing.AllocsPerRun(50, func() {
			j.step++
			j.epoch++
			if err := l.mix(r, &x, b, j); err != nil {
				t.Fatal(err)
			}
		})
		if most := streams*stream + policy; got > most {
			t.Errorf("%s: %v allocations a batch, want at most %v", name, got, most)
		}
		t.Logf("%s: %v allocations a batch", name, got)
	}
}
