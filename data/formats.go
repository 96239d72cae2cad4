package data

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/cifar"
	"oneshot/data/source/folder"
	"oneshot/data/source/idx"
	"oneshot/data/source/ilsvrc"
	"oneshot/data/source/index"
	"oneshot/data/source/parquet"
	"oneshot/data/source/tars"
	"oneshot/data/source/tiny"
)

// format is a way in which people keep images.
type format struct {
	name string
	// detect says in a few words what is at path, "" for another format.
	detect func(path string) string
	open   func(path string, c Config) (source.Source, error)
}

// formats are tried in this order: a folder of class folders is what is left.
var formats = []format{
	{"cifar10", cifar.Detect, openCIFAR},
	{"mnist", idx.Detect, func(path string, _ Config) (source.Source, error) { return idx.Open(path) }},
	{"imagenet", ilsvrc.Detect, func(path string, c Config) (source.Source, error) { return ilsvrc.Open(path, index.Cache(c.Cache)) }},
	{"tiny-imagenet", tiny.Detect, func(path string, c Config) (source.Source, error) { return tiny.Open(path, index.Cache(c.Cache)) }},
	{"parquet", parquet.Detect, func(path string, _ Config) (source.Source, error) { return parquet.Open(path, parquet.Options{}) }},
	{"webdataset", tars.Detect, func(path string, c Config) (source.Source, error) { return tars.Open(path, index.Cache(c.Cache)) }},
	{"folder", folder.Detect, func(path string, c Config) (source.Source, error) { return folder.Open(path, index.Cache(c.Cache)) }},
}

func openCIFAR(path string, c Config) (source.Source, error) {
	o := cifar.Options{}
	if _, ok := knownSets[c.Name]; ok {
		o = cifar.Options{Format: c.Name, Strict: true}
	}
	return cifar.Open(path, o)
}

// known is what is on record about an official set.
type known struct {
	cifar.Known
	Side int // pixels of an image
}

// knownSets are the sets whose names mean certain images, in whatever container.
var knownSets = func() map[string]known {
	m := map[string]known{}
	for _, k := range cifar.KnownSets() {
		m[k.Format] = known{k, 32}
	}
	return m
}()

// imageNet is what everybody normalises ImageNet's images by (torchvision's references).
var imageNet = Preprocess{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}

// wnid is the name of a class of ImageNet, whatever container it is in.
var wnid = regexp.MustCompile(`^n[0-9]{8}$`)

// areImageNet tells whether classes are ImageNet's, or some of them.
func areImageNet(classes []string) bool {
	return !slices.ContainsFunc(classes, func(name string) bool { return !wnid.MatchString(name) })
}

// Walked tells whether what a configuration names is read with all folders below it, so
// that nothing else may lie there.
func Walked(c Config) bool {
	if Drawn(c.Name) {
		return false
	}
	for _, f := range formats {
		if f.detect(c.Dir) != "" {
			return f.name == "folder" || f.name == "webdataset"
		}
	}
	return false
}

// find opens what Config.Dir holds.
func (o *opening) find() error {
	path := o.c.Dir
	if _, err := os.Stat(path); err != nil && !strings.ContainsAny(path, "{[") {
		e := &source.FileError{File: path, Msg: "cannot be read", Err: err, Hint: obtain(o.c.Name)}
		if errors.Is(err, fs.ErrNotExist) {
			e.Msg, e.Err = "is missing: no such folder or file", fs.ErrNotExist
			if abs, err := filepath.Abs(path); err == nil && abs != path {
				e.Msg += " (" + abs + ")"
			}
		}
		return e
	}
	anyFormat := Official(o.c.Name) || o.c.Name == Auto
	for _, f := range formats {
		if !anyFormat && f.name != o.c.Name || f.detect(path) == "" {
			continue
		}
		var err error
		if o.src, err = f.open(path, o.c); err != nil {
			if k, ok := knownSets[o.c.Name]; ok && errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(f.detect(path), k.Title+",") {
				break // it is the other one of CIFAR's sets
			}
			return err
		}
		o.info = o.src.Info()
		return nil
	}
	return o.nothing()
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// conversions say what to do about formats that are not read, by the end of a file's name.
var conversions = []struct{ end, is, how string }{
	{".tfrecord", "TFRecord", "write WebDataset shards or class folders from it with tensorflow_datasets"},
	{"data.mdb", "LMDB", "write class folders from it with the lmdb package of Python"},
	{".mds", "MosaicML's MDS", "write class folders from it with the streaming package of Python"},
	{".beton", "FFCV", "take the images that it was made of"},
	{".npz", "a NumPy archive", "write class folders from it with numpy and PIL"},
	{".npy", "a NumPy array", "write class folders from it with numpy and PIL"},
	{".h5", "HDF5", "write class folders from it with the h5py package of Python"},
	{".hdf5", "HDF5", "write class folders from it with the h5py package of Python"},
	{".arrow", "Arrow", "write parquet from it: datasets.load_from_disk(...).to_parquet(...)"},
	{".rec", "MXNet's RecordIO", "write class folders from it with the mxnet package of Python"},
	{".zip", "a packed archive", "unpack it: unzip FILE"},
	{".tar.gz", "a packed archive", "unpack it: tar xzf FILE"},
	{".tgz", "a packed archive", "unpack it: tar xzf FILE"},
	{".tar.xz", "a packed archive", "unpack it: tar xJf FILE"},
	{".7z", "a packed archive", "unpack it: 7z x FILE"},
}

// nothing says why no format was found.
func (o *opening) nothing() error {
	path := o.c.Dir
	names := []string{filepath.Base(path)}
	entries, err := os.ReadDir(path)
	if err != nil && isFolder(path) {
		return &source.FileError{File: path, Msg: "cannot be read", Err: err}
	}
	if err == nil {
		names = nil
		for _, e := range entries[:min(len(entries), 10_000)] {
			names = append(names, e.Name())
		}
	}
	for _, c := range conversions {
		if i := slices.IndexFunc(names, func(n string) bool {
			n = strings.ToLower(n)
			return strings.HasSuffix(n, c.end) || c.end == ".tfrecord" && strings.Contains(n, ".tfrecord")
		}); i >= 0 {
			file := path
			if filepath.Base(path) != names[i] {
				file = filepath.Join(path, names[i])
			}
			return &source.FileError{File: file, Msg: "is " + c.is + ", which is not read", Hint: c.how}
		}
	}
	if o.c.Name == Auto {
		var layout *source.FileError
		if _, err := folder.Open(path, ""); isFolder(path) && errors.As(err, &layout) {
			return err // it says what of its layout is missing
		}
		return &source.FileError{File: path, Msg: "holds no images in a layout that is known",
			Hint: "what is read: class folders (train/<class>/*.jpg, val/<class>/*.jpg or <class>/*.jpg), parquet, WebDataset shards, CIFAR, MNIST, the tars of ImageNet"}
	}
	found := ""
	for _, f := range formats {
		if what := f.detect(path); what != "" {
			found = "; it is " + what + ": --dataset " + Auto + " reads it"
			break
		}
	}
	return &source.FileError{File: path, Msg: "holds no files of " + o.c.Name + found, Hint: obtain(o.c.Name)}
}

// obtain says how to get the files of a data set.
func obtain(name string) string {
	switch name {
	case "cifar10":
		return "download https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (md5 c32a1d4ab5d03f1284b67883e8d87530) and unpack it with: tar xzf cifar-10-binary.tar.gz; then point --data-dir at the folder cifar-10-batches-bin"
	case "cifar100":
		return "download https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz and unpack it with: tar xzf cifar-100-binary.tar.gz; then point --data-dir at the folder cifar-100-binary"
	case "imagenet":
		return "point --data-dir at the folder with ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz of image-net.org"
	}
	return "point --data-dir at the images"
}
