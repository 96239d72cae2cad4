package ilsvrc

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/internal/atomicfile"
)

const (
	devkitArchive = "ILSVRC2012_devkit_t12.tar.gz"
	devkitFolder  = "ILSVRC2012_devkit_t12"
	devkitMD5     = "fa75699e90414af021442c21a62c3abf" // as torchvision checks it
	metaFile      = "data/meta.mat"
	truthFile     = "data/ILSVRC2012_validation_ground_truth.txt"

	maxTruth    = 64 << 20  // bytes; the original has 0.2 MB
	maxUnpacked = 256 << 20 // bytes of the whole devkit; the original has 4 MB
)

// devkit says which class a validation image shows.
type devkit struct {
	synsets []synset
	wnids   map[int]string // by ILSVRC2012_ID
	truth   []int          // ILSVRC2012_IDs, by image from 0
	file    string         // of truth, for messages
	depends []string       // what was read, from the root
}

// errNoDevkit says that a folder has none.
var errNoDevkit = errors.New("no devkit")

// readDevkit reads the devkit in root, unpacked or packed.
func readDevkit(root string) (*devkit, error) {
	_, err := os.Stat(filepath.Join(root, devkitFolder))
	if err == nil {
		return unpackedDevkit(root)
	}
	if _, err := os.Stat(filepath.Join(root, devkitArchive)); errors.Is(err, fs.ErrNotExist) {
		return nil, errNoDevkit
	}
	return packedDevkit(root)
}

func unpackedDevkit(root string) (*devkit, error) {
	d := new(devkit)
	for _, f := range []struct {
		name string
		most int64
		read func(b []byte, file string) error
	}{{metaFile, maxInflated, d.meta}, {truthFile, maxTruth, d.readTruth}} {
		rel := path.Join(devkitFolder, f.name)
		file := index.Join(root, rel)
		b, err := atomicfile.ReadAtMost(file, f.most)
		if err != nil {
			return nil, &source.FileError{File: file, Msg: "cannot be read", Hint: "unpack " + devkitArchive + " again", Err: err}
		}
		if err := f.read(b, file); err != nil {
			return nil, err
		}
		d.depends = append(d.depends, rel)
	}
	return d, nil
}

func packedDevkit(root string) (*devkit, error) {
	file := filepath.Join(root, devkitArchive)
	wrong := func(msg string, err error) error {
		return &source.FileError{File: file, Msg: msg, Hint: obtain, Err: err}
	}
	f, _, err := source.OpenFile(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, wrong("is no gzip file", err)
	}
	d := &devkit{depends: []string{devkitArchive}}
	return d, d.unpack(z, file)
}

// unpack reads the two files out of the devkit's tar file, which file names in errors.
func (d *devkit) unpack(z io.Reader, file string) error {
	wrong := func(msg string, err error) error {
		return &source.FileError{File: file, Msg: msg, Hint: obtain, Err: err}
	}
	tr := tar.NewReader(io.LimitReader(z, maxUnpacked))
	found := map[string]bool{}
	for len(found) < 2 {
		h, err := tr.Next()
		if err == io.EOF {
			return wrong("lacks "+metaFile+" or "+truthFile, nil)
		}
		if err != nil {
			return wrong("is damaged", err)
		}
		read, most := d.meta, int64(maxInflated)
		name := metaFile
		if !strings.HasSuffix("/"+h.Name, "/"+name) {
			read, most, name = d.readTruth, maxTruth, truthFile
		}
		if !strings.HasSuffix("/"+h.Name, "/"+name) || h.Typeflag != tar.TypeReg || found[name] {
			continue
		}
		if h.Size > most {
			return wrong(fmt.Sprintf("%s has %d bytes, want at most %d", name, h.Size, most), nil)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			return wrong("is damaged", err)
		}
		if err := read(b, file+": "+name); err != nil {
			return err
		}
		found[name] = true
	}
	return nil
}

const obtain = "want the devkit of ImageNet 2012, " + devkitArchive + " (md5 " + devkitMD5 + ")"

// meta takes over meta.mat.
func (d *devkit) meta(b []byte, file string) error {
	var err error
	if d.synsets, err = readSynsets(b); err != nil {
		e := &source.FileError{File: file, Msg: err.Error(), Hint: obtain}
		var at *matError
		if errors.As(err, &at) {
			e.Offset = int64(at.offset)
		}
		return e
	}
	d.wnids = map[int]string{}
	for _, s := range d.synsets {
		if old, ok := d.wnids[s.id]; ok {
			return &source.FileError{File: file, Msg: fmt.Sprintf("gives ILSVRC2012_ID %d to %s and %s", s.id, old, s.wnid), Hint: obtain}
		}
		d.wnids[s.id] = s.wnid
	}
	return nil
}

// readTruth takes over the classes of the validation images.
func (d *devkit) readTruth(b []byte, file string) error {
	d.file = file
	at := 0
	for line := range strings.Lines(string(b)) {
		word := strings.TrimSpace(line)
		id, err := strconv.Atoi(word)
		if err != nil || id < 1 {
			if word == "" && at+len(line) == len(b) {
				break // an empty last line
			}
			return &source.FileError{File: file, Offset: int64(at), Msg: fmt.Sprintf("line %d is %.40q, want an ILSVRC2012_ID", len(d.truth)+1, word), Hint: obtain}
		}
		d.truth = append(d.truth, id)
		at += len(line)
	}
	return nil
}
