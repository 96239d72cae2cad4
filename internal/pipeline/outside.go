package pipeline

import (
	"path/filepath"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// OutsideRuns refuses a folder to write to that is in a run folder, or is one, also by a link.
func OutsideRuns(flag, folder string) error {
	at, err := atomicfile.RealPath(filepath.Clean(folder)) // as paths of files in it are
	if err != nil {
		return unwritable(err, elsewhere)
	}
	for ; ; at = filepath.Dir(at) {
		if rundir.Folder(at).IsRun() {
			return fault.Usage("choose a folder elsewhere", "%s %s is in the run folder %s, whose files are the run's", flag, folder, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
