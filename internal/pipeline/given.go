package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// startsFromFile says whether a retraining starts from an exported network.
func startsFromFile(c config.Retrain) bool { return c.Init != "" && c.Init != config.Inherited }

// files reads the exported files that a retraining starts from or learns from, and fills in
// their checksums. One that the folder needs no more is not looked at.
func (o *opening) files(d rundir.Folder) (err error) {
	r := &o.config.Retrain
	var old config.Retrain
	if o.old != nil {
		old = o.old.Retrain
	}
	if r.Init == config.Inherited {
		r.InitSHA256 = ""
	} else if o.start, err = o.read(d, "retrain.init", &r.Init, &r.InitSHA256, old.Init, old.InitSHA256, !allStarted(d, *r, o.config.Seed) || slices.Contains(o.redone, "retrain")); err != nil {
		return err
	}
	o.teacher, err = o.read(d, "retrain.teacher", &r.Teacher, &r.TeacherSHA256, old.Teacher, old.TeacherSHA256, !allTrained(d, *r) || slices.Contains(o.redone, "retrain"))
	return err
}

// read reads a file that a key names, by its path, and compares it with the checksum that is
// configured. oldPath and oldSum are those that the folder has stored. nil is no file, or one
// that is not needed. What lies at another path than the stored one is looked at in any case:
// nothing else tells whether it is the same file.
func (o *opening) read(d rundir.Folder, key string, path, sum *string, oldPath, oldSum string, needed bool) (*ExportedFile, error) {
	if *path == "" {
		*sum = ""
		return nil, nil
	}
	var err error
	if *path, err = filepath.Abs(*path); err != nil {
		return nil, err
	}
	stored := oldPath != "" && oldPath != config.Inherited
	if !o.Config.Says(key + "_sha256") {
		*sum = oldSum
		if stored && isFree(d, key, o.Frees) {
			*sum = "" // the one that is there now is meant
		}
	}
	if !needed && *path == oldPath {
		return nil, nil
	}
	if err := noFolder(*path); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	got, _, err := rundir.HashFile(*path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && stored && *path == oldPath:
		return nil, fault.New(fault.ExitInvalid, "put it back as it was, or say with --set "+key+"=FILE where it is now", "%s: %w", key, err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Usage("", "%s: %w", key, err)
	case err != nil:
		return nil, fault.WithCode(fmt.Errorf("%s: %w", key, err), fault.ExitInvalid, "")
	case *sum != "" && *sum != got && (*path == oldPath || !stored || o.Config.Says(key+"_sha256")):
		return nil, fault.New(fault.ExitInvalid, "put the file back as it was, or use another --out",
			"%s: %s is not the file that it was: sha256 %.12s, was %.12s", key, *path, got, *sum)
	}
	if *sum = got; !needed {
		return nil, nil
	}
	return ReadExport(*path)
}

// moved says whether a key names a file that only lies elsewhere now.
func moved(key string, old, now config.Retrain) bool {
	switch key {
	case "retrain.init":
		return startsFromFile(old) && startsFromFile(now) && old.InitSHA256 == now.InitSHA256
	case "retrain.teacher":
		return old.Teacher != "" && now.Teacher != "" && old.TeacherSHA256 == now.TeacherSHA256
	}
	return false
}

// allStarted says whether every training of the architecture has a checkpoint to go on from.
func allStarted(d rundir.Folder, c config.Retrain, seed uint64) bool {
	for _, rep := range everyRepeat(d, c, seed) {
		if _, any := lastCheckpoint(rep.folder.File("retrain")); !any {
			return false
		}
	}
	return true
}

// several says whether there are several trainings, each of which is tested.
func several(c config.Retrain) bool { return c.Seeds > 1 || compares(c) }

// allTrained says whether no training has a step left.
func allTrained(d rundir.Folder, c config.Retrain) bool {
	if !several(c) {
		return stageOf("retrain").passed(d)
	}
	done, of := topDone(d, c)
	return done == of
}

// allExported says whether the networks of several trainings are where the lists of them say.
func allExported(d rundir.Folder, c config.Retrain) bool {
	return !slices.ContainsFunc(homes(d, c), func(home rundir.Folder) bool {
		s, err := readSeeds(home)
		return err != nil || slices.ContainsFunc(s.Runs, func(r rundir.SeedRun) bool { return !d.Has(filepath.FromSlash(r.Weights)) })
	})
}

// checkGiven compares the files with the images of the run.
func (o *opening) checkGiven(d *data.Dataset) error {
	if f := o.teacher; f != nil {
		if err := sameClasses(f.Classes, d.Classes); err != nil {
			return fault.WithCode(fmt.Errorf("the teacher %s: %w", f.path, err), fault.ExitUsage, "a teacher must know the classes that the network learns, in their order")
		}
		if o.seen(f, d, "test") != nil {
			o.UI.Warnf("the teacher %s may have been trained on images that are test images here", f.path)
		}
		if o.knowsSearch(f, d) {
			o.UI.Warnf("the teacher %s was trained on search images of this run: the network's accuracy on them may be too high", f.path)
		}
	}
	f := o.start
	if f == nil {
		return nil
	}
	if err := o.seen(f, d, "test"); err != nil {
		return fault.WithCode(fmt.Errorf("%s: %w", f.path, err), fault.ExitUsage, "")
	}
	if o.startSeen = o.knowsSearch(f, d); o.startSeen {
		o.UI.Warnf("%s was trained on search images of this run: their accuracy will say nothing", f.path)
	}
	return nil
}

// knowsSearch says whether a file's network was, or may have been, trained on search images of this run.
func (o *opening) knowsSearch(f *ExportedFile, d *data.Dataset) bool {
	return d.SHA256 == f.DataSHA256 && (f.AllImages || o.seen(f, d, "search") != nil)
}

// seen is an error where a file's network may have been trained on images that are in a split
// of this run, although the data set is the same.
func (o *opening) seen(f *ExportedFile, d *data.Dataset, split string) error {
	if d.SHA256 != f.DataSHA256 {
		return nil
	}
	return heldOut(f.About, o.config, d, split)
}

// teach makes the teacher's network, at its own resolution.
func (o *opening) teach(rt *supernet.Runtime) (*supernet.Teacher, error) {
	if o.teacher == nil {
		return nil, nil
	}
	x, err := o.teacher.Network("", 0, rt)
	if err != nil {
		return nil, err
	}
	return &supernet.Teacher{Net: x.Net, Name: o.teacher.path, Mean: o.teacher.Mean, Std: o.teacher.Std}, nil
}

// loadStart gives the first network of a training the values that it starts from, and records
// in the folder what it was. Checkpoints have them from then on.
func (r *Run) loadStart(ctx context.Context, n *supernet.Net, arch space.Arch, of repeat) error {
	c := r.Config.Retrain
	if _, any := lastCheckpoint(of.folder.File("retrain")); any {
		return r.restoreStart(of.folder)
	}
	if c.Init == "" { // whatever another request has begun with
		err := atomicfile.OS.Remove(of.folder.File("retrain", "init.json"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	var from rundir.Start
	var err error
	if c.Init == config.Inherited {
		from, err = r.loadSupernet(ctx, n, arch)
	} else {
		from, err = r.loadFile(n, arch)
	}
	if err != nil {
		return err
	}
	if from.Drawn == nil {
		from.Drawn = []string{}
	}
	r.process.UI.Infof("start    %s", from)
	if err := of.folder.WriteJSON(from, "retrain", "init.json"); err != nil {
		return err
	}
	rec, err := of.folder.ReadRecord(stageOf("retrain").Record)
	if err != nil {
		return err
	}
	if rec != nil {
		rec.Start = &from
		if err := of.folder.KeepRecord(stageOf("retrain").Record, *rec); err != nil {
			return err
		}
	}
	m, err := r.Folder.ReadManifest()
	if err != nil {
		return err
	}
	m.Start = &from
	return r.Folder.WriteManifest(m)
}

// restoreStart writes again what a training has started from where that is gone, from the record of the training or,
// where that is of an earlier version, from the manifest.
func (r *Run) restoreStart(d rundir.Folder) error {
	c := r.Config.Retrain
	if c.Init == "" || d.Has("retrain", "init.json") {
		return nil
	}
	if rec, err := d.ReadRecord(stageOf("retrain").Record); err != nil {
		return err
	} else if rec != nil && rec.Start != nil {
		r.process.UI.Warnf("%s was gone: it is written again from %s", d.File("retrain", "init.json"), stageOf("retrain").Record)
		return d.WriteJSON(*rec.Start, "retrain", "init.json")
	}
	m, err := r.Folder.ReadManifest()
	if err != nil || m.Start == nil || m.Start.SHA256 != c.InitSHA256 || (m.Start.From == rundir.FromSupernet) != (c.Init == config.Inherited) {
		return err // startOf says what is missing
	}
	r.process.UI.Warnf("%s was gone: it is written again from manifest.json", d.File("retrain", "init.json"))
	return d.WriteJSON(*m.Start, "retrain", "init.json")
}

// loadSupernet starts from the supernet of the folder.
func (r *Run) loadSupernet(ctx context.Context, n *supernet.Net, arch space.Arch) (rundir.Start, error) {
	super, err := r.Train(ctx)
	if err != nil {
		return rundir.Start{}, err
	}
	drawn, err := n.Inherit(super.Tensors())
	if err != nil {
		return rundir.Start{}, fault.WithCode(fmt.Errorf("the supernet of %s: %w", r.Folder, err), fault.ExitInvalid, "")
	}
	return rundir.Start{From: rundir.FromSupernet, Drawn: drawn}, nil
}

// loadFile starts from an exported network. Its head stays where the classes are the same.
func (r *Run) loadFile(n *supernet.Net, arch space.Arch) (rundir.Start, error) {
	f := r.start
	tensors := slices.Clone(f.tensors)
	if !slices.Equal(f.Classes, r.Data.Classes) {
		head, err := r.head(arch)
		if err != nil {
			return rundir.Start{}, err
		}
		tensors = slices.DeleteFunc(tensors, func(t weights.Tensor) bool { return strings.HasPrefix(t.Name, head+".") })
	}
	drawn, err := n.Inherit(tensors)
	if err != nil {
		return rundir.Start{}, fault.New(fault.ExitUsage, "leave out --arch to take that of the file", "%s: %w", f.path, err)
	}
	return rundir.Start{From: filepath.Base(f.path), SHA256: r.Config.Retrain.InitSHA256, Image: f.Image, Classes: len(f.Classes),
		Drawn: drawn, SeenSearch: r.seen}, nil
}

// head is the name of the layer whose outputs are the classes.
func (r *Run) head(arch space.Arch) (string, error) {
	c := r.Final(false)
	n, err := c.Space.Describe(c.Size, arch)
	if err != nil {
		return "", err
	}
	return n.Layers[n.Logits].Name, nil
}

// knowsSearch says whether the retrained network of a folder was trained on search images:
// here, or before it came here.
func (r *Run) knowsSearch(d rundir.Folder) (bool, error) {
	s, err := describeTraining(d, r.Config.Retrain)
	return s.TrainedOnSearch, err
}

// startOf is what the training in a folder started from; nil where that was random values, or where
// it has not started.
func startOf(d rundir.Folder, c config.Retrain) (*rundir.Start, error) {
	rec, err := d.ReadRecord(stageOf("retrain").Record)
	if err != nil {
		return nil, err
	}
	_, any := lastCheckpoint(d.File("retrain"))
	if !d.Has("retrain", "init.json") {
		if any && c.Init != "" && rec != nil && rec.Start != nil {
			return rec.Start, nil // restoreStart writes the file again
		}
		if any && c.Init != "" {
			return nil, fault.New(fault.ExitInvalid, d.Remedy("retrain", "init.json"), "%s is gone, so nothing says what the network started from", d.File("retrain", "init.json"))
		}
		return nil, nil
	}
	var s rundir.Start
	if err := d.ReadJSON(&s, "retrain", "init.json"); err != nil {
		return nil, err
	}
	if any && rec != nil && rec.Start != nil && !d.HoldsJSON(*rec.Start, "retrain", "init.json") {
		return nil, fault.New(fault.ExitInvalid, d.Remedy("retrain", "init.json"), "%s: not what the network started from, by %s", d.File("retrain", "init.json"), stageOf("retrain").Record)
	}
	return &s, nil
}
