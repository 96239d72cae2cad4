package machine

import (
	"os"
	"path/filepath"
	"syscall"
)

// FreeDisk is how many bytes can still be written at a path, or where it would be made; 0 where that
// is unknown. What a quota leaves is not known.
func FreeDisk(path string) int64 {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0
	}
	for {
		if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path {
			break
		}
		path = filepath.Dir(path)
	}
	var s syscall.Statfs_t
	if syscall.Statfs(path, &s) != nil {
		return 0
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
