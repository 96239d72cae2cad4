package tars

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// shard is a tar file.
type shard struct {
	file  string // slash-separated, from the root
	split string // as the files call it
}

// shards are the tar files that path names, by split and then by name.
type shards struct {
	root  string
	list  []shard
	dirs  []string // folders that were read, from the root
	notes []string
}

// find returns the tar files of a folder, a pattern or a file.
func find(p string) (*shards, error) {
	fi, err := os.Stat(p)
	switch {
	case err == nil && fi.IsDir():
		return inFolder(p)
	case err == nil:
		s := &shards{root: filepath.Dir(p)}
		return s, s.bySplit([]string{filepath.Base(p)})
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(p, "{"):
		return byPattern(p)
	default:
		return nil, &source.FileError{File: p, Msg: "cannot be opened", Err: err}
	}
}

func inFolder(root string) (*shards, error) {
	s := &shards{root: root, dirs: []string{"."}}
	tars, dirs, err := listTars(root)
	if err != nil {
		return nil, err
	}
	if len(tars) > 0 {
		return s, s.bySplit(tars)
	}
	for _, want := range source.RoleNames() {
		var from []string // folders for the split
		for _, d := range dirs {
			if source.Role(d) != want {
				continue
			}
			tars, _, err := listTars(filepath.Join(root, d))
			if err != nil {
				return nil, err
			}
			s.dirs = append(s.dirs, d) // also an empty one: tar files may come
			if len(tars) == 0 {
				continue
			}
			from = append(from, d)
			for _, t := range tars {
				s.list = append(s.list, shard{path.Join(d, t), d})
			}
		}
		if len(from) > 1 {
			return nil, &source.FileError{File: root, Msg: fmt.Sprintf("holds %s and %s, two folders for one split", from[0], from[1]), Hint: "give one of them another name"}
		}
	}
	if len(s.list) == 0 {
		return nil, &source.FileError{File: root, Msg: "holds no tar files"}
	}
	s.gaps()
	return s, nil
}

// listTars returns the tar files and the folders in dir, by name.
func listTars(dir string) (tars, dirs []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, &source.FileError{File: dir, Msg: "cannot be read", Err: err}
	}
	for _, e := range entries {
		name := e.Name()
		switch fi, err := os.Stat(filepath.Join(dir, name)); { // a link to a tar file is one
		case strings.HasPrefix(name, ".") || err != nil:
		case fi.IsDir():
			dirs = append(dirs, name)
		case fi.Mode().IsRegular() && isTarName(name):
			tars = append(tars, name)
		}
	}
	return tars, dirs, nil
}

var tarName = regexp.MustCompile(`(?i)\.(tar|tgz|tar\.(gz|bz2|xz|zst|lz4))$`)

// isTarName says that a file calls itself a tar file, or a compressed one.
func isTarName(name string) bool { return tarName.MatchString(name) }

// shardNumber is what follows the set's name: "-000012", "_12", "-00012-of-01024".
var shardNumber = regexp.MustCompile(`^(.*?)[-_.]?(\d+)(?:-of-\d+)?$`)

// stem is a file's name without number and extension; number is -1 without one.
func stem(file string) (name string, number int) {
	name = tarName.ReplaceAllString(path.Base(file), "")
	if m := shardNumber.FindStringSubmatch(name); m != nil {
		if n, err := strconv.Atoi(m[2]); err == nil {
			return m[1], n
		}
	}
	return name, -1
}

// splitOf is the part of a file's name that says a split: "train" of imagenet-train-000000.tar.
func splitOf(file string) string {
	name, _ := stem(file)
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for i := len(parts) - 1; i >= 0; i-- {
		if source.Role(parts[i]) != "" {
			return parts[i]
		}
	}
	return ""
}

// bySplit lists files by the split in their names. Either all have one or none has.
func (s *shards) bySplit(files []string) error {
	groups := map[string][]string{}
	names := map[string]string{}
	unnamed := ""
	for _, f := range files {
		split := splitOf(f)
		if split == "" {
			unnamed = f
		}
		means := source.Role(split)
		groups[means] = append(groups[means], f)
		if names[means] == "" {
			names[means] = split
		}
	}
	if unnamed != "" && len(groups) > 1 {
		return &source.FileError{File: index.Join(s.root, unnamed), Msg: "says no split in its name, as others beside it do",
			Hint: "want train, val or test before the number, as in name-train-000000.tar, or a pattern that leaves it out"}
	}
	for _, means := range append(source.RoleNames(), "") {
		for _, f := range groups[means] {
			s.list = append(s.list, shard{f, names[means]})
		}
	}
	s.gaps()
	return nil
}

// gaps notes the numbers that are missing between the shards of a name.
func (s *shards) gaps() {
	numbers := map[string][]int{}
	var names []string
	for _, sh := range s.list {
		name, n := stem(sh.file)
		name = path.Join(path.Dir(sh.file), name)
		if n < 0 {
			continue
		}
		if numbers[name] == nil {
			names = append(names, name)
		}
		numbers[name] = append(numbers[name], n)
	}
	for _, name := range names {
		all := numbers[name]
		slices.Sort(all)
		missing, first := 0, 0
		for i := 1; i < len(all); i++ {
			if d := all[i] - all[i-1] - 1; d > 0 {
				if missing == 0 {
					first = all[i-1] + 1
				}
				missing += d
			}
		}
		if missing > 0 {
			s.notes = append(s.notes, fmt.Sprintf("tar files of %s missing between numbers %d and %d: %d (%d the first)", source.Shown(name), all[0], all[len(all)-1], missing, first))
		}
	}
}

// byPattern returns the files of a pattern with braces, which must all exist.
func byPattern(p string) (*shards, error) {
	dir := filepath.Dir(p[:strings.Index(p, "{")] + "x")
	rest := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(p, dir), string(filepath.Separator)))
	files, err := expand(rest)
	if err != nil {
		return nil, &source.FileError{File: p, Msg: err.Error(), Hint: "want a pattern such as name-{000000..000146}.tar"}
	}
	s := &shards{root: dir}
	seen := map[string]bool{}
	for _, f := range files {
		if f = path.Clean(f); seen[f] {
			return nil, &source.FileError{File: p, Msg: fmt.Sprintf("names %s twice", source.Shown(f)), Hint: "want a pattern that names each tar file once"}
		}
		seen[f] = true
		if _, err := os.Stat(index.Join(dir, f)); err != nil {
			return nil, &source.FileError{File: index.Join(dir, f), Msg: fmt.Sprintf("is one of the %d files of the pattern, and cannot be opened", len(files)), Err: err}
		}
	}
	return s, s.bySplit(files)
}

// maxShards bounds what a pattern may name.
const maxShards = 100_000

var numberRange = regexp.MustCompile(`^(\d{1,9})\.\.(\d{1,9})$`)

// expand returns the names of a pattern as a shell does: {000..146} counts, padded as the
// first number is, and {train,val} lists.
func expand(pattern string) ([]string, error) {
	open := strings.Index(pattern, "{")
	if open < 0 {
		return []string{pattern}, nil
	}
	length := strings.Index(pattern[open:], "}")
	if length < 0 {
		return nil, errors.New("has { without }")
	}
	inner, head, tail := pattern[open+1:open+length], pattern[:open], pattern[open+length+1:]
	var values []string
	if m := numberRange.FindStringSubmatch(inner); m != nil {
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		if to < from {
			return nil, fmt.Errorf("counts down, from %s to %s", m[1], m[2])
		}
		if to-from >= maxShards {
			return nil, fmt.Errorf("names more than %d files", maxShards)
		}
		for n := from; n <= to; n++ {
			values = append(values, fmt.Sprintf("%0*d", len(m[1]), n))
		}
	} else if strings.Contains(inner, ",") {
		values = strings.Split(inner, ",")
	} else {
		return nil, fmt.Errorf("has {%s}, which is neither a range nor a list", inner)
	}
	tails, err := expand(tail)
	if err != nil {
		return nil, err
	}
	if len(values)*len(tails) > maxShards {
		return nil, fmt.Errorf("names more than %d files", maxShards)
	}
	var all []string
	for _, v := range values {
		for _, t := range tails {
			all = append(all, head+v+t)
		}
	}
	return all, nil
}
