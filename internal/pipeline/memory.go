package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// megabytes rounds up, as what is too little is no help.
func megabytes(n int64) int64 { return (n + 999_999) / 1_000_000 }

// sure is what is certainly enough where need is the estimate. A limit is a promise, and the peaks
// that TestEstimates measures exceed what is outside the collector's reach by that much at most.
func sure(need int64) int64 { return need + need*5/100 }

// behind says whether a folder has come past a stage: the trainings that a retraining repeats are part of it.
func behind(p *plan.Plan, stage string, d rundir.Folder) bool {
	return stageOf(stage).passed(d) && (stage != "retrain" || allTrained(d, p.Config.Retrain))
}

// fit chooses for each of the stages that trains the largest micro-batch that keeps
// it within limit bytes, where the whole batch does not, and returns a line about
// each choice. 0 is no limit. What the folder has of stages that are done anew does not count.
// Where some stages cannot be kept to it, the error is that of the one that needs most: its need
// is the smallest limit that serves all.
func fit(p *plan.Plan, d rundir.Folder, stages, anew []string, arch space.Arch, limit int64) (chosen []string, err error) {
	if limit == 0 {
		return nil, nil
	}
	var least int64
	var refused error
	for _, name := range stages {
		fresh := slices.Contains(anew, name)
		if behind(p, name, d) && !fresh {
			continue
		}
		whole, err := p.Need(name, arch)
		if err != nil {
			return nil, err
		}
		whole = sure(whole)
		from := p.Settings(name).AtOnce()
		need, tooMuch, err := shrink(p, name, stageOf(name).begun(d) && !fresh, arch, whole, limit)
		if err != nil {
			return nil, err
		}
		if tooMuch != nil && need > least {
			least, refused = need, tooMuch
		}
		if name != "search" && need < whole {
			chosen = append(chosen, fmt.Sprintf("memory   %s.micro_batch = %d keeps to the limit of %d MB; %d images at a time need about %d MB",
				name, p.Settings(name).MicroBatch, megabytes(limit), from, megabytes(whole)))
		}
	}
	return chosen, refused
}

// shrink brings a stage that needs whole bytes to the largest micro-batch within limit. It
// returns what the stage needs then, and where that is too much, why.
func shrink(p *plan.Plan, name string, begun bool, arch space.Arch, whole, limit int64) (need int64, tooMuch, err error) {
	if whole <= limit {
		return whole, nil, nil
	}
	if name == "search" {
		return whole, fault.New(fault.ExitSpace, "raise --memory-limit, or lower "+scoringBatch(p),
			"scoring subnetworks needs about %d MB, the limit is %d MB", megabytes(whole), megabytes(limit)), nil
	}
	s := p.Settings(name)
	if begun {
		return whole, fault.New(fault.ExitSpace, "raise --memory-limit, or train anew in another folder with --out",
			"stage %s has begun with %d images at a time and needs about %d MB, the limit is %d MB", name, s.AtOnce(), megabytes(whole), megabytes(limit)), nil
	}
	need = whole
	for m := s.AtOnce() - 1; m >= 2 && need > limit; m-- {
		if s.Batch%m != 0 {
			continue
		}
		s.MicroBatch = m
		if need, err = p.Need(name, arch); err != nil {
			return 0, nil, err
		}
		need = sure(need)
	}
	if need > limit {
		tooMuch = fault.New(fault.ExitSpace, "raise --memory-limit, or choose a smaller network, fewer --workers or a batch with small divisors",
			"stage %s needs about %d MB even with %d images at a time, the limit is %d MB", name, megabytes(need), s.AtOnce(), megabytes(limit))
	}
	return need, tooMuch, nil
}

// scoringBatch is the setting that decides how much memory scoring takes.
func scoringBatch(p *plan.Plan) string {
	if p.Config.Score.Statistics == "batch" {
		return "score.batch"
	}
	return "score.recal_batch"
}

// holds refuses a stage for which the whole machine has not memory enough, even with the fewest images at a time: a space of
// one's own may have networks of any size, and what asks for too much ends without a word, perhaps together with others.
func holds(p *plan.Plan, d rundir.Folder, stages, anew []string, arch space.Arch, total int64) error {
	least := *p // of which the micro-batches are others
	for _, name := range stages {
		fresh := slices.Contains(anew, name)
		if total == 0 || behind(p, name, d) && !fresh {
			continue
		}
		few := ""
		if name != "search" && (fresh || !stageOf(name).begun(d)) {
			s := least.Settings(name)
			for m := s.AtOnce() - 1; m >= 2; m-- {
				if s.Batch%m == 0 {
					s.MicroBatch = m
				}
			}
			few = fmt.Sprintf(" even with %d images at a time", s.AtOnce())
		}
		need, err := least.Need(name, arch)
		if err == nil && need > total { // of an error the stage says itself what is wrong
			return fault.New(fault.ExitSpace, "choose smaller networks: fewer or narrower layers, or smaller images",
				"stage %s needs about %d MB%s, and this machine has %d MB", name, megabytes(need), few, total/1_000_000)
		}
	}
	return nil
}

// announceMemory says what the stages that are not passed need, and warns where the
// machine has less.
func announceMemory(p *plan.Plan, d rundir.Folder, stages, anew []string, arch space.Arch, u *ui.UI) {
	var most int64
	var parts []string
	for _, name := range stages {
		need, err := p.Need(name, arch)
		if err != nil || !slices.Contains(anew, name) && behind(p, name, d) {
			continue // the stage itself says what is wrong
		}
		most = max(most, need)
		parts = append(parts, fmt.Sprintf("%s %d", name, megabytes(need)))
		about := []any{"stage", name, "needs_bytes", need}
		if name != "search" && name != rankFolder {
			about = append(about, "micro_batch", p.Settings(name).AtOnce())
		}
		u.Log.Info("memory", about...)
	}
	if len(parts) == 0 {
		return
	}
	detail := ""
	if len(parts) > 1 {
		detail = " (" + strings.Join(parts, ", ") + ")"
	}
	u.Infof("memory   needs about %d MB%s", megabytes(most), detail)
	if free := machine.AvailableMemory(); free > 0 && most > free {
		less := fmt.Sprintf("--memory-limit %dMB trains with fewer images at a time", free/1_000_000)
		if !slices.ContainsFunc(stages, func(name string) bool { return name != "search" && name != rankFolder }) {
			less = "a smaller " + scoringBatch(p) + " needs less"
		}
		u.Warnf("needs about %d MB of memory, but only %d MB are available; %s", megabytes(most), free/1_000_000, less)
	}
}

// announceDevice says likewise what they need of a GPU. What a stage leaves on it counts
// for the stages that follow in this process.
func announceDevice(p *plan.Plan, d rundir.Folder, stages, anew []string, arch space.Arch, rt *supernet.Runtime, u *ui.UI) {
	if rt.Device() == "cpu" {
		return
	}
	var due []string // in the order in which they run
	for _, s := range Stages {
		if slices.Contains(stages, s.Name) && (!behind(p, s.Name, d) || slices.Contains(anew, s.Name)) {
			due = append(due, s.Name)
		}
	}
	free, err := rt.FreeMemory()
	if err != nil {
		return // the first step has the same to say
	}
	var most plan.StageNeed
	parts := make([]string, len(stages))
	for _, n := range p.DeviceNeeds(rt, due, arch) {
		if n.Err != nil {
			continue // likewise the stage
		}
		if n.Bytes > most.Bytes {
			most = n
		}
		parts[slices.Index(stages, n.Stage)] = fmt.Sprintf("%s %d", n.Stage, megabytes(n.Bytes))
		u.Log.Info("device memory", "stage", n.Stage, "needs_bytes", n.Bytes, "free_bytes", free)
	}
	if most.Stage == "" {
		return
	}
	detail := ""
	if parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" }); len(parts) > 1 {
		detail = " (" + strings.Join(parts, ", ") + ")"
	}
	u.Infof("memory   needs about %d MB of the GPU's %d MB free%s", megabytes(most.Bytes), free/1_000_000, detail)
	if most.Bytes > free {
		u.Warnf("%s needs about %d MB of the GPU's memory, but only %d MB are free; %s",
			most.Stage, megabytes(most.Bytes), free/1_000_000, plan.LessDevice(most.Stage, p.Config.Run))
	}
}
