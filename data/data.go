package data

import (
	"fmt"
	"slices"
	"strings"
)

// Config says which images to open and how to divide them. The zero value of a
// size means the default of [Default]; Check knows the limits of each data set.
type Config struct {
	Name string `yaml:"name" json:"name" default:"shapes10" want:"choice" doc:"the images: shapes10 are drawn and need no files"`
	// Dir may also be the parent of that folder. Unused by shapes10.
	Dir string `yaml:"dir" json:"dir" doc:"folder with the official binary files of cifar10 or cifar100; a relative path is relative to the configuration file"`
	// SearchSize is at least one image per class, and fewer than TrainSize. Default:
	// 2,000 of shapes10's 10,000, 5,000 of CIFAR's 50,000.
	SearchSize int `yaml:"search_size" json:"search_size" want:"0.." doc:"training images that are held out to score subnetworks; 0 is the default of the data set"`
	// TrainSize and TestSize are multiples of 10 for shapes10, by default 10,000 and
	// 2,000. The files of CIFAR must be complete, but only their first TrainSize and
	// TestSize images are used; default 50,000 and 10,000.
	TrainSize int `yaml:"train_size" json:"train_size" want:"0.." doc:"training images, those of search_size included; 0 is the default of the data set, all there are for files"`
	TestSize  int `yaml:"test_size" json:"test_size" want:"0.." doc:"test images; 0 is the default of the data set"`
	// Seed draws the pixels of shapes10 and chooses the images of Search. Every
	// value is valid, 0 too. It is the seed of the whole run, so no setting of its own.
	Seed uint64 `yaml:"-" json:"-"`
}

// Dataset is an opened collection. It is immutable and safe for concurrent use.
type Dataset struct {
	Name      string
	Classes   []string   // by label
	Image     int        // height and width in pixels
	Mean, Std [3]float32 // of R, G, B in [0,1]: x = (pixel/255 - Mean) / Std
	Train     *Train
	Search    *Search
	Test      *Test
	// SHA256 identifies the images and labels, whatever their division: for CIFAR
	// of the files in official order, for shapes10 of the drawn bytes.
	SHA256 string
	// Provenance tells a reader what the bytes are, for reports:
	// "drawn by oneshot (shapes10 v1, seed 42)", "CIFAR-10 (JPEG q75)",
	// "unrecognised bytes, sha256 0123456789ab".
	Provenance string
}

// Names returns the names Config.Name accepts.
func Names() []string { return []string{"shapes10", "cifar10", "cifar100"} }

// Choices implements setting.Chooser.
func (Config) Choices(string) []string { return Names() }

// Default returns the documented sizes for a name, or for shapes10 when the name
// is unknown. Dir and Seed are left to the caller.
func Default(name string) Config {
	c := Config{Name: name, SearchSize: 2000, TrainSize: 10000, TestSize: 2000}
	if l, ok := layouts[name]; ok {
		c.SearchSize, c.TrainSize, c.TestSize = 5000, l.trainImages(), l.testImages()
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
	f, max := c.fill(), Default(c.Name)
	classes := len(shapes10Classes)
	l, files := layouts[c.Name]
	if files {
		classes = len(l.classes)
		if c.Dir == "" {
			return &ConfigError{"dir", c.Name + " needs a folder", "point it at " + l.folder + "; " + l.obtain()}
		}
		if f.TrainSize > max.TrainSize {
			return &ConfigError{"train_size", fmt.Sprintf("%d, but %s has %d training images", f.TrainSize, c.Name, max.TrainSize), ""}
		}
		if f.TestSize > max.TestSize {
			return &ConfigError{"test_size", fmt.Sprintf("%d, but %s has %d test images", f.TestSize, c.Name, max.TestSize), ""}
		}
	}
	for _, s := range []struct {
		field string
		n     int
	}{{"train_size", f.TrainSize}, {"test_size", f.TestSize}} {
		switch {
		case s.n < classes || s.n > maxImages:
			return &ConfigError{s.field, fmt.Sprintf("%d, want %d to %d", s.n, classes, maxImages), ""}
		case !files && s.n%classes != 0:
			return &ConfigError{s.field, fmt.Sprintf("%d is not a multiple of %d", s.n, classes), "every class of shapes10 has equally many images"}
		}
	}
	if f.SearchSize < classes || f.SearchSize > f.TrainSize-classes {
		return &ConfigError{"search_size", fmt.Sprintf("%d, want %d to %d", f.SearchSize, classes, f.TrainSize-classes),
			"it is carved out of the training images; give train_size too when both are small"}
	}
	return nil
}

// maxImages bounds a configured size, so that a slip of the finger does not ask
// for a terabyte.
const maxImages = 1_000_000

// Open reads or draws the images and divides them. Errors are *ConfigError for
// the configuration and *FormatError for files.
func Open(c Config) (*Dataset, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.fill()
	if l, ok := layouts[c.Name]; ok {
		return l.open(c)
	}
	return openShapes10(c), nil
}

// ConfigError names a bad field of Config or LoaderConfig.
type ConfigError struct {
	Field string // as written in a configuration file: "search_size"
	Msg   string
	Hint  string // what to do about it, or empty
}

func (e *ConfigError) Error() string { return "data: " + e.Field + ": " + e.Msg }
