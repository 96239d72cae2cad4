package idx

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/data/source"
)

// found is where a set lies.
type found struct {
	dir    string
	prefix string // of its files: "emnist-letters-", mostly ""
	files  map[string]string
}

// parts are the four files of a set, by what their names start with. EMNIST calls its
// test files so, MNIST calls them t10k.
var parts = []struct{ part, name string }{
	{"train images", "train-images"}, {"train labels", "train-labels"},
	{"test images", "t10k-images"}, {"test labels", "t10k-labels"},
	{"test images", "test-images"}, {"test labels", "test-labels"},
}

// inner are the folders below the one given where a set may lie, as torchvision makes them.
var inner = []string{"", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", "EMNIST/raw"}

// split takes a file name apart: "emnist-letters-train-images-idx3-ubyte.gz" is the
// part "train images" of the set with the prefix "emnist-letters-".
func split(name string) (prefix, part string, ok bool) {
	stem, isUbyte := strings.CutSuffix(strings.TrimSuffix(name, ".gz"), "-ubyte")
	n := len(stem)
	if !isUbyte || n < 5 || (stem[n-5] != '-' && stem[n-5] != '.') || stem[n-4:n-1] != "idx" || stem[n-1] < '1' || stem[n-1] > '4' {
		return "", "", false
	}
	for _, p := range parts {
		if prefix, ok := strings.CutSuffix(stem[:n-5], p.name); ok {
			return prefix, p.part, true
		}
	}
	return "", "", false
}

// Detect says whether path is a folder with an MNIST-like set, or one of its files. It
// returns what it found, "IDX files", or "".
func Detect(path string) string {
	if sets, _ := look(path); len(sets) > 0 {
		return "IDX files"
	}
	return ""
}

// look returns the sets in path, by prefix, of the first folder that holds any.
func look(path string) ([]*found, error) {
	prefix, _, one := split(filepath.Base(path))
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	folders := inner
	if !info.IsDir() {
		if !one {
			return nil, nil
		}
		path, folders = filepath.Dir(path), inner[:1]
	} else {
		one = false
	}
	for _, sub := range folders {
		entries, err := os.ReadDir(filepath.Join(path, sub))
		if err != nil {
			continue
		}
		var sets []*found
		for _, e := range entries {
			p, part, ok := split(e.Name())
			if !ok || e.IsDir() || one && p != prefix {
				continue
			}
			i := slices.IndexFunc(sets, func(f *found) bool { return f.prefix == p })
			if i < 0 {
				i = len(sets)
				sets = append(sets, &found{dir: filepath.Join(path, sub), prefix: p, files: map[string]string{}})
			}
			// A plain file comes before its gzipped twin.
			if have := sets[i].files[part]; have == "" || strings.HasSuffix(have, ".gz") {
				sets[i].files[part] = filepath.Join(sets[i].dir, e.Name())
			}
		}
		sets = slices.DeleteFunc(sets, func(f *found) bool { return f.files["train images"] == "" })
		if len(sets) > 0 {
			return sets, nil
		}
	}
	return nil, nil
}

// find returns the only set in path.
func find(path string) (*found, error) {
	sets, err := look(path)
	if err != nil {
		return nil, source.Wrong(path, 0, "", err, "no folder to read")
	}
	if len(sets) == 0 {
		return nil, source.Wrong(filepath.Join(path, "train-images-idx3-ubyte"), 0, "", fs.ErrNotExist, "file is missing")
	}
	if len(sets) > 1 {
		var names []string
		for _, f := range sets {
			names = append(names, f.files["train images"])
		}
		return nil, source.Wrong(sets[0].dir, 0, "", nil, "the folder holds %d sets, name one by a file of it: %s", len(sets), strings.Join(names, ", "))
	}
	f := sets[0]
	for _, part := range []string{"train labels", "test images", "test labels"} {
		test := f.files["test images"] != "" || f.files["test labels"] != ""
		if f.files[part] == "" && (part == "train labels" || test) {
			return nil, source.Wrong(f.expected(part), 0, "", fs.ErrNotExist, "file is missing")
		}
	}
	return f, nil
}

// expected is the path that a missing file should have.
func (f *found) expected(part string) string {
	var name string
	for _, p := range slices.Backward(parts[:4]) {
		if p.part == part {
			name = p.name
		}
	}
	n := 1
	if strings.HasSuffix(part, "images") {
		n = 3
	}
	return filepath.Join(f.dir, fmt.Sprintf("%s%s-idx%d-ubyte", f.prefix, name, n))
}
