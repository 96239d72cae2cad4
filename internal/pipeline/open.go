package pipeline

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"oneshot/data"
	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Process is what surrounds a run: the only way by which it sees the terminal, the
// clock, the environment and signals.
type Process struct {
	UI        *ui.UI // with the clock
	Program   rundir.Program
	Device    device.Files
	KeepGC    bool        // the user has set how often garbage is collected
	SaveAsked func() bool // whether a checkpoint was asked for since the last call
	// Held is called as soon as the folder is held, long before Open returns: images, device and memory are still to
	// come. It is not called for a folder that is only read. nil is nothing to do.
	Held func(rundir.Folder)
}

// Request says what is wanted of a run.
type Request struct {
	// Folder is the run folder; "" is a new one below runs/.
	Folder string
	// Config is what is wanted of the configuration, Preset the recipe when neither
	// it nor the folder has one.
	Config config.Request
	Preset string
	// Create allows an empty or missing folder, Resume one with a run in it.
	Create, Resume bool
	// Override allows that settings change on which results depend already. Those of the stages
	// that Redoes names are then computed anew, or go on with the new settings.
	Override bool
	Redoes   []string
	// Frees are the stages whose settings may change as long as they have not begun.
	Frees []string
	// Arch is the architecture to retrain, as text or "best"; "" is not known yet.
	Arch string
	// Retrains says that one architecture is asked for: that of Arch; where that is "", the one
	// of the file that retrain.init names, or else the best of the folder.
	Retrains bool
	// FitMAdds, above 0, has retrain.channels be the largest width with at most so many
	// multiply-adds.
	FitMAdds int64
	// Reads are the stages that must be complete, and computed from what is there now, for the request
	// to be answered from a folder that cannot be written to; without any it never is.
	Reads []string
	// Needs, unless it is nil, says what else must be in the folder or hold for the plan: its error
	// refuses the request.
	Needs func(p *plan.Plan, d rundir.Folder) error
	// Sizes are the stages whose memory is announced; they must fit into MemoryLimit
	// bytes, 0 for any.
	Sizes       []string
	MemoryLimit int64
}

// Run is a plan in a run folder that this process holds, with a device. Its methods
// are the stages.
type Run struct {
	*plan.Plan
	Folder rundir.Folder
	// Arch is the architecture that the request named; nil without one.
	Arch space.Arch
	// Searched says that this process has added to the search.
	Searched bool

	widest    space.Arch // of the architectures to retrain the one that needs most; nil as Arch
	process   Process
	dir       *rundir.Dir
	rt        *supernet.Runtime
	within    lanas.Space    // what a search draws from
	sizes     []string       // of the request
	fitted    []string       // what fit has to say
	limit     int64          // of memory, in bytes; where there is one a stage may take fewer images at a time
	unlimit   func()         // ends the limit of the heap
	described rundir.Dataset // the images
	override  bool           // of the request, as redoes
	readOnly  bool           // nothing can be written to the folder
	redoes    []string
	anew      []string // stages that are done anew

	toldResult bool // that result.json is made again

	start *ExportedFile // what a retraining starts from; nil where nothing, or no more
	seen  bool          // it was trained on search images of this run

	log   *slog.Logger  // the user interface's, before the run
	every time.Duration // likewise
}

// errNoFolder refuses to go on with a run that nothing names.
var errNoFolder = fault.Usage("name the folder of a run with --out", "no run in (no folder given)")

// Open resolves the configuration, takes the run folder, opens images and device, and
// writes the files that describe the run. Everything that can be wrong with the request
// is found here, before anything is computed; a folder created for nothing is removed
// again.
func Open(ctx context.Context, p Process, q Request) (*Run, error) {
	now := p.UI.Now()
	path := q.Folder
	stored := path != "" && q.Resume && rundir.Folder(path).Has("config.yaml")
	if !stored && !q.Create && !q.Retrains {
		if path == "" {
			return nil, errNoFolder
		}
		return nil, noRun(rundir.Folder(path))
	}
	o := opening{Process: p, Request: q, now: now, stored: stored, unlimit: func() {}}
	if !stored {
		var err error
		if o.config, err = q.Config.Resolve(nil, q.Preset); err != nil {
			return nil, err
		}
		if q.Retrains && (q.Arch == "best" || q.Arch == "" && !startsFromFile(o.config.Retrain)) {
			if hasStages(rundir.Folder(path)) {
				return nil, noRun(rundir.Folder(path))
			}
			return nil, fault.Usage("name the folder of a run with --out, or an architecture with --arch", "no run in %s", cmp.Or(path, "(no folder given)"))
		}
		if path == "" {
			path = rundir.DefaultPath(now, o.config.Preset)
		}
		if err := apart(path, o.config.Data); err != nil {
			return nil, err
		}
	}
	dir, err := rundir.Open(path, q.Resume, now)
	if err != nil {
		return nil, err
	}
	if o.readOnly = dir.Unwritable != nil; o.readOnly {
		if err := o.onlyReads(dir); err != nil {
			dir.Abandon()
			return nil, err
		}
	}
	if !o.readOnly && p.Held != nil {
		p.Held(dir.Folder)
	}
	if q.MemoryLimit > 0 { // reading images leaves garbage too
		o.unlimit = machine.LimitHeap(q.MemoryLimit - plan.ProgramBytes)
	}
	r, err := o.open(ctx, dir)
	if err != nil {
		o.unlimit()
		if o.made {
			err = errors.Join(err, atomicfile.RemoveTree(atomicfile.OS, dir.File("cache")))
		}
		dir.Abandon()
		return nil, err
	}
	return r, nil
}

// opening is a request on its way to a run.
type opening struct {
	Process
	Request
	now        time.Time
	stored     bool // the folder has a run
	config     config.Config
	old        *config.Config // the folder's, where stored
	overridden []string       // keys that changed on which results depend
	edited     bool           // somebody has changed config.yaml
	redone     []string       // stages that are done anew or go on with other settings
	anew       []string       // those of them that are done anew
	back       []string       // those of them whose results come back from what was replaced
	settled    []string       // what plan.Settle has to say
	made       bool           // the folder for lists of records is made by this call

	start, teacher *ExportedFile // what a retraining starts from and what it learns from, as far as needed
	startSeen      bool          // start was trained on search images of this run

	unlimit func() // ends the limit of the heap

	readOnly bool  // the folder cannot be written to
	peeks    bool  // nothing may be written
	lost     bool  // the folder holds stages, but config.yaml is gone
	unseen   error // why images could not be opened
}

// open makes the run in a folder that is held. What describes the run is written last,
// so where open fails it has left nothing, unless the disk is full.
func (o *opening) open(ctx context.Context, dir *rundir.Dir) (*Run, error) {
	if o.stored {
		if err := o.adopt(dir.Folder); err != nil {
			return nil, err
		}
	} else if err := o.derive(dir.Folder); err != nil {
		return nil, err
	}
	p, arch, err := o.plan(ctx, dir.Folder)
	if err != nil {
		return nil, err
	}
	if o.lost = !o.stored && hasStages(dir.Folder); o.lost {
		err = o.restore(dir.Folder)
	}
	var r *Run
	if err == nil {
		r, err = o.prepare(p, arch, dir)
	}
	if err != nil {
		p.Data.Close()
		return nil, err
	}
	return r, nil
}

// prepare makes the run of a plan.
func (o *opening) prepare(p *plan.Plan, arch space.Arch, dir *rundir.Dir) (*Run, error) {
	within, err := o.check(p, arch, dir.Folder)
	if err != nil {
		return nil, err
	}
	rt, err := device.Open(p.Config.Run, o.Device, o.UI)
	if err != nil {
		return nil, err
	}
	if err := o.arithmetic(p, rt, dir.Folder); err != nil {
		rt.Close()
		return nil, err
	}
	var fitted []string
	widest := neediest(p, dir.Folder, arch)
	if p.Teacher, err = o.teach(rt); err == nil { // which needs memory too
		fitted, err = fit(p, dir.Folder, o.Sizes, o.anew, widest, o.MemoryLimit)
	}
	if err == nil && !o.readOnly {
		err = holds(p, dir.Folder, o.Sizes, o.anew, widest, machine.TotalMemory())
	}
	if err != nil {
		rt.Close()
		return nil, err
	}
	list, err := o.ahead(p, dir.Folder)
	var needs []DiskNeed
	if err == nil {
		needs, err = o.space(p, dir.Folder, list, widest)
	}
	if err != nil {
		rt.Close()
		return nil, err
	}
	if o.stored && len(o.Redoes) > 0 {
		o.settled = append(o.settled, aheadLine(list))
	}
	r := &Run{
		Plan: p, Folder: dir.Folder, Arch: arch, widest: widest, process: o.Process, dir: dir, rt: rt, within: within,
		sizes: o.Sizes, fitted: append(o.settled, fitted...), limit: o.MemoryLimit, unlimit: o.unlimit, log: o.UI.Log, every: o.UI.Every,
		start: o.start, seen: o.startSeen, described: describeImages(p.Data), override: o.Override, redoes: o.Redoes, anew: o.anew,
		readOnly: o.readOnly,
	}
	if o.readOnly {
		err = o.nothingToWrite(dir)
	} else {
		err = o.enter(r, needs)
	}
	if err != nil {
		rt.Close()
		return nil, err
	}
	return r, nil
}

// plan opens the space, the architecture that the request names, if any, and the images.
func (o *opening) plan(ctx context.Context, d rundir.Folder) (*plan.Plan, space.Arch, error) {
	s, err := plan.OpenSpace(o.config)
	if err != nil {
		return nil, nil, err
	}
	var arch space.Arch
	if o.Retrains && o.Request.Arch == "" {
		o.Request.Arch = o.retrained(d)
	}
	if o.Request.Arch != "" {
		if arch, err = plan.WantedArch(o.Request.Arch, o.config.Net, s, d, o.Config); err != nil {
			return nil, nil, err
		}
	}
	images, err := o.images(ctx, d)
	var size *data.ConfigError
	if o.stored && errors.As(err, &size) && strings.HasSuffix(size.Field, "_size") && !o.Config.Gives("data."+size.Field) {
		return nil, nil, fault.New(fault.ExitInvalid, ownImages(d), "the images differ from those of the run: %w", err)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, line := range plan.Settle(&o.config, images) {
		o.settled = append(o.settled, "chosen   "+line)
	}
	if o.old != nil {
		plan.Fill(o.old, images) // an earlier version did not store what was left to the images
	}
	if err := o.sameImages(images, d); err != nil {
		images.Close()
		return nil, nil, err
	}
	if err = o.fitWidth(s, arch, images); err == nil {
		err = o.checkGiven(images)
	}
	if err == nil {
		err = o.refuse(d, o.settles)
	}
	if err != nil {
		images.Close()
		return nil, nil, err
	}
	return &plan.Plan{Config: o.config, Space: s, Data: images}, arch, nil
}

// Announce says what is about to happen.
func (r *Run) Announce() {
	u, d, c := r.process.UI, r.Data, r.Config
	u.Infof(begins+"%s  (seed %d, %s)", r.Folder, c.Seed, PresetOr(c.Preset))
	for _, line := range plan.DescribeData(d) {
		u.Infof("%s", line)
	}
	for _, note := range d.Notes {
		u.Warnf("data: %s", note)
	}
	for _, f := range d.Bad() {
		u.Warnf("left out: %v", f)
	}
	for _, line := range r.fitted {
		u.Infof("%s", line)
	}
	if slices.Contains(r.sizes, "train") {
		for _, line := range samplingLines(c) {
			u.Infof("%s", line)
		}
	}
	announceMemory(r.Plan, r.Folder, r.sizes, r.anew, r.widest, u)
	announceDevice(r.Plan, r.Folder, r.sizes, r.anew, r.widest, r.rt, u)
}

// Close frees the device and the folder; what is said is no longer kept there.
func (r *Run) Close() {
	r.process.UI.Log, r.process.UI.Every = r.log, r.every
	r.rt.Close()
	r.Data.Close()
	r.dir.Close()
	r.unlimit()
}
