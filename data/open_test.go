package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/data/source"
)

// TestOpenFolders: what is in the folders comes out with the right roles, whether the
// format is named or found.
func TestOpenFolders(t *testing.T) {
	dir := t.TempDir()
	writeClasses(t, dir, "train", 24, 24, 10, 10, 10)
	writeClasses(t, dir, "val", 24, 24, 3, 3, 3)
	writeClasses(t, dir, "test", 24, 24, 4, 4, 4)
	for _, c := range []struct {
		edit                func(*Config)
		train, search, test int
		roles               string
	}{
		{nil, 30, 9, 12, "train 30 from split train; search 9 from split val; test 12 from split test"},
		{func(c *Config) { c.Name = "folder" }, 30, 9, 12, "train 30 from split train; search 9 from split val; test 12 from split test"},
		{func(c *Config) { c.TestFrom = "val" }, 24, 6, 9, "train 24 from split train; search 6 drawn from split train by class; test 9 from split val; split test (12) is not used"},
		{func(c *Config) { c.TestFrom = "train" }, 24, 9, 6, "train 24 from split train; search 9 from split val; test 6 drawn from split train by class; split test (12) is not used"},
		{func(c *Config) { c.SearchFrom = "train" }, 24, 6, 12, "train 24 from split train; search 6 drawn from split train by class; test 12 from split test; split val (9) is not used"},
		{func(c *Config) { c.SearchFrom = "train"; c.TestFrom = "train" }, 20, 4, 6, "train 20 from split train; search 4 drawn from split train by class; test 6 drawn from split train by class; split val (9) is not used; split test (12) is not used"},
		{func(c *Config) { c.SearchSize = 5; c.TestSize = 7; c.TrainSize = 20 }, 20, 5, 7, ""},
	} {
		d := opened(t, dir, c.edit)
		if d.Format != "folder" || !slices.Equal(d.Classes, classNames[:3]) || d.Decoder != "go" {
			t.Errorf("format %q, classes %v, decoder %q", d.Format, d.Classes, d.Decoder)
		}
		if d.Train.Len() != c.train || d.Search.Len() != c.search || d.Test.Len() != c.test || c.roles != "" && d.Roles != c.roles {
			t.Errorf("%d, %d and %d images, want %d, %d and %d; roles\n%s, want\n%s", d.Train.Len(), d.Search.Len(), d.Test.Len(), c.train, c.search, c.test, d.Roles, c.roles)
		}
		if all := slices.Concat(members(d, &d.Train.train), members(d, &d.Search.search), members(d, &d.Test.test)); hasTwice(all) {
			t.Errorf("a record is used twice: %v", all)
		}
	}
	// The labels are those of the folders.
	d := opened(t, dir, nil)
	var labels []int32
	for b := range d.Test.Batches(5) {
		labels = append(labels, b.Y...)
	}
	if !slices.Equal(labels, []int32{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}) {
		t.Errorf("labels of the test split: %v", labels)
	}
	if got := d.Train.WithSearch().Len(); got != 39 {
		t.Errorf("train and its search split together have %d images, want 39", got)
	}
	_, err := openedOr(dir, func(c *Config) { c.Name = "mnist" })
	var fe *source.FileError
	if !errors.As(err, &fe) || !strings.Contains(err.Error(), "--dataset auto reads it") {
		t.Errorf("a folder that is called mnist: %v", err)
	}
}

func hasTwice(s []string) bool {
	s = slices.Sorted(slices.Values(s))
	return len(slices.Compact(s)) != len(s)
}

// TestOneFolderIsDivided: a fifth is drawn by class for the test, and another of the rest
// for the search.
func TestOneFolderIsDivided(t *testing.T) {
	dir := t.TempDir()
	writeClasses(t, dir, "", 16, 16, 20, 10)
	d := opened(t, dir, nil)
	count := func(s *split) [2]int {
		var n [2]int
		for _, i := range s.idx {
			n[s.img.y[i]]++
		}
		return n
	}
	got := [3][2]int{count(&d.Train.train), count(&d.Search.search), count(&d.Test.test)}
	if want := [3][2]int{{13, 7}, {3, 1}, {4, 2}}; got != want {
		t.Errorf("by split and class %v, want %v", got, want)
	}
	all := allMembers(d)
	if hasTwice(slices.Concat(all[0], all[1], all[2])) {
		t.Errorf("a record is used twice: %v", all)
	}
	other := allMembers(opened(t, dir, func(c *Config) { c.Seed = 6 }))
	if slices.Equal(all[2], other[2]) || slices.Equal(all[1], other[1]) {
		t.Errorf("seeds 5 and 6 draw the same: %v, %v", all, other)
	}
}

// TestImageSize: what is chosen for images of the sizes that people have.
func TestImageSize(t *testing.T) {
	for _, c := range []struct {
		title   string
		w, h    int // of each picture but one
		w2, h2  int // of that one
		edit    func(*Config)
		image   int
		cropPct float64
	}{
		{"own side rounded up", 30, 30, 30, 30, nil, 32, 1},
		{"tiny", 5, 5, 5, 5, nil, 8, 1},
		{"shorter side", 96, 80, 96, 80, nil, 80, 1},
		{"largest of their own", 96, 96, 96, 96, nil, 96, 1},
		{"too large", 100, 100, 100, 100, nil, 64, 0.875},
		{"mixed", 50, 40, 40, 50, nil, 64, 0.875},
		{"asked for", 30, 30, 30, 30, func(c *Config) { c.Image, c.CropPct = 48, 0.5 }, 48, 0.5},
		{"smaller asked for", 90, 90, 90, 90, func(c *Config) { c.Image = 16 }, 16, 1},
	} {
		dir := t.TempDir()
		writeClasses(t, dir, "train", c.w, c.h, 3, 3)
		writeClasses(t, dir, "val", c.w, c.h, 2, 2)
		writeFile(t, encoded(t, "png", picture(1, c.w2, c.h2)), dir, "val", "ant", "other.png")
		d := opened(t, dir, c.edit)
		if d.Image != c.image || d.CropPct != c.cropPct {
			t.Errorf("%s: %d pixels, crop_pct %g, want %d and %g", c.title, d.Image, d.CropPct, c.image, c.cropPct)
		}
	}
	dir := t.TempDir()
	for i := range 10 {
		m := image.NewGray(image.Rect(0, 0, 64, 64))
		for k := range m.Pix {
			m.Pix[k] = byte(i*20 + k%7)
		}
		writeFile(t, encoded(t, "png", m), dir, classNames[i%2], fmt.Sprint(i, ".png"))
	}
	d := opened(t, dir, func(c *Config) { c.As = &Preprocess{Std: [3]float32{1. / 255, 1. / 255, 1. / 255}} })
	if d.Image != 64 || d.CropPct != 1 {
		t.Errorf("grey: %d pixels, crop_pct %g", d.Image, d.CropPct)
	}
	for b := range d.Test.Batches(1) {
		first := b.X[0]
		if b.X[1] != first || b.X[2] != first || !(max(b.X[3]-first-1, first+1-b.X[3]) <= 1e-3) {
			t.Errorf("grey pixels %g and %g, want r = g = b and one level more", b.X[:3], b.X[3:6])
		}
	}
}

// TestSubsets are drawn by class from the seed; what the data set says of its sizes opens
// the same division again.
func TestSubsets(t *testing.T) {
	for _, c := range []struct {
		title  string
		splits map[string]int
		edit   func(*Config)
	}{
		{"nothing asked for", map[string]int{"train": 100}, nil},
		{"train and test", map[string]int{"train": 100, "test": 50}, nil},
		{"three splits", map[string]int{"train": 100, "val": 30, "test": 50}, nil},
		{"subsets", map[string]int{"train": 100, "test": 50}, func(c *Config) { c.TrainSize, c.TestSize, c.SearchSize = 31, 17, 9 }},
		{"subset of a search split", map[string]int{"train": 100, "val": 40, "test": 50}, func(c *Config) { c.SearchSize = 11 }},
		{"subset of a drawn test", map[string]int{"train": 100}, func(c *Config) { c.TrainSize, c.TestSize = 20, 7 }},
		{"as few as there are classes and one", map[string]int{"train": 100}, func(c *Config) { c.TrainSize = 6 }},
	} {
		dir := newFake(5, c.splits).raw(8).dir(t)
		d := opened(t, dir, c.edit)
		asked := Config{}
		if c.edit != nil {
			c.edit(&asked)
		}
		for _, s := range []struct {
			what            string
			asked, got, len int
		}{
			{"train", asked.TrainSize, d.TrainSize, d.Train.Len() + d.Search.Len()},
			{"search", asked.SearchSize, d.SearchSize, d.Search.Len()},
			{"test", asked.TestSize, d.TestSize, d.Test.Len()},
		} {
			own := s.what == "train" && c.splits["val"] > 0
			if s.asked > 0 && s.got != s.asked || s.got != s.len && !own {
				t.Errorf("%s: %s: asked for %d, settled on %d, got %d", c.title, s.what, s.asked, s.got, s.len)
			}
		}
		again := opened(t, dir, func(c *Config) { c.TrainSize, c.SearchSize, c.TestSize = d.TrainSize, d.SearchSize, d.TestSize })
		if !reflect.DeepEqual(allMembers(d), allMembers(again)) {
			t.Errorf("%s: settled sizes divide otherwise:\n%v\n%v", c.title, allMembers(d), allMembers(again))
		}
		if c.edit == nil {
			continue
		}
		other := opened(t, dir, func(cc *Config) { c.edit(cc); cc.Seed = 99 })
		for k, name := range []string{"train", "search", "test"} {
			if m := allMembers(d)[k]; slices.Equal(m, allMembers(other)[k]) && len(m) < c.splits[name] {
				t.Errorf("%s: two seeds draw the same %s images", c.title, name)
			}
		}
		if bySeed := !slices.Equal(allMembers(d)[2], allMembers(other)[2]); bySeed != (d.TestDrawn || d.TestPart) {
			t.Errorf("%s: another seed tests other images: %v, told: drawn %v, a part %v", c.title, bySeed, d.TestDrawn, d.TestPart)
		}
	}
}

// TestSubsetsAreBalanced and never the first records of the files.
func TestSubsetsAreBalanced(t *testing.T) {
	dir := newFake(5, map[string]int{"train": 400, "val": 200, "test": 200}).raw(8).dir(t)
	d := opened(t, dir, func(c *Config) { c.TrainSize, c.SearchSize, c.TestSize = 50, 25, 25 })
	for k, s := range []*split{&d.Train.train, &d.Search.search, &d.Test.test} {
		var count [5]int
		last := int32(0)
		for _, i := range s.idx {
			count[s.img.y[i]]++
			last = max(last, s.img.refs[i].record)
		}
		n := len(s.idx)
		for _, c := range count {
			if c != n/5 {
				t.Errorf("split %d: by class %v", k, count)
				break
			}
		}
		if int(last) < 2*n {
			t.Errorf("split %d: all %d are among the first %d records", k, n, last+1)
		}
	}
}

// TestUnevenClasses: whatever is drawn, each class keeps an image to train on, and the
// sizes that are settled are kept when the files are opened again.
func TestUnevenClasses(t *testing.T) {
	for _, c := range []struct {
		counts [5]int
		edit   func(*Config)
	}{
		{[5]int{60, 1, 1, 1, 1}, nil},
		{[5]int{2, 1, 1, 1, 1}, nil}, // a fifth of 6 is one: class ant has it to spare
		{[5]int{60, 1, 1, 1, 1}, func(c *Config) { c.TrainSize = 8 }},
		{[5]int{60, 2, 1, 3, 1}, func(c *Config) { c.TrainSize, c.SearchSize, c.TestSize = 30, 20, 3 }},
		{[5]int{3, 2, 2, 2, 3}, nil},
	} {
		f := newFake(5, map[string]int{"train": 0, "test": 5}).raw(8)
		for y, n := range c.counts {
			for range n {
				s := &f.info.Splits[1]
				s.Labels, s.Sizes = append(s.Labels, int32(y)), append(s.Sizes, 1)
			}
		}
		dir := f.dir(t)
		for _, from := range []string{"", "train"} {
			if from == "train" && c.counts == [5]int{2, 1, 1, 1, 1} {
				continue // none is left for the search
			}
			edit := func(cc *Config) {
				cc.TestFrom = from
				if c.edit != nil {
					c.edit(cc)
				}
			}
			d, err := openedOr(dir, edit)
			if err != nil {
				t.Errorf("%v, test_from %q: %v", c.counts, from, err)
				continue
			}
			var have [5]int
			for _, i := range d.Train.train.idx {
				have[d.Train.train.img.y[i]]++
			}
			if slices.Contains(have[:], 0) || d.Search.Len() == 0 {
				t.Errorf("%v, test_from %q: to train %v, to search %d", c.counts, from, have, d.Search.Len())
			}
			again, err := openedOr(dir, func(cc *Config) {
				edit(cc)
				cc.TrainSize, cc.SearchSize, cc.TestSize = d.TrainSize, d.SearchSize, d.TestSize
			})
			if err != nil || !reflect.DeepEqual(allMembers(d), allMembers(again)) {
				t.Errorf("%v, test_from %q: opened again with sizes %d %d %d: %v", c.counts, from, d.TrainSize, d.SearchSize, d.TestSize, err)
			}
		}
	}
}

// TestManyClassesOfOneImage: of 11 images of ten classes one can be held out, not two.
func TestManyClassesOfOneImage(t *testing.T) {
	f := newFake(5, map[string]int{"train": 0, "test": 10}).raw(8)
	f.info.Classes = append(f.info.Classes, "fox", "gnu", "hen", "ibex", "jay")
	for y := range int32(11) {
		s := &f.info.Splits[1]
		s.Labels, s.Sizes = append(s.Labels, y%10), append(s.Sizes, 1)
	}
	dir := f.dir(t)
	d := opened(t, dir, nil)
	if d.SearchSize != 1 || d.Search.Len() != 1 || d.Train.Len() != 10 {
		t.Errorf("search_size %d, %d images to search, %d to train", d.SearchSize, d.Search.Len(), d.Train.Len())
	}
	if _, err := openedOr(dir, func(c *Config) { c.SearchSize = d.SearchSize }); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// TestOpenRefuses data that cannot be used, and says why.
func TestOpenRefuses(t *testing.T) {
	dir := func(splits map[string][]int) string {
		dir := t.TempDir()
		for name, counts := range splits {
			writeClasses(t, dir, name, 8, 8, counts...)
		}
		return dir
	}
	for _, c := range []struct {
		title string
		dir   string
		edit  func(*Config)
		field string // of a *ConfigError; "" is a *source.FileError
		says  string
	}{
		{"a class without training images", dir(map[string][]int{"train": {3, 0, 3}, "val": {2, 2, 2}}), nil, "", "no training images of class bee"},
		{"several", dir(map[string][]int{"train": {3, 0, 3, 0}, "val": {2, 2, 2, 2}}), nil, "", "no training images of 2 classes: bee, dog"},
		{"one class", dir(map[string][]int{"train": {3}, "val": {2}}), nil, "", "there is 1 class, want at least 2"},
		{"an image for each class", dir(map[string][]int{"train": {1, 1, 1}, "val": {2, 2, 2}}), nil, "", "none can be held out for the search"},
		{"an image for each class and no test", dir(map[string][]int{"train": {1, 1, 1}}), nil, "", "none can be held out for the test"},
		{"more than there are", dir(map[string][]int{"train": {3, 3}, "val": {2, 2}}), func(c *Config) { c.TrainSize = 7 }, "train_size", "7, but there are 6 training images"},
		{"more tests than there are", dir(map[string][]int{"train": {3, 3}, "val": {2, 2}}), func(c *Config) { c.TestSize = 5 }, "test_size", "5, but there are 4 test images"},
		{"more search images than there are", dir(map[string][]int{"train": {3, 3}, "val": {2, 2}, "test": {1, 1}}), func(c *Config) { c.SearchSize = 5 }, "search_size", "5, but there are 4 search images"},
		{"all held out", dir(map[string][]int{"train": {3, 3}, "val": {2, 2}}), func(c *Config) { c.SearchSize = 5 }, "search_size", "5, want at most 4"},
		{"fewer than classes", dir(map[string][]int{"train": {3, 3, 3}, "val": {2, 2, 2}}), func(c *Config) { c.TrainSize = 2 }, "train_size", "each of 3 classes"},
		{"no such split", dir(map[string][]int{"train": {3, 3}, "val": {2, 2}}), func(c *Config) { c.SearchFrom = "dev2" }, "search_from", `no split "dev2"`},
		{"search on the test", dir(map[string][]int{"train": {3, 3}, "test": {2, 2}}), func(c *Config) { c.SearchFrom = "test" }, "search_from", "is the test split"},
		{"missing", filepath.Join(t.TempDir(), "nowhere"), nil, "", "is missing"},
		{"empty", t.TempDir(), nil, "", "holds no class folders"},
		{"archive", filepath.Dir(writeFile(t, []byte("x"), t.TempDir(), "images.zip")), nil, "", "is a packed archive, which is not read"},
		{"other pixels than CIFAR's", dir(map[string][]int{"train": {3, 3}, "test": {2, 2}}), func(c *Config) { c.Name, c.TrainSize = "cifar10", 50000 }, "", "6 training images, CIFAR-10 has 50000"},
	} {
		_, err := openedOr(c.dir, c.edit)
		var ce *ConfigError
		var fe *source.FileError
		switch {
		case err == nil || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: %v, want %q", c.title, err, c.says)
		case c.field != "" && (!errors.As(err, &ce) || ce.Field != c.field):
			t.Errorf("%s: %#v, want a *ConfigError about %s", c.title, err, c.field)
		case c.field == "" && !errors.As(err, &fe):
			t.Errorf("%s: %#v, want a *source.FileError", c.title, err)
		}
	}
	if _, err := openedOr(filepath.Join(t.TempDir(), "nowhere"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	f := newFake(3, map[string]int{"train": 30}).raw(8)
	f.info.Splits[0].Labels[7] = 3
	if _, err := openedOr(f.dir(t), nil); err == nil || !strings.Contains(err.Error(), `record 7 of split "train" has label 3, want 0 to 2`) {
		t.Errorf("a label out of range: %v", err)
	}
}

// TestNotes warn of classes that are missing or uneven.
func TestNotes(t *testing.T) {
	dir := t.TempDir()
	writeClasses(t, dir, "train", 8, 8, 60, 4, 4)
	writeClasses(t, dir, "val", 8, 8, 2, 0, 1)
	notes := strings.Join(opened(t, dir, nil).Notes, "\n")
	for _, want := range []string{"no test images of class bee", "very uneven: ant has 4", "training images, bee has 3"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	even := t.TempDir()
	writeClasses(t, even, "", 8, 8, 20, 20)
	if n := opened(t, even, nil).Notes; len(n) != 0 {
		t.Errorf("notes of even classes: %q", n)
	}
}

// TestOpenEndsWithItsContext, at every place, and closes the source.
func TestOpenEndsWithItsContext(t *testing.T) {
	for _, originals := range []bool{false, true} {
		f := newFake(2, map[string]int{"train": 3000, "test": 100}).raw(8)
		read := f.read
		stop := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		reads := 0
		f.read = func(s, r int, buf []byte) ([]byte, error) {
			if r == 1500 {
				cancel(stop)
			}
			if ctx.Err() != nil {
				reads++
			}
			return read(s, r, buf)
		}
		c := Default(Auto)
		c.Dir, c.Originals = f.dir(t), originals
		if _, err := OpenContext(ctx, c, nil); !errors.Is(err, stop) {
			t.Errorf("originals %v: %v, want the cause", originals, err)
		}
		if reads > 1100 {
			t.Errorf("originals %v: %d reads after the end", originals, reads)
		}
	}
}

// TestProgress goes up to all images.
func TestProgress(t *testing.T) {
	c := Default(Auto)
	c.Dir = newFake(2, map[string]int{"train": 200, "test": 100}).raw(8).dir(t)
	var last, of int
	if _, err := OpenContext(t.Context(), c, func(done, all int) { last, of = max(last, done), all }); err != nil {
		t.Fatal(err)
	}
	if last != 300 || of != 300 {
		t.Errorf("%d of %d images at the end, want 300 of 300", last, of)
	}
}
