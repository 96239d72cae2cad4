package data

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/data/source"
)

// broken is a source of raw images whose named records, "split/record", cannot be read.
func broken(bad ...string) *fake {
	f := newFake(2, map[string]int{"train": 40, "val": 20, "test": 30}).raw(8)
	read := f.read
	f.read = func(s, r int, buf []byte) ([]byte, error) {
		if slices.Contains(bad, fmt.Sprintf("%s/%d", f.info.Splits[s].Name, r)) {
			return nil, &source.Fault{Place: f.Where(s, r), Msg: "is broken"}
		}
		return read(s, r, buf)
	}
	return f
}

// skip opens with on_bad_sample skip:n, streamed or not, normalised so that a value is
// its byte.
func skip(n int, streamed bool) func(*Config) {
	return func(c *Config) {
		c.OnBadSample, c.Originals = fmt.Sprint("skip:", n), streamed
		c.As = &Preprocess{Std: [3]float32{1. / 255, 1. / 255, 1. / 255}}
	}
}

// reds are the numbers of the records in batches: broken writes them to the red channel.
func reds(bs []Batch) (out []int) {
	for _, b := range bs {
		for k := range b.N {
			out = append(out, int(b.X[k*192]+0.5))
		}
	}
	return out
}

// TestBadSamplesAreLeftOut of batches, which are filled up and keep their order.
func TestBadSamplesAreLeftOut(t *testing.T) {
	bad := []string{"test/0", "test/5", "test/6", "test/7", "test/29", "val/3"}
	var want []int
	for i := range 30 {
		if !slices.Contains(bad, fmt.Sprint("test/", i)) {
			want = append(want, i)
		}
	}
	for _, streamed := range []bool{false, true} {
		d := opened(t, broken(bad...).dir(t), skip(6, streamed))
		for _, size := range []int{1, 2, 7, 12, 1000} {
			bs := copies(t, d.Test.Batches(size))
			var sizes []int
			for k, b := range bs {
				sizes = append(sizes, b.N)
				if b.N != size && k < len(bs)-1 || len(b.X) != b.N*192 || len(b.Y) != b.N {
					t.Errorf("streamed %v: batch %d of %d has %d images, %d values and %d labels; want batches of %d", streamed, k, len(bs), b.N, len(b.X), len(b.Y), size)
				}
				for i, y := range b.Y {
					if int(y) != int(b.X[i*192]+0.5)%2 {
						t.Errorf("streamed %v: an image has the label of another", streamed)
					}
				}
			}
			if got := reds(bs); !slices.Equal(got, want) {
				t.Errorf("streamed %v, batches of %v: records %v, want %v", streamed, sizes, got, want)
			}
		}
		if got := reds(copies(t, d.Search.Batches(4))); slices.Contains(got, 3) || len(got) != 19 || !slices.IsSorted(got) {
			t.Errorf("streamed %v: search records %v, want all of 20 but 3", streamed, got)
		}
		var found []string
		for _, f := range d.Bad() {
			found = append(found, f.Member)
		}
		if wanted := []string{"test/0", "test/5", "test/6", "test/7", "test/29", "val/3"}; !slices.Equal(found, wanted) {
			t.Errorf("streamed %v: bad are %v, want %v in the order of the files", streamed, found, wanted)
		}
		if d.Test.Len() != 30 || d.Search.Len() != 20 || !strings.Contains(d.Roles, "test 30 from") {
			t.Errorf("streamed %v: %d test images, %d to search, %q", streamed, d.Test.Len(), d.Search.Len(), d.Roles)
		}
	}
}

// TestBadSampleLimit: skip:N leaves out N; one more ends it, and error is none.
func TestBadSampleLimit(t *testing.T) {
	bad := []string{"train/1", "test/4", "test/11"}
	for _, streamed := range []bool{false, true} {
		for _, c := range []struct {
			policy string
			limit  int
			ok     bool
		}{{"error", 0, false}, {"skip:0", 0, false}, {"skip:1", 1, false}, {"skip:2", 2, false}, {"skip:3", 3, true}, {"skip:4", 4, true}} {
			d, err := openedOr(broken(bad...).dir(t), func(cc *Config) {
				skip(0, streamed)(cc)
				cc.OnBadSample = c.policy
			})
			if streamed { // found when it is looked at
				if err != nil {
					t.Errorf("%s: %v", c.policy, err)
					continue
				}
				for b := range d.Test.Batches(3) {
					err = errors.Join(err, b.Err)
				}
				for b := range d.Train.Calib(1, 1000, 3) {
					if b.Err != nil && (b.N != 0 || len(b.X) != 0) {
						t.Errorf("a batch with an error has %d images", b.N)
					}
					err = errors.Join(err, b.Err)
				}
			}
			var be *BadSampleError
			var fault *source.Fault
			switch {
			case c.ok && err != nil:
				t.Errorf("streamed %v, %s: %v", streamed, c.policy, err)
			case !c.ok && (!errors.As(err, &be) || !errors.As(err, &fault)):
				t.Errorf("streamed %v, %s: %#v, want a *BadSampleError with its *source.Fault", streamed, c.policy, err)
			case !c.ok && (be.Limit != c.limit || be.Found != c.limit+1 || !strings.Contains(err.Error(), fault.Member) || !strings.Contains(err.Error(), "is broken")):
				t.Errorf("streamed %v, %s: %+v: %v", streamed, c.policy, *be, err)
			}
		}
	}
}

// TestLoaderReplacesBadSamples by the next image of the split, in the same way with any
// number of workers and from any step on.
func TestLoaderReplacesBadSamples(t *testing.T) {
	bad := []string{"train/5", "train/6", "train/39"}
	c := LoaderConfig{Batch: 7, Seed: 3, Workers: 1, Augment: Augment{Flip: true}}
	open := func() *Dataset { return opened(t, broken(bad...).dir(t), skip(3, true)) }
	want := takeAny(t, start(t, open(), c), 12)
	resident := opened(t, broken(bad...).dir(t), skip(3, false))
	if err := same(takeAny(t, start(t, resident, c), 12), want); err != nil {
		t.Errorf("resident: %v", err)
	}
	recipes, err := resident.Train.Recipes(LoaderConfig{Batch: 7, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	replaced, placed := 0, make([]Placed, 7)
	for step := range 5 { // an epoch without its short last batch
		replaced += recipes.Step(step, placed)
		for _, p := range placed {
			if slices.Contains([]int32{5, 6, 39}, p.Image) {
				t.Errorf("step %d: a device is given bad image %d", step, p.Image)
			}
		}
	}
	if replaced == 0 {
		t.Error("a device is given no image that stands for another")
	}
	got := reds(want[:6])
	count := map[int]int{}
	for _, r := range got {
		count[r]++
	}
	for i := range 40 {
		n := 1
		switch i {
		case 5, 6, 39:
			n = 0
		case 7: // it stands for 5 and 6
			n = 3
		case 0: // after the last
			n = 2
		}
		if count[i] != n {
			t.Errorf("record %d is there %d times in an epoch, want %d", i, count[i], n)
		}
	}
	for _, b := range want {
		for i, y := range b.Y {
			if int(y) != int(b.X[i*192]+0.5)%2 {
				t.Error("an image has the label of another")
			}
		}
	}
	l := start(t, opened(t, broken(bad...).dir(t), skip(2, true)), c)
	err = nil
	for i := 0; i < 6 && err == nil; i++ {
		_, err = l.Next(t.Context())
	}
	var be *BadSampleError
	if _, again := l.Next(t.Context()); !errors.As(err, &be) || again != err {
		t.Errorf("three bad records where two are tolerated: %v, and then %v", err, again)
	}
	for _, c.Workers = range []int{2, 7} {
		if err := same(takeAny(t, start(t, open(), c), 12), want); err != nil {
			t.Errorf("%d workers: %v", c.Workers, err)
		}
	}
	for _, c.StartStep = range []int{1, 5, 8} {
		if err := same(takeAny(t, start(t, open(), c), 3), want[c.StartStep:c.StartStep+3]); err != nil {
			t.Errorf("from step %d: %v", c.StartStep, err)
		}
	}
}

// TestOtherErrorsAreNotTolerated: a disk that fails is no bad sample.
func TestOtherErrorsAreNotTolerated(t *testing.T) {
	disk := errors.New("input/output error")
	for _, streamed := range []bool{false, true} {
		f := broken()
		read := f.read
		f.read = func(s, r int, buf []byte) ([]byte, error) {
			if s == 0 && r == 25 {
				return nil, disk
			}
			return read(s, r, buf)
		}
		_, err := openedOr(f.dir(t), skip(100, streamed)) // identifying reads all
		if !errors.Is(err, disk) {
			t.Errorf("streamed %v: %v, want %v", streamed, err, disk)
		}
	}
	f := broken()
	d := opened(t, f.dir(t), skip(100, true))
	read := f.read
	f.read = func(s, r int, buf []byte) ([]byte, error) {
		if r == 9 {
			return nil, disk
		}
		return read(s, r, buf)
	}
	var err error
	images := 0
	for b := range d.Test.Batches(4) {
		images += b.N
		err = errors.Join(err, b.Err)
	}
	if !errors.Is(err, disk) || images != 8 {
		t.Errorf("%v after %d images, want %v after 8", err, images, disk)
	}
	l := start(t, d, LoaderConfig{Batch: 40})
	for range 3 {
		if _, err := l.Next(t.Context()); !errors.Is(err, disk) {
			t.Errorf("a loader: %v, want %v", err, disk)
		}
	}
	if len(d.Bad()) != 0 {
		t.Errorf("bad are %v", d.Bad())
	}
}

// TestFilesThatAreNoImages are bad samples, with the name and place of what is wrong.
func TestFilesThatAreNoImages(t *testing.T) {
	dir := t.TempDir()
	writeClasses(t, dir, "train", 16, 16, 8, 8)
	writeClasses(t, dir, "val", 16, 16, 4, 4)
	whole := encoded(t, "png", picture(1, 16, 16))
	cut := writeFile(t, whole[:len(whole)/2], dir, "train", "ant", "cut.png")
	empty := writeFile(t, nil, dir, "train", "bee", "empty.jpg")
	text := writeFile(t, []byte("this is no image at all"), dir, "val", "bee", "text.jpg")
	var where []string
	for _, streamed := range []bool{false, true} {
		d, err := openedOr(dir, func(c *Config) { c.OnBadSample, c.Originals = "skip:3", streamed })
		if err != nil {
			t.Fatal(err)
		}
		copies(t, d.Test.Batches(4))
		copies(t, d.Train.Calib(1, 100, 4))
		copies(t, d.Search.Batches(4))
		var found []string
		for _, f := range d.Bad() {
			found = append(found, f.File)
		}
		slices.Sort(found)
		if want := []string{cut, empty, text}; !slices.Equal(found, want) {
			t.Errorf("streamed %v: bad are %v, want %v", streamed, found, want)
		}
		where = append(where, fmt.Sprint(d.Bad()))
		d.Close()
	}
	if where[0] != where[1] {
		t.Errorf("resident: %s\nstreamed: %s", where[0], where[1])
	}
	_, err := openedOr(dir, nil)
	var be *BadSampleError
	if !errors.As(err, &be) {
		t.Errorf("tolerated: %v", err)
	}
}

// TestFaultsOfTheIndexCount towards the limit.
func TestFaultsOfTheIndexCount(t *testing.T) {
	f := broken("test/1")
	f.info.Faults = []*source.Fault{{Place: source.Place{File: "a"}, Msg: "leads out"}, {Place: source.Place{File: "b"}, Msg: "leads out"}}
	if _, err := openedOr(f.dir(t), skip(2, false)); err == nil || !strings.Contains(err.Error(), "3 records cannot be used, on_bad_sample tolerates 2") {
		t.Errorf("three where two are tolerated: %v", err)
	}
	d := opened(t, f.dir(t), skip(3, false))
	if len(d.Bad()) != 3 || d.Bad()[0].File != "a" {
		t.Errorf("bad are %v", d.Bad())
	}
	if _, err := openedOr(f.dir(t), func(c *Config) { c.OnBadSample = "error" }); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("a fault of the index with the policy error: %v", err)
	}
}

// TestNothingGoodIsLeft ends at once, not in an endless search for a good image.
func TestNothingGoodIsLeft(t *testing.T) {
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprint("train/", i))
	}
	if _, err := openedOr(broken(all...).dir(t), skip(100, false)); err == nil || !strings.Contains(err.Error(), "no image that can be decoded is left") {
		t.Errorf("resident: %v", err)
	}
	d := opened(t, broken(all...).dir(t), skip(100, true))
	l := start(t, d, LoaderConfig{Batch: 4})
	if _, err := l.Next(t.Context()); err == nil {
		t.Error("a batch of no good images")
	}
	if bs := copies(t, d.Train.Calib(1, 100, 4)); len(bs) != 0 {
		t.Errorf("%d batches of no good images", len(bs))
	}
}

// TestSettledSizesCountBadSamples: they open the same division again.
func TestSettledSizesCountBadSamples(t *testing.T) {
	dir := broken("train/3", "test/2").dir(t)
	d := opened(t, dir, func(c *Config) { skip(2, false)(c); c.SearchFrom = "train" })
	again := opened(t, dir, func(c *Config) {
		skip(2, false)(c)
		c.SearchFrom, c.TrainSize, c.SearchSize, c.TestSize = "train", d.TrainSize, d.SearchSize, d.TestSize
	})
	if d.TrainSize != 40 || d.TestSize != 30 || !reflect.DeepEqual(allMembers(d), allMembers(again)) {
		t.Errorf("sizes %d %d %d", d.TrainSize, d.SearchSize, d.TestSize)
	}
}
