package pipeline

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// What a line of the files that grow has, by measurement, and the summaries of a search.
const (
	metricBytes  = 200
	sampleBytes  = 1000
	summaryBytes = 200_000
)

// DiskNeed is what a request will take of the disk beside what is there.
type DiskNeed struct {
	Stage string
	Bytes int64
	Kept  int64 // of it, what is copied until something new is complete
}

// space is what the stages ahead will take of a run folder, at most at a time. arch nil is the
// architecture that needs most.
func (o *opening) space(p *plan.Plan, d rundir.Folder, list []Ahead, arch space.Arch) (out []DiskNeed, err error) {
	for _, a := range list {
		s := stageOf(a.Stage)
		peak, err := stageBytes(p, d, a.Stage, arch)
		if err != nil {
			return nil, err
		}
		if peak == 0 {
			continue
		}
		need := DiskNeed{Stage: a.Stage}
		var rec *rundir.Record
		if o.stored {
			if rec, err = d.ReadRecord(s.Record); err != nil {
				return nil, err
			}
		}
		switch {
		case !o.stored || a.How == "anew": // what there is stays until it is complete
		case s.trains() && rec != nil && len(rec.Outputs) > 0 && !s.cutBack(d, *rec) && slices.Contains(o.redone, s.Name): // likewise, as a copy
			need.Kept = folderBytes(d.File(s.Begun))
			peak -= need.Kept
		default:
			for _, out := range s.Outputs {
				peak -= folderBytes(d.File(out))
			}
		}
		need.Bytes = max(0, peak) + need.Kept
		out = append(out, need)
	}
	return out, nil
}

// stageBytes is what the files of a stage take at most, with the checkpoint that is written before an older
// one is removed.
func stageBytes(p *plan.Plan, d rundir.Folder, stage string, arch space.Arch) (int64, error) {
	if stage == "search" {
		return int64(p.Config.Search.Samples)*sampleBytes*int64(1+len(strings.FieldsFunc(p.Config.Search.Baselines, func(r rune) bool { return r == ',' }))) + summaryBytes, nil
	}
	if stage != "train" && stage != "retrain" {
		return 0, nil // export is counted with what it is made of
	}
	c := p.Training(stage)
	steps := int64(c.Steps) * metricBytes
	if stage == "train" {
		checkpoint, _, err := supernet.FileBytes(p.Supernet(), nil, c)
		return checkpoint*int64(p.Config.Run.CheckpointKeep+1) + steps, err
	}
	if arch == nil {
		var err error
		if arch, err = supernet.Widest(p.Final(true)); err != nil {
			return 0, err
		}
	}
	checkpoint, export, err := supernet.FileBytes(p.Final(true), arch, c)
	times := int64(trainings(d, p.Config))
	return times*(checkpoint*int64(p.Config.Run.CheckpointKeep)+export+steps) + checkpoint, err
}

// folderBytes is the size of all files below a folder; 0 where there is none.
func folderBytes(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// spaceLine says what of the disk is needed, beside what is free where the run folder is; "" is nothing.
func spaceLine(needs []DiskNeed, free int64) string {
	var all, kept int64
	var parts []string
	for _, s := range needs {
		all, kept = all+s.Bytes, kept+s.Kept
		parts = append(parts, fmt.Sprintf("%s %d", s.Stage, megabytes(s.Bytes)))
	}
	if all == 0 {
		return ""
	}
	line := fmt.Sprintf("disk     needs about %d MB (%s)", megabytes(all), strings.Join(parts, ", "))
	if kept > 0 {
		line += fmt.Sprintf(", %d of them for a copy of what is replaced", megabytes(kept))
	}
	if free > 0 {
		line += fmt.Sprintf("; %d MB are free", free/1_000_000)
	}
	return line
}

// short is a warning where the disk has less than is needed; "" where it has enough, or nothing is known.
func short(needs []DiskNeed, d rundir.Folder, free int64) string {
	var all int64
	for _, s := range needs {
		all += s.Bytes
	}
	if free == 0 || all <= free {
		return ""
	}
	return fmt.Sprintf("the run needs about %d MB of the disk of %s, and %d MB are free: it would stop with exit code 6 and go on with --resume when there is more", megabytes(all), cmp.Or(string(d), "runs"), free/1_000_000)
}

// freeDisk is what is free where a run folder is or will be.
func freeDisk(d rundir.Folder) int64 { return machine.FreeDisk(string(d)) }
