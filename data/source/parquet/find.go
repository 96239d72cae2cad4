package parquet

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"oneshot/data/source"
)

// shardFile is a file of a set by its name.
type shardFile struct {
	path, split  string
	number, many int // shard number of many; -1 where the name tells none
}

// found are the files of one set.
type found struct {
	path  string
	files []shardFile // in the order of their records
}

// maxFiles is the most files of a set.
const maxFiles = 100_000

// maxEntries is how many other files and folders are looked at before the first parquet
// file: a folder of images may hold millions.
const maxEntries = 20_000

// depth is how far below the folder given files may lie: data/plain_text/train/0000.parquet.
const depth = 3

// Detect says whether path is a parquet file, or a folder with parquet files as the
// datasets library and the Hugging Face hub lay them out. It returns what it found,
// "3 parquet files", or "".
func Detect(path string) string {
	names, err := files(path)
	if err != nil || len(names) == 0 {
		return ""
	}
	if len(names) == 1 {
		return "1 parquet file"
	}
	return fmt.Sprintf("%d parquet files", len(names))
}

// files returns the parquet files in a folder, below it by slashes, or path itself as ".".
func files(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if strings.HasSuffix(path, ".parquet") && info.Mode().IsRegular() {
			return []string{"."}, nil
		}
		return nil, nil
	}
	var names []string
	entries := 0
	root := os.DirFS(path)
	err = fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entries++; entries > maxEntries && len(names) == 0 {
			return fs.SkipAll
		}
		if e.IsDir() {
			if name != "." && (strings.HasPrefix(e.Name(), ".") || strings.Count(name, "/") >= depth) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".parquet") && !strings.HasPrefix(e.Name(), ".") {
			if info, err := fs.Stat(root, name); err == nil && info.Mode().IsRegular() { // links are followed
				names = append(names, name)
			}
		}
		if len(names) > maxFiles {
			return fmt.Errorf("more than %d parquet files", maxFiles)
		}
		return nil
	})
	return names, err
}

var (
	numbered = regexp.MustCompile(`^(.+?)-([0-9]{1,9})-of-([0-9]{1,9})(?:-[0-9A-Za-z]+)?$`) // train-00000-of-00005-abc123
	words    = regexp.MustCompile(`[-_.]`)
)

// split takes the name of a file apart. folder is the split its folder is named by, or "".
func split(name, folder string) (of string, number, many int) {
	stem := strings.TrimSuffix(name, ".parquet")
	number = -1
	m := numbered.FindStringSubmatch(stem)
	if m != nil {
		stem = m[1]
		number, _ = strconv.Atoi(m[2]) // at most nine digits
		many, _ = strconv.Atoi(m[3])
	}
	if folder != "" {
		return folder, number, many
	}
	for _, word := range words.Split(stem, -1) {
		if source.Role(word) != "" {
			return word, number, many
		}
	}
	if m != nil {
		return stem, number, many
	}
	return "", number, many
}

// find returns the files of the only set in path.
func find(path string) (*found, error) {
	names, err := files(path)
	if err != nil {
		return nil, source.Wrong(path, 0, "", err, "no folder or file to read")
	}
	if len(names) == 0 {
		return nil, source.Wrong(path, 0, "", fs.ErrNotExist, "no parquet files here")
	}
	f := &found{path: path}
	configs := map[string]bool{}
	for _, name := range names {
		if name == "." {
			of, _, _ := split(filepath.Base(path), "")
			f.files = append(f.files, shardFile{path, of, -1, 0})
			break
		}
		parts := strings.Split(name, "/")
		base, folders := parts[len(parts)-1], parts[:len(parts)-1]
		folder := ""
		if n := len(folders); n > 0 && source.Role(folders[n-1]) != "" {
			folder, folders = folders[n-1], folders[:n-1]
		}
		if len(folders) > 0 && folders[0] == "data" {
			folders = folders[1:]
		}
		configs[strings.Join(folders, "/")] = true
		s := shardFile{path: filepath.Join(path, filepath.FromSlash(name))}
		s.split, s.number, s.many = split(base, folder)
		f.files = append(f.files, s)
	}
	if len(configs) > 1 {
		var list []string
		for c := range configs {
			if c == "" {
				c = "the folder itself"
			}
			list = append(list, c)
		}
		slices.Sort(list)
		return nil, source.Wrong(path, 0, "", nil, "the folder holds %d sets, name the folder of one: %s", len(list), strings.Join(list, ", "))
	}
	if err := f.numbers(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.files, func(a, b shardFile) int {
		return cmp.Or(cmp.Compare(rank(a.split), rank(b.split)), strings.Compare(a.split, b.split), byNumber(a.path, b.path))
	})
	return f, nil
}

// numbers refuses two files of one number in a split: two versions of one set in a folder.
func (f *found) numbers() error {
	type number struct {
		split string
		n     int
	}
	seen := map[number]string{}
	for _, s := range f.files {
		key := number{s.split, s.number}
		if before, ok := seen[key]; ok && s.number >= 0 {
			return source.Wrong(s.path, 0, "", nil, "file has the number %d of split %q, and so has %s: keep the files of one version", s.number, s.split, source.Shown(before))
		}
		seen[key] = s.path
	}
	return nil
}

// rank orders the names of splits.
func rank(split string) int {
	roles := source.RoleNames()
	if i := slices.Index(roles, source.Role(split)); i >= 0 {
		return i
	}
	return len(roles)
}

// byNumber compares names so that "part10" comes behind "part9".
func byNumber(a, b string) int {
	digits := func(s string) int {
		return len(s) - len(strings.TrimLeft(s, "0123456789"))
	}
	full := strings.Compare(a, b)
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m > 0 && n > 0 {
			x, y := strings.TrimLeft(a[:m], "0"), strings.TrimLeft(b[:n], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[m:], b[n:]
			continue
		}
		if a[0] != b[0] {
			break
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Or(strings.Compare(a, b), full)
}

// missing notes the shards that the names of others promise.
func (f *found) missing() []string {
	var notes []string
	for i := 0; i < len(f.files); {
		j := i
		have := map[int]bool{}
		for ; j < len(f.files) && f.files[j].split == f.files[i].split; j++ {
			have[f.files[j].number] = true
		}
		if many := f.files[i].many; many > 0 && len(have) < many {
			notes = append(notes, fmt.Sprintf("%d of %d files of split %q are here", len(have), many, f.files[i].split))
		}
		i = j
	}
	return notes
}
