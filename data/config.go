package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"oneshot/internal/setting"
)

// Config says which images to open and how to divide them. Check knows the limits of
// each data set.
type Config struct {
	Name string `yaml:"name" json:"name" default:"shapes10" want:"choice" doc:"the images: shapes10 are drawn and need no files; auto looks what data.dir holds; any other name says what it must hold"`
	// Dir may also be the parent of the folder that a format prescribes, or a single file where a format has one.
	Dir string `yaml:"dir" json:"dir" doc:"folder with the images; a relative path is relative to the configuration file; shapes10 needs none"`
	// Image: Dataset.Image is what was chosen.
	Image int `yaml:"image" json:"image" want:"0..2048" doc:"side in pixels of the square images that a network sees; 0 is chosen: the images' own side where all have the same one of at most 96, else 64"`
	// CropPct is timm's crop_pct; 0.875 are the 224 of 256 pixels customary for ImageNet.
	CropPct float64 `yaml:"crop_pct" json:"crop_pct" want:"[0,1]" doc:"part of an image's shorter side that is cut out of its centre and resized to data.image, when it is not augmented; 0 is 1 for images of equal size and 0.875 for others"`
	Resize  string  `yaml:"resize" json:"resize" default:"crop" want:"crop|stretch" doc:"what becomes of images that are not square: the centre is cut out, or the whole is stretched"`
	// SearchFrom and TestFrom: see source.Assign.
	SearchFrom string `yaml:"search_from" json:"search_from" doc:"split of the files that scores subnetworks; train draws the images from the training split; empty is val where there are train, val and test, else train"`
	TestFrom   string `yaml:"test_from" json:"test_from" doc:"split of the files that the final accuracy is measured on; train draws a fifth of the training split; empty is test, else val, else train"`
	// SearchSize is fewer than TrainSize, by at least the number of classes: each keeps an
	// image to train on. Default:
	// 2,000 of shapes10's 10,000, 5,000 of CIFAR's 50,000; a tenth of other sets, a
	// fifth where they have fewer than 5,000 images, at most 10,000.
	SearchSize int `yaml:"search_size" json:"search_size" want:"0.." doc:"training images that are held out to score subnetworks; 0 is the default of the data set; of a split of their own, all"`
	// TrainSize and TestSize are multiples of 10 for shapes10, by default 10,000 and
	// 2,000. Of files they are drawn class by class, in proportion, from the seed.
	TrainSize   int    `yaml:"train_size" json:"train_size" want:"0.." doc:"training images, those of search_size included, drawn by class; 0 is the default of the data set, all there are for files"`
	TestSize    int    `yaml:"test_size" json:"test_size" want:"0.." doc:"test images, drawn by class; 0 is the default of the data set"`
	OnBadSample string `yaml:"on_bad_sample" json:"on_bad_sample" default:"error" rule:"error or skip:N" doc:"what a record that cannot be decoded does: error stops the run; skip:N leaves out up to N of them"`
	Decoder     string `yaml:"decoder" json:"decoder" default:"auto" want:"auto|turbo|go" doc:"what decodes JPEG files: libturbojpeg, or the standard library, which is slower and gives slightly other pixels; auto is turbo where it is installed"`
	// Seed draws the pixels of shapes10 and chooses the images of Search. Every
	// value is valid, 0 too. It is the seed of the whole run, so no setting of its own.
	Seed uint64 `yaml:"-" json:"-"`
	// Cache is a folder for the index of large collections; "" keeps none.
	Cache string `yaml:"-" json:"-"`
	// Originals says that augmentation cuts its crops out of the whole images, so that
	// keeping smaller ones in memory is no use.
	Originals bool `yaml:"-" json:"-"`
	// Untrained says that nothing is trained on these images: where they have no test split,
	// all are tested.
	Untrained bool `yaml:"-" json:"-"`
	// As, if not nil, is how a network was trained, whose images these are for.
	As *Preprocess `yaml:"-" json:"-"`
}

// Preprocess is how pixels become a network's input: x = (pixel/255 - Mean) / Std, by
// channel.
type Preprocess struct {
	Mean, Std [3]float32
}

// Check names the first value by which some pixel would become what is no number.
func (p Preprocess) Check() error {
	number := func(v float64) bool { return math.Abs(v) <= math.MaxFloat32 } // false for NaN
	for c := range p.Mean {
		mean, std := float64(p.Mean[c]), float64(p.Std[c])
		if !number(mean) {
			return fmt.Errorf("mean[%d] is %g, want a number", c, mean)
		}
		if !(std > 0 && number(std) && number((0-mean)/std) && number((1-mean)/std)) {
			return fmt.Errorf("std[%d] is %g, want a number above 0 that pixels can be divided by", c, std)
		}
	}
	return nil
}

// Auto is the name of whatever a folder holds.
const Auto = "auto"

// Official tells whether a name means certain images, in whatever container.
func Official(name string) bool {
	_, ok := knownSets[name]
	return ok
}

// Drawn tells whether a data set needs no files.
func Drawn(name string) bool { return name == "shapes10" }

// Names returns the names Config.Name accepts.
func Names() []string {
	names := []string{"shapes10", "cifar10", "cifar100", Auto}
	for _, f := range formats {
		if !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	return names
}

// Choices implements setting.Chooser.
func (Config) Choices(string) []string { return Names() }

// Rules implements setting.Ruled.
func (c Config) Rules() []setting.Rule {
	_, err := c.tolerance()
	return []setting.Rule{{Name: "on_bad_sample", OK: err == nil, Want: "error or skip:N, as in skip:10"}}
}

// tolerance is how many bad records are left out: 0 for the policy error.
func (c Config) tolerance() (int, error) {
	if c.OnBadSample == "error" || c.OnBadSample == "" {
		return 0, nil
	}
	text, ok := strings.CutPrefix(c.OnBadSample, "skip:")
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 0 {
		return 0, &ConfigError{"on_bad_sample", fmt.Sprintf("%q, want error or skip:N", c.OnBadSample), "skip:10 leaves out up to ten records that cannot be decoded"}
	}
	return n, nil
}

// Tolerates tells whether a run goes on although n records are bad.
func (c Config) Tolerates(n int) bool {
	most, err := c.tolerance()
	return err == nil && n <= most
}

// Default returns the documented sizes for a name; 0 is what depends on the files.
// Dir and Seed are left to the caller.
func Default(name string) Config {
	c := setting.Default[Config]()
	c.Name = name
	switch name {
	case "shapes10":
		c.SearchSize, c.TrainSize, c.TestSize = 2000, 10000, 2000
	case "cifar10", "cifar100":
		c.SearchSize, c.TrainSize, c.TestSize = 5000, knownSets[name].Known.Train, knownSets[name].Known.Test
	}
	return c
}

// fill replaces zero sizes by their defaults.
func (c Config) fill() Config {
	d := Default(c.Name)
	if c.SearchSize == 0 {
		c.SearchSize = d.SearchSize
	}
	if c.TrainSize == 0 {
		c.TrainSize = d.TrainSize
	}
	if c.TestSize == 0 {
		c.TestSize = d.TestSize
	}
	return c
}

// Check reports the first bad field as a *ConfigError, without touching files.
func (c Config) Check() error {
	if !slices.Contains(Names(), c.Name) {
		return &ConfigError{"name", fmt.Sprintf("unknown dataset %q", c.Name), "known: " + strings.Join(Names(), ", ")}
	}
	if _, err := c.tolerance(); err != nil {
		return err
	}
	if !Drawn(c.Name) {
		return c.checkFiles()
	}
	f, classes := c.fill(), len(shapes10Classes)
	if c.Image != 0 && c.Image != shapes10Side {
		return &ConfigError{"image", fmt.Sprintf("%d, but shapes10 are drawn with %d pixels", c.Image, shapes10Side), ""}
	}
	if c.SearchFrom+c.TestFrom != "" {
		return &ConfigError{"search_from", "shapes10 has no splits in files", "leave out search_from and test_from"}
	}
	for _, s := range []struct {
		field string
		n     int
	}{{"train_size", f.TrainSize}, {"test_size", f.TestSize}} {
		switch {
		case s.n < classes || s.n > maxDrawn:
			return &ConfigError{s.field, fmt.Sprintf("%d, want %d to %d", s.n, classes, maxDrawn), ""}
		case s.n%classes != 0:
			return &ConfigError{s.field, fmt.Sprintf("%d is not a multiple of %d", s.n, classes), "every class of shapes10 has equally many images"}
		}
	}
	return checkSearchSize(f.SearchSize, f.TrainSize, classes)
}

// checkFiles checks what can be known without opening files.
func (c Config) checkFiles() error {
	if c.Dir == "" {
		return &ConfigError{"dir", c.Name + " needs a folder", obtain(c.Name)}
	}
	if k, ok := knownSets[c.Name]; ok {
		d := Default(c.Name)
		f := c.fill()
		if f.TrainSize > d.TrainSize {
			return &ConfigError{"train_size", fmt.Sprintf("%d, but %s has %d training images", f.TrainSize, c.Name, d.TrainSize), ""}
		}
		if f.TestSize > d.TestSize {
			return &ConfigError{"test_size", fmt.Sprintf("%d, but %s has %d test images", f.TestSize, c.Name, d.TestSize), ""}
		}
		classes := len(k.Classes)
		for _, s := range []struct {
			field string
			n     int
		}{{"train_size", f.TrainSize}, {"test_size", f.TestSize}} {
			if s.n < classes {
				return &ConfigError{s.field, fmt.Sprintf("%d, want at least an image for each of %d classes", s.n, classes), ""}
			}
		}
		if c.SearchFrom == "" {
			return checkSearchSize(f.SearchSize, f.TrainSize, classes)
		}
	}
	return nil
}

func checkSearchSize(search, train, classes int) error {
	if search < classes || search > train-classes {
		return &ConfigError{"search_size", fmt.Sprintf("%d, want %d to %d", search, classes, train-classes),
			"it is carved out of the training images; give train_size too when both are small"}
	}
	return nil
}

// maxDrawn bounds how many images are drawn, so that a slip of the finger does not ask
// for a terabyte.
const maxDrawn = 1_000_000

// ConfigError names a bad field of Config or LoaderConfig.
type ConfigError struct {
	Field string // as written in a configuration file: "search_size"
	Msg   string
	Hint  string // what to do about it, or empty
}

func (e *ConfigError) Error() string { return "data: " + e.Field + ": " + e.Msg }
