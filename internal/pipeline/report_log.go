package pipeline

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/machine"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

// notePeak logs the most memory that this process had, at the end of a stage. The log is the file that may differ
// between two runs of the same.
func (r *Run) notePeak(stage string) {
	r.process.UI.Log.Info("memory", "stage", stage, "peak_bytes", machine.PeakResident(), "threads", r.rt.Threads())
}

// runLog is what log.jsonl says of times and memory.
type runLog struct {
	stages  []string // in their order
	of      map[string]*report.Spent
	threads int // of the last process; 0 where it is not known
	// processes is how many have begun, and in the one in which a stage was last worked on; tests is how often the test images
	// were classified.
	processes int
	in        map[string]int
	tests     int
}

// begins is what the first line of each process begins with.
const begins = "run      "

// longestLog caps a line of the log.
const longestLog = 1 << 20

// readLog reads log.jsonl, which is for people: a line that cannot be read says nothing.
func readLog(d rundir.Folder) (runLog, error) {
	l := runLog{of: map[string]*report.Spent{}, in: map[string]int{}}
	f, _, err := atomicfile.OpenRegular(d.File("log.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, longestLog)
	for {
		b, err := lines.ReadSlice('\n')
		if line, ok := rundir.ParseLogLine(b); err == nil && ok {
			l.add(line)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return l, nil
		case err != nil:
			return l, err
		}
	}
}

// Tests is how often networks of a run folder were tested, whatever came of it: all tests are of the same images. It
// is 0 where the log does not say.
func Tests(d rundir.Folder) int {
	l, err := readLog(d)
	if err != nil {
		return 0
	}
	return l.tests
}

// add takes in a line.
func (l *runLog) add(line rundir.LogLine) {
	if strings.HasPrefix(line.Msg, begins) {
		l.processes++
	}
	if line.Stage == "" || line.Msg != "stage" && line.Msg != "memory" {
		return
	}
	s := l.of[line.Stage]
	if s == nil {
		s = &report.Spent{Stage: line.Stage}
		l.of[line.Stage] = s
	}
	switch line.Msg {
	case "stage":
		if !slices.Contains(l.stages, line.Stage) {
			l.stages = append(l.stages, line.Stage)
		}
		s.Seconds += max(0, line.Seconds)
		s.Images += max(0, line.Seconds*line.ImagesPerS)
		if last, worked := l.in[line.Stage]; !worked || last < l.processes {
			s.Times++
		}
		l.in[line.Stage] = l.processes
		if line.Stage == "test" {
			l.tests++
		}
	case "memory":
		s.Announced, s.Peak = max(s.Announced, line.NeedsBytes), max(s.Peak, line.PeakBytes)
		if line.Threads > 0 {
			l.threads = line.Threads
		}
	}
}

// spent are the stages that took time.
func (l runLog) spent() (out []report.Spent) {
	for _, name := range l.stages {
		out = append(out, *l.of[name])
	}
	return out
}
