package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/data"
)

// TestWhichImages: what --preset, --dataset and --data-dir mean together.
func TestWhichImages(t *testing.T) {
	dir := Flag{"data-dir", "data.dir", "folder", "photos"}
	named := func(name string) Flag { return Flag{"dataset", "data.name", "name", name} }
	abs, err := filepath.Abs("photos")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		title  string
		r      Request
		preset string // by default
		name   string // of the images
		recipe string // the preset that was taken
		dir    string
	}{
		{"nothing", Request{}, "tiny", "shapes10", "tiny", ""},
		{"a folder", Request{Flags: []Flag{dir}}, "tiny", data.Auto, "folder-small", abs},
		{"a folder by --set", Request{Sets: []string{"data.dir=photos"}}, "tiny", data.Auto, "folder-small", abs},
		{"a folder of a format", Request{Flags: []Flag{dir, named("folder")}}, "tiny", "folder", "folder-small", abs},
		{"a folder, other order", Request{Flags: []Flag{named("mnist"), dir}}, "tiny", "mnist", "folder-small", abs},
		{"a folder of CIFAR-10", Request{Flags: []Flag{dir, named("cifar10")}}, "tiny", "cifar10", "tiny", abs},
		{"a folder for a command without a recipe", Request{Flags: []Flag{dir}}, "", data.Auto, "", abs},
		{"a preset for CIFAR-10", Request{Preset: "cifar10-small", Flags: []Flag{dir}}, "tiny", "cifar10", "cifar10-small", abs},
		{"a preset for drawn images", Request{Preset: "tiny", Flags: []Flag{dir}}, "tiny", data.Auto, "tiny", abs},
		{"a preset for drawn images, by name", Request{Preset: "tiny", Flags: []Flag{dir, named("auto")}}, "tiny", data.Auto, "tiny", abs},
		{"a preset of one's own images", Request{Preset: "folder-small", Flags: []Flag{dir}}, "tiny", data.Auto, "folder-small", abs},
		{"sets name CIFAR-10 without a preset", Request{Sets: []string{"data.name = cifar10", "data.dir=photos", "data.train_size=0", "data.test_size=0", "data.search_size=0"}}, "tiny", "cifar10", "tiny", abs},
		{"sets name the images", Request{Preset: "tiny", Sets: []string{"data.name=cifar10", "data.dir=photos", "data.train_size=0", "data.test_size=0", "data.search_size=0"}}, "tiny", "cifar10", "tiny", abs},
	} {
		got, err := c.r.Resolve(nil, c.preset)
		if err != nil {
			t.Errorf("%s: %v", c.title, err)
			continue
		}
		if got.Data.Name != c.name || got.Preset != c.recipe || got.Data.Dir != c.dir {
			t.Errorf("%s: %s from %q by preset %q, want %s from %q by %q", c.title, got.Data.Name, got.Data.Dir, got.Preset, c.name, c.dir, c.recipe)
		}
		want := data.Default(c.name)
		if c.name == data.Auto && (got.Data.TrainSize != 0 || got.Data.SearchSize != 0 || got.Data.TestSize != 0 || got.Data.Image != 0 || got.Data.Resize != want.Resize) {
			t.Errorf("%s: %+v, want what the images say", c.title, got.Data)
		}
	}
}

// TestAnotherDataSetHasItsOwnSizes: those of the stored one mean nothing for it; a flag or
// --set for them does.
func TestAnotherDataSetHasItsOwnSizes(t *testing.T) {
	stored, err := FromPreset("cifar10-small")
	if err != nil {
		t.Fatal(err)
	}
	stored.Data.Dir, stored.Data.Image, stored.Data.CropPct = "/cifar", 32, 1
	same, err := Request{}.Resolve(&stored, "tiny")
	if err != nil || same.Data != stored.Data {
		t.Errorf("%v: %+v, want %+v", err, same.Data, stored.Data)
	}
	other, err := Request{Flags: []Flag{{"dataset", "data.name", "name", "auto"}, {"data-dir", "data.dir", "folder", "/photos"}}}.Resolve(&stored, "tiny")
	want := stored.Data
	want.Name, want.Dir = data.Auto, "/photos"
	want.TrainSize, want.SearchSize, want.TestSize, want.Image, want.CropPct = 0, 0, 0, 0, 0
	if err != nil || other.Data != want {
		t.Errorf("%v: %+v, want %+v", err, other.Data, want)
	}
	sized, err := Request{Sets: []string{"data.image=48"}, Flags: []Flag{{"dataset", "data.name", "name", "auto"}, {"search-size", "data.search_size", "number", "70"}}}.Resolve(&stored, "tiny")
	if err != nil || sized.Data.Image != 48 || sized.Data.SearchSize != 70 {
		t.Errorf("%v: %+v", err, sized.Data)
	}
}

// TestFormatKeepsSizes: a recipe for files keeps its sizes where their format is named, and
// not where other images are.
func TestFormatKeepsSizes(t *testing.T) {
	for name, image := range map[string]int{"imagenet": 224, "folder": 224, data.Auto: 224, "cifar10": 0, "shapes10": 0} {
		c, err := Request{Preset: "imagenet-mobile", Flags: []Flag{{"dataset", "data.name", "name", name}}}.Resolve(nil, "tiny")
		if err != nil || c.Data.Name != name || c.Data.Image != image {
			t.Errorf("%s: %v %+v", name, err, c.Data)
		}
	}
}

// TestWarmupInOneUnit: what is given last counts, not what the preset has in the other unit.
func TestWarmupInOneUnit(t *testing.T) {
	for set, want := range map[string][2]float64{
		"train.warmup_epochs=2":   {0, 2},
		"train.warmup-steps=7":    {7, 0},
		"retrain.warmup_epochs=2": {0, 2},
		"retrain.warmup_steps=7":  {7, 0},
	} {
		for _, preset := range []string{"folder-small", "imagenet-mobile"} { // in steps, and in epochs
			c, err := Request{Preset: preset, Sets: []string{set}}.Resolve(nil, "")
			s := c.Train.SGD
			if strings.HasPrefix(set, "retrain") {
				s = c.Retrain.SGD
			}
			if err != nil || float64(s.WarmupSteps) != want[0] || s.WarmupEpochs != want[1] {
				t.Errorf("%s over %s: %v, %d steps and %g epochs", set, preset, err, s.WarmupSteps, s.WarmupEpochs)
			}
		}
	}
}

// TestCachePathIsAbsolute, as that of the data: a run may be continued from elsewhere.
func TestCachePathIsAbsolute(t *testing.T) {
	c, err := Request{Sets: []string{"run.cache=lists"}}.Resolve(nil, "tiny")
	abs, _ := filepath.Abs("lists")
	if err != nil || c.Run.Cache != abs {
		t.Errorf("%v: %q, want %q", err, c.Run.Cache, abs)
	}
}

// TestPathsAreAbsolute: a network to start from, and a teacher, are found as the images are,
// from the folder of the file or from the current one. The word inherited is no path.
func TestPathsAreAbsolute(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	abs := func(name string) string {
		p, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, x := range []struct {
		file, init, teacher string   // in the file, and what comes out
		sets                []string // over it
	}{
		{"init: a/b\n  teacher: t", filepath.Join(dir, "a/b"), filepath.Join(dir, "t"), nil},
		{"init: a\n  teacher: t", abs("b"), abs("u"), []string{"retrain.init=b", "retrain.teacher=./u"}},
		{"init: inherited\n  teacher: ''", "inherited", "", nil},
		{"init: ./inherited\n  teacher: inherited", filepath.Join(dir, "inherited"), filepath.Join(dir, "inherited"), nil},
		{"init: ''", abs("inherited"), "", []string{"retrain.init=./inherited"}},
		{"init: /x/y", "/x/y", "", nil},
	} {
		write("retrain:\n  " + x.file + "\n")
		c, err := Request{File: file, Sets: x.sets}.Resolve(nil, "tiny")
		if err != nil || c.Retrain.Init != x.init || c.Retrain.Teacher != x.teacher {
			t.Errorf("%q: %v: %q and %q, want %q and %q", x.file, err, c.Retrain.Init, c.Retrain.Teacher, x.init, x.teacher)
		}
	}
	// The same file beside the current folder.
	c, err := Parse("f.yaml", []byte("retrain:\n  init: ./inherited\n"), FromPreset)
	if err != nil || c.Retrain.Init == Inherited || filepath.Clean(c.Retrain.Init) != "inherited" {
		t.Errorf("%v %q", err, c.Retrain.Init)
	}
}

// TestDrawnImagesHaveNoFolder: whoever names both would have images ignored.
func TestDrawnImagesHaveNoFolder(t *testing.T) {
	r := Request{Flags: []Flag{{Name: "dataset", Key: "data.name", Value: "shapes10"}, {Name: "data-dir", Key: "data.dir", Value: "photos"}}}
	if _, err := r.Resolve(nil, "tiny"); err == nil || !strings.Contains(err.Error(), "no images of data.dir would be used") {
		t.Errorf("got %v", err)
	}
}
