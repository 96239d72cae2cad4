package index

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Stamp is by what a folder or file is known to be unchanged.
type Stamp struct {
	Path string // slash-separated, from the root, or absolute
	Dir  bool
	Size int64 // of a file; 0 for a folder
	Time int64 // of its last modification, nanoseconds since 1970
}

// StampOf stamps the file or folder at Join(root, path), following links.
func StampOf(root, path string) (Stamp, error) {
	fi, err := os.Stat(Join(root, path))
	if err != nil {
		return Stamp{}, err
	}
	return stampOf(path, fi), nil
}

func stampOf(path string, fi fs.FileInfo) Stamp {
	s := Stamp{Path: path, Dir: fi.IsDir(), Time: fi.ModTime().UnixNano()}
	if !s.Dir {
		s.Size = fi.Size()
	}
	return s
}

// Absent is the stamp of a file that is not there, and whose coming would matter.
func Absent(path string) Stamp { return Stamp{Path: path, Size: -1} }

// hold says that all stamps are as they were.
func hold(root string, stamps []Stamp) bool {
	return !slices.ContainsFunc(stamps, func(s Stamp) bool {
		now, err := StampOf(root, s.Path)
		if errors.Is(err, fs.ErrNotExist) {
			now, err = Absent(s.Path), nil
		}
		return err != nil || now != s
	})
}

// granule is the coarsest step of modification times, that of FAT. What was changed
// within a granule before it was stamped can change again without another stamp.
const granule = 2 * time.Second

// settled says that no stamp is as young as a granule at the time now.
func settled(stamps []Stamp, now int64) bool {
	return !slices.ContainsFunc(stamps, func(s Stamp) bool { return s.Time > now-int64(granule) })
}

// fileClock is the time that dir's file system would stamp a file with.
func fileClock(dir string) (int64, error) {
	f, err := os.CreateTemp(dir, ".clock-*")
	if err != nil {
		return 0, err
	}
	fi, err := f.Stat()
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return 0, err
	}
	return fi.ModTime().UnixNano(), nil
}
