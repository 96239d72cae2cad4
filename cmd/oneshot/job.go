package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"oneshot/data"
	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// job is one run in progress: what its stages share.
type job struct {
	cfg   config.Config
	dir   *runDir
	ui    *ui
	sig   *signals
	space space.Space
	data  *data.Dataset
	rt    *supernet.Runtime

	within     lanas.Space                                       // what a search draws from
	overridden bool                                              // --override changed what results depend on
	costOf     func(space.Arch) (params, madds int64, err error) // see costs
	arch       space.Arch                                        // to retrain, if that is known from the start
	limited    bool                                              // arch must keep the limits of the search: it was found by it
	trains     []string                                          // stages that the verb trains
	scores     bool                                              // the verb searches between them
	fitted     []string                                          // what fit has to say
	shrinks    bool                                              // a stage may take fewer images at a time where memory is short
	searched   bool                                              // this process has added to the search
}

// jobOptions says how a verb opens its run folder.
type jobOptions struct {
	// preset is the recipe when neither the command line nor the folder has one.
	preset string
	// create allows an empty or missing folder.
	create bool
	// cont allows a folder with a run in it even without --resume: verbs that
	// add a stage to a run.
	cont bool
	// free reports whether a configuration key may change, because no stage
	// that depends on it has started. nil: none may.
	free func(d *runDir, key string) bool
	// check looks at the rest of the request once the space is known. nil: nothing.
	check func(j *job) error
	// scores says that the verb searches between the trainings.
	scores bool
	// trains are the stages that the verb trains, and limit is the most memory
	// for them, in bytes; 0 is any.
	trains []string
	limit  config.Bytes
}

// openJob resolves the configuration, takes the run folder and opens the data.
// Everything that can be wrong with the request is found here, before anything
// is computed; a folder created for nothing is removed again.
func (a *app) openJob(ctx context.Context, o jobOptions) (*job, error) {
	now := time.Now()
	path := a.opt.out
	reuse := a.opt.resume || o.cont
	stored := path != "" && reuse && exists(path, "config.yaml")
	if !stored && !o.create {
		return nil, fault.Usage("name the folder of a run with --out", "no run in %s", cmp.Or(path, "(no folder given)"))
	}
	j := &job{ui: a.ui, sig: a.sig}
	var err error
	if !stored {
		if j.cfg, err = a.opt.resolve(o.preset); err != nil {
			return nil, err
		}
		if path == "" {
			path = defaultRunDir(now, j.cfg.Preset)
		}
	}
	if j.dir, err = openRunDir(path, reuse, now); err != nil {
		return nil, err
	}
	if stored {
		err = j.adopt(a.opt, o)
	} else if j.dir.has("supernet") || j.dir.has("search") || j.dir.has("retrain") {
		err = fault.New(fault.ExitInvalid, "put config.yaml back, or choose another folder with --out",
			"%s holds stages of a run but no config.yaml to continue them with", path)
	}
	if err != nil {
		j.dir.abandon()
		return nil, err
	}
	if err := j.start(ctx, o, now, stored); err != nil {
		j.dir.abandon()
		return nil, err
	}
	return j, nil
}

// adopt takes over the stored configuration of a folder and refuses to change
// what results may depend on already.
func (j *job) adopt(opt *options, o jobOptions) error {
	path := j.dir.file("config.yaml")
	old, err := config.Load(path, config.FromPreset)
	if err == nil {
		err = old.Check()
	}
	if err != nil {
		return fault.Wrap(fault.ExitInvalid, err, "the stored configuration was damaged or comes from another version; start a new run")
	}
	// Keys that are missing would silently take the preset's values.
	if sum, _, err := hashFile(path); err != nil {
		return err
	} else if m, err := j.dir.readManifest(); err == nil && m.ConfigSHA256 != "" && m.ConfigSHA256 != sum && !opt.override {
		return fault.New(fault.ExitInvalid, "put back what the run wrote, or accept the file with --override",
			"%s was changed since the run wrote it (sha256 %.12s, was %.12s)", path, sum, m.ConfigSHA256)
	}
	if j.cfg, err = opt.request().Resolve(&old, o.preset); err != nil {
		return err
	}
	var refused []config.Change
	for _, d := range config.Drift(old, j.cfg) {
		if o.free == nil || !o.free(j.dir, d.Key) {
			refused = append(refused, d)
		}
	}
	if len(refused) == 0 || opt.override {
		j.overridden = len(refused) > 0
		for _, d := range refused {
			j.ui.warnf("changed in mid-run (--override): %v", d)
		}
		return nil
	}
	msg := "the configuration differs from that of " + j.dir.path + ":"
	for _, d := range refused {
		msg += "\n  " + d.String()
	}
	return fault.Usage("repeat the stored values, use another --out, or force it with --override", "%s", msg)
}

// start opens the data and the device and writes the files that describe the run.
func (j *job) start(ctx context.Context, o jobOptions, now time.Time, stored bool) error {
	var err error
	if j.space, err = space.New(j.cfg.Net.Ops, j.cfg.Net.Nodes); err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	if o.check != nil {
		if err := o.check(j); err != nil {
			return err
		}
	}
	if j.data, err = openData(j.cfg); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := j.checkStages(); err != nil {
		return err
	}
	if err := j.checkBegun(); err != nil {
		return err
	}
	j.trains, j.scores = o.trains, o.scores
	j.shrinks = o.limit > 0
	if err := j.fit(int64(o.limit)); err != nil {
		return err
	}
	if j.rt, err = j.ui.newRuntime(j.cfg.Run); err != nil {
		return err
	}
	if err := j.describe(now, stored); err != nil {
		return err
	}
	if err := j.dir.openLog(j.ui); err != nil {
		return err
	}
	j.ui.every = time.Duration(j.cfg.Run.LogSeconds) * time.Second
	return nil
}

// checkBegun refuses an --override by which a stage that has begun could not go on:
// before anything is written, so that the folder stays as it is.
func (j *job) checkBegun() error {
	if !j.overridden {
		return nil
	}
	for stage, c := range map[string]supernet.TrainConfig{
		"train":   j.sgdConfig(j.cfg.Train.SGD, j.data.Train.Len()),
		"retrain": j.retrainConfig(j.retrainImages().Len()),
	} {
		from, err := j.newest(j.dir.file(stageDir[stage]))
		if err != nil {
			return err
		}
		if from == nil || from.Step == c.Steps {
			continue
		}
		if err := c.Continues(*from); err != nil {
			return fault.Usage("repeat the stored values, or use another --out", "%s in %s cannot go on: %w", stage, j.dir.path, err)
		}
	}
	return nil
}

// checkStages finds what would stop a later stage before the first one starts.
func (j *job) checkStages() error {
	images, final := j.data.Train.Len(), j.retrainImages().Len()
	for _, err := range []error{
		j.netConfig().Check(), j.finalConfig(true).Check(), j.scoreConfig(false).Check(),
		j.sgdConfig(j.cfg.Train.SGD, images).Check(), j.retrainConfig(final).Check(),
	} {
		if err != nil {
			return fault.WithCode(err, fault.ExitUsage, "")
		}
	}
	for _, n := range []struct {
		key       string
		got, have int
	}{
		{"train.batch", j.cfg.Train.Batch, images}, {"retrain.batch", j.cfg.Retrain.Batch, final},
		{"score.recal_images", j.cfg.Score.RecalImages, images},
		{"score.recheck_recal_images", j.cfg.Score.RecheckRecalImages, images},
	} {
		if n.got > n.have {
			return fault.Usage("", "%s is %d, but there are only %d training images", n.key, n.got, n.have)
		}
	}
	if n, have := j.cfg.Score.Images, j.data.Search.Len(); n > have {
		return fault.Usage("0 is all of them", "score.images is %d, but there are only %d search images", n, have)
	}
	if j.arch != nil && j.limited {
		if err := j.checkLimit(j.arch); err != nil {
			return fault.WithCode(err, fault.ExitUsage, "the search kept to that limit with another size of the retrained network")
		}
	}
	var err error
	j.within, err = j.searchSpace()
	return err
}

// describe writes config.yaml and manifest.json, and compares the data with the
// manifest of the run that is continued.
func (j *job) describe(now time.Time, stored bool) error {
	b, err := j.cfg.YAML()
	if err != nil {
		return err
	}
	m := newManifest(j.cfg, j.data, now)
	m.ConfigSHA256 = fmt.Sprintf("%x", sha256.Sum256(b))
	if stored {
		old, err := j.dir.readManifest()
		switch {
		case errors.Is(err, fs.ErrNotExist): // stopped before it was written
		case err != nil:
			return err
		case old.Dataset.SHA256 != m.Dataset.SHA256 && old.Seed == m.Seed:
			return fault.New(fault.ExitInvalid, "point --data-dir at the data the run began with",
				"data set %s differs from that of the run: sha256 %.12s, was %.12s", j.cfg.Data.Name, m.Dataset.SHA256, old.Dataset.SHA256)
		default:
			m.Started = old.Started
			m.Resumed = append(old.Resumed, now.Format(time.RFC3339))
		}
	}
	if err := j.dir.writeJSON(m, "manifest.json"); err != nil {
		return err
	}
	return atomicfile.WriteFile(j.dir.file("config.yaml"), b, 0o644)
}

// writeConfig writes a configuration that changed in the course of the run.
func (j *job) writeConfig() error {
	b, err := j.cfg.YAML()
	if err != nil {
		return err
	}
	m, err := j.dir.readManifest()
	if err != nil {
		return err
	}
	m.ConfigSHA256 = fmt.Sprintf("%x", sha256.Sum256(b))
	if err := j.dir.writeJSON(m, "manifest.json"); err != nil {
		return err
	}
	return atomicfile.WriteFile(j.dir.file("config.yaml"), b, 0o644)
}

// close ends the job and frees the folder.
func (j *job) close() {
	if j.rt != nil {
		j.rt.Close()
	}
	j.dir.close()
}

// openData opens the data set of a configuration; a missing or damaged one has
// exit code 3.
func openData(c config.Config) (*data.Dataset, error) {
	d, err := data.Open(data.Config{
		Name: c.Data.Name, Dir: c.Data.Dir, SearchSize: c.Data.SearchSize, Seed: c.Seed,
		TrainSize: c.Data.TrainSize, TestSize: c.Data.TestSize,
	})
	return d, fault.WithCode(err, fault.ExitInvalid, "")
}

func exists(dir, name string) bool {
	_, err := os.Stat(dir + string(os.PathSeparator) + name)
	return err == nil
}

// stopped turns the end of ctx into the error of a stop on request, with the
// command that continues.
func (j *job) stopped(ctx context.Context, stage string, done, total int) error {
	err := context.Cause(ctx)
	if !errors.Is(err, fault.ErrStopped) {
		return err
	}
	return fault.Wrap(fault.ExitStopped, fmt.Errorf("%w in stage %s at %d of %d", err, stage, done, total),
		"the same command with --resume --out "+j.dir.path+" continues")
}
