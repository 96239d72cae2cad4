package data

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// small is a shapes10 for tests: 200 training images (40 of them Search), 50 test images.
func small(t testing.TB) *Dataset {
	t.Helper()
	d, err := Open(Config{Name: "shapes10", Seed: 5, TrainSize: 200, TestSize: 50, SearchSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSplitsAreDistinctTypes: two Go structs with the same fields convert into
// one another, which would let Test pass for Search. Invariant I3.
func TestSplitsAreDistinctTypes(t *testing.T) {
	types := []reflect.Type{reflect.TypeFor[Train](), reflect.TypeFor[Search](), reflect.TypeFor[Test]()}
	for _, a := range types {
		for i := range a.NumField() {
			if a.Field(i).IsExported() {
				t.Errorf("%v has the exported field %s", a, a.Field(i).Name)
			}
		}
		for _, b := range types {
			if a != b && (a.ConvertibleTo(b) || reflect.PointerTo(a).ConvertibleTo(reflect.PointerTo(b))) {
				t.Errorf("%v converts to %v", a, b)
			}
		}
	}
	// The check itself can fail: these convert.
	type x struct{ _ split }
	type y struct{ _ split }
	if !reflect.TypeFor[x]().ConvertibleTo(reflect.TypeFor[y]()) {
		t.Error("the check sees nothing")
	}
}

// TestSearchIsCarvedByClassAndSeed: disjoint, complete, exactly balanced where the
// numbers allow, another seed another choice.
func TestSearchIsCarvedByClassAndSeed(t *testing.T) {
	d := small(t)
	both := slices.Concat(d.Train.train.idx, d.Search.search.idx)
	slices.Sort(both)
	for i, v := range both {
		if int(v) != i {
			t.Fatalf("image %d is missing or twice", i)
		}
	}
	var count [10]int
	for _, i := range d.Search.search.idx {
		count[d.Search.search.img.y[i]]++
	}
	for c, n := range count {
		if n != 4 {
			t.Errorf("class %d has %d images in Search, want 4", c, n)
		}
	}
	_, again := divide(d.Train.train.img.y, 10, 40, 5)
	_, other := divide(d.Train.train.img.y, 10, 40, 6)
	if !slices.Equal(again, d.Search.search.idx) || slices.Equal(other, again) {
		t.Error("the choice is not a function of the seed")
	}
}

// TestQuotas shares out uneven classes: the sum is right, nobody gets more than
// it has, nobody is off its share by one or more.
func TestQuotas(t *testing.T) {
	sizes := []int{1, 0, 7, 100, 33, 2}
	byClass, total := make([][]int32, len(sizes)), 0
	for c, n := range sizes {
		byClass[c] = make([]int32, n)
		total += n
	}
	for n := range total + 1 {
		sum := 0
		for c, q := range quotas(byClass, total, n, nil) {
			sum += q
			if share := float64(sizes[c]*n) / float64(total); q > sizes[c] || !(max(float64(q)-share, share-float64(q)) < 1) {
				t.Fatalf("n=%d: class %d of %d images gets %d", n, c, sizes[c], q)
			}
		}
		if sum != n {
			t.Fatalf("n=%d: quotas add up to %d", n, sum)
		}
	}
}

func TestWithSearch(t *testing.T) {
	d := small(t)
	all := d.Train.WithSearch()
	if all.Len() != 200 || all.train.norm != d.Train.train.norm || d.Train.Len() != 160 {
		t.Errorf("%d images together, %d before", all.Len(), d.Train.Len())
	}
	for i, v := range all.train.idx {
		if int(v) != i {
			t.Fatalf("place %d holds image %d", i, v)
		}
	}
	if got := all.WithSearch().Len(); got != 200 {
		t.Errorf("twice: %d images", got)
	}
}

// TestBatches: fixed order, short last batch, every image once, labels of their
// images, and a break in the middle.
func TestBatches(t *testing.T) {
	d := small(t)
	var sizes []int
	var labels []int32
	first := map[int]float32{}
	for b := range d.Search.Batches(16) {
		if len(b.X) != b.N*32*32*3 || len(b.Y) != b.N {
			t.Fatalf("batch of %d: %d values, %d labels", b.N, len(b.X), len(b.Y))
		}
		first[len(labels)] = b.X[1]
		sizes, labels = append(sizes, b.N), append(labels, b.Y...)
	}
	if !slices.Equal(sizes, []int{16, 16, 8}) {
		t.Errorf("sizes %v", sizes)
	}
	for k, i := range d.Search.search.idx {
		if labels[k] != d.Search.search.img.y[i] {
			t.Fatalf("place %d has label %d", k, labels[k])
		}
		if v, ok := first[k]; ok && v != d.Search.search.norm.Table()[1][d.Search.search.img.at(int(i))[1]] {
			t.Errorf("place %d has other pixels", k)
		}
	}
	for b := range d.Search.Batches(16) { // again from the start, and stop
		if b.X[1] != first[0] {
			t.Error("the second round starts elsewhere")
		}
		break
	}
	for b := range d.Test.Batches(1000) {
		if b.N != 50 {
			t.Errorf("test batch of %d", b.N)
		}
	}
}

func TestCalib(t *testing.T) {
	d := small(t)
	labels := func(seed uint64, n, batch int) (sizes []int, sum float64) {
		for b := range d.Train.Calib(seed, n, batch) {
			sizes = append(sizes, b.N)
			for i, v := range b.X {
				sum += float64(v) * float64(i%97)
			}
		}
		return sizes, sum
	}
	s1, a := labels(1, 100, 64)
	_, again := labels(1, 100, 64)
	_, other := labels(2, 100, 64)
	if !slices.Equal(s1, []int{64, 36}) || a != again || a == other {
		t.Errorf("sizes %v, sums %g %g %g", s1, a, again, other)
	}
	if all, _ := labels(1, 1000, 1000); !slices.Equal(all, []int{160}) {
		t.Errorf("more than there are: %v", all)
	}
	// None twice: all 160 pixels sums equal those of the split.
	var want, got float64
	for _, i := range d.Train.train.idx {
		for _, v := range d.Train.train.img.at(int(i)) {
			want += float64(v)
		}
	}
	for b := range d.Train.Calib(3, 160, 40) {
		for i, v := range b.X {
			got += float64(v)*float64(d.Std[i%3])*255 + float64(d.Mean[i%3])*255
		}
	}
	if !(max(got-want, want-got) <= 1e-5*want) {
		t.Errorf("sum of pixels %g, want %g", got, want)
	}
}

// TestStatistics: Train comes out with mean 0 and deviation 1; Test and Search
// take no part.
func TestStatistics(t *testing.T) {
	d := small(t)
	var sum, sq [3]float64
	n := 0
	for b := range d.Train.Calib(1, 1000, 64) {
		for i, v := range b.X {
			sum[i%3] += float64(v)
			sq[i%3] += float64(v) * float64(v)
		}
		n += b.N * 32 * 32
	}
	for c := range sum {
		m, v := sum[c]/float64(n), sq[c]/float64(n)
		if !(max(m, -m) <= 1e-5) || !(max(v-1, 1-v) <= 1e-4) {
			t.Errorf("channel %d: mean %g, mean square %g", c, m, v)
		}
	}
	mean, std, err := statistics(&split{img: newImages(1, 4), idx: []int32{0}}, 0)
	if err != nil || mean != ([3]float32{}) || std[0] <= 0 {
		t.Errorf("a black image: mean %v, deviation %v", mean, std)
	}
}

func TestConfigCheck(t *testing.T) {
	for _, c := range []struct {
		field string
		c     Config
	}{
		{"name", Config{Name: "svhn"}},
		{"name", Config{}},
		{"dir", Config{Name: "cifar10"}},
		{"train_size", Config{Name: "cifar10", Dir: "x", TrainSize: 50001}},
		{"test_size", Config{Name: "cifar100", Dir: "x", TestSize: 10001}},
		{"train_size", Config{Name: "shapes10", TrainSize: 105}},
		{"train_size", Config{Name: "shapes10", TrainSize: -10}},
		{"train_size", Config{Name: "shapes10", TrainSize: 2_000_000}},
		{"test_size", Config{Name: "shapes10", TestSize: 5}},
		{"search_size", Config{Name: "shapes10", SearchSize: -1}},
		{"search_size", Config{Name: "shapes10", TrainSize: 1000}}, // default Search does not fit
		{"search_size", Config{Name: "shapes10", TrainSize: 1000, SearchSize: 995}},
	} {
		_, err := Open(c.c)
		var ce *ConfigError
		if !errors.As(err, &ce) || ce.Field != c.field || !strings.HasPrefix(err.Error(), "data: "+c.field+": ") {
			t.Errorf("%+v: got %v, want field %s", c.c, err, c.field)
		}
	}
	for _, name := range Names() {
		c := Default(name)
		c.Dir = "x"
		if err := c.Check(); err != nil {
			t.Errorf("default of %s: %v", name, err)
		}
	}
}
