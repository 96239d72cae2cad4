package rundir

import (
	"errors"
	"io/fs"
	"os"

	"oneshot/internal/atomicfile"
)

// StopFile is how another process, such as the page of `oneshot serve`, asks the run in a folder to stop: a file
// that the run looks for, and takes away before it obeys. A process number would be safe neither where it
// was given to another process since, nor where the run is on another machine. The file is there only between
// asking and obeying; a run that begins takes away one that nobody obeyed. Nothing is computed from it.
const StopFile = "stop.request"

// AskStop asks the run in the folder to stop as Ctrl-C does. It is the only change of a folder that a process makes
// without holding it.
func (d Folder) AskStop() error {
	return atomicfile.WriteFile(d.File(StopFile), []byte("stop\n"), 0o644)
}

// StopAsked says whether somebody asks, and nobody has obeyed yet.
func (d Folder) StopAsked() bool {
	_, err := os.Lstat(d.File(StopFile))
	return err == nil
}

// TakeStop takes a request away, and says whether there was one.
func (d Folder) TakeStop() (bool, error) {
	if !d.StopAsked() {
		return false, nil
	}
	err := atomicfile.OS.Remove(d.File(StopFile))
	if errors.Is(err, fs.ErrNotExist) { // whoever asked has given up
		return false, nil
	}
	return err == nil, err
}
