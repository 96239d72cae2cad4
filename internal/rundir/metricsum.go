package rundir

import (
	"crypto/sha256"
	"hash"

	"oneshot/internal/atomicfile"
)

// MetricsSum is the running SHA-256 of the lines that a stage has in metrics.jsonl, with their ends.
func (d Folder) MetricsSum(stage string) (hash.Hash, error) {
	sum := sha256.New()
	_, _, err := d.readMetrics(func(l Metric, line []byte) {
		if l.Stage == stage {
			sum.Write(line)
			sum.Write([]byte("\n"))
		}
	})
	return sum, err
}

// DropMetrics takes the lines of a stage, of which one is not what was written, out of metrics.jsonl. The
// file as it was is kept under another name.
func (d Folder) DropMetrics(stage string, warn func(format string, args ...any)) error {
	path := d.File("metrics.jsonl")
	lines, err := atomicfile.ReadAtMost(path, maxJSONL)
	if err != nil {
		return err
	}
	kept, err := d.keepMetrics()
	if err == nil && !d.Has("metrics.jsonl") { // it has only the other name
		err = atomicfile.WriteFile(path, lines, 0o644)
	}
	if err != nil {
		return err
	}
	warn("%s: a line of stage %s is not the one that the run wrote: the stage's lines are left out; the file is kept as %s", path, stage, kept)
	return d.rewriteMetrics(warn, func(l Metric) bool { return l.Stage != stage }, nil)
}
