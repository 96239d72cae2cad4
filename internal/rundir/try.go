package rundir

import (
	"os"
	"path/filepath"
	"time"
)

// TryDisk probes the folder runs go to, or the nearest folder above it that
// exists, in a folder of its own that is removed again.
func TryDisk(path string, now time.Time) error {
	for {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			break
		}
		if up := filepath.Dir(path); up != path {
			path = up
			continue
		}
		break
	}
	dir, err := os.MkdirTemp(path, ".oneshot-doctor-")
	if err != nil {
		return unusable(path, err)
	}
	defer os.RemoveAll(dir)
	d, err := Open(dir, false, now)
	if err != nil {
		return err
	}
	d.Close()
	return nil
}
