package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/data/source"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// Test evaluates the exported file, once, on the test images and writes
// result.json, and before it test/examples.json. A result that exists is read instead, as long as it was made of what is there
// now: the test images are never looked at twice for the same network. Where the architecture
// was trained with several seeds, or others with it, each network was tested after its training, and the result
// is that of the first.
func (r *Run) Test(ctx context.Context, best rundir.SearchSummary) (rundir.Result, error) {
	var res rundir.Result
	old, err := r.result()
	if err != nil || old != nil && old.current {
		return old.orNone(), err
	}
	x, err := openExport(r.Folder.File("export", "model.safetensors"), r.rt)
	if errors.Is(err, weights.ErrCorrupt) {
		return res, fault.Wrap(fault.ExitInvalid, err, "`oneshot export --out "+r.Folder.Arg()+"` writes it again from the last checkpoint")
	}
	if err != nil {
		return res, err
	}
	res.Run = r.Folder.Base()
	if res.Supernet, err = r.TrainSummary(); err != nil {
		return res, err
	}
	res.Search = rundir.ResultSearch{Samples: best.Samples, BestScore: best.Score, RandomScore: best.RandomScore,
		Algo: best.Algo, RecheckScore: best.RecheckScore, SearchDetail: best.SearchDetail}
	if res.Arch, err = r.DescribeArch(x.Arch); err != nil {
		return res, err
	}
	if res.Retrain, err = r.describeRetrain(); err != nil {
		return res, err
	}
	if several(r.Config.Retrain) && !allTrained(r.Folder, r.Config.Retrain) {
		if _, err := r.train(ctx, x.Arch); err != nil {
			return res, err
		}
	}
	var t rundir.Tested
	tested, err := r.sayTrainings(&res.Retrain)
	switch {
	case err != nil:
		return res, err
	case tested != nil:
		t = *tested
	case old != nil && old.tested:
		t = testedOf(old.Result)
	default:
		if t, err = r.test(ctx, x, r.Folder); err != nil {
			return res, err
		}
	}
	res.Retrain.SearchTop1 = t.SearchTop1
	res.TestTop1, res.TestTop5, res.TestCount, res.Classes, res.BadSamples = t.TestTop1, t.TestTop5, t.TestImages, t.Classes, t.TestBad
	if _, res.Retrain.Replaced, err = LossOf("retrain", r.Folder); err != nil {
		return res, err
	}
	if err := r.keepSeen(t.Seen); err != nil {
		return res, err
	}
	return res, r.writeResult(res)
}

// openExport makes the network of an exported file.
func openExport(path string, rt *supernet.Runtime) (*Exported, error) {
	file, err := ReadExport(path)
	if err != nil {
		return nil, err
	}
	return file.Network("", 0, rt)
}

// test evaluates the network of a training in folder d: on the search images, unless it was
// trained on them, and on the test images.
func (r *Run) test(ctx context.Context, x *Exported, d rundir.Folder) (out rundir.Tested, err error) {
	if out.SearchTop1, err = r.searchTop1(ctx, x.Net, x.Arch, d); err != nil {
		return out, err
	}
	s := newSeeing(r.Data)
	t, err := r.evaluate(ctx, "test", x.Net, x.Arch, r.Data.Test.Batches(evalBatch), r.Data.Test.Len(), s.see)
	if err == nil {
		err = numbers(d.File("export", "model.safetensors"), t)
	}
	if err != nil {
		return out, err
	}
	out.TestTop1, out.TestImages = t.Top1, t.Images
	if len(r.Data.Classes) > 5 {
		out.TestTop5 = &t.Top5
	}
	out.Classes = ByClass(r.Data.Classes, t)
	out.TestBad = r.Data.TestSize - t.Images
	r.notePeak("test")
	export := d.File("export", "model.safetensors")
	sum, _, err := rundir.HashFile(export)
	out.Seen = s.seen(sum)
	return out, err
}

// searchTop1 is the accuracy on the search images of a network that was trained in folder d,
// nil where it was trained on them.
func (r *Run) searchTop1(ctx context.Context, n *supernet.Net, arch space.Arch, d rundir.Folder) (*float64, error) {
	if knows, err := r.knowsSearch(d); err != nil || knows {
		return nil, err
	}
	t, err := r.evaluate(ctx, "check", n, arch, r.Data.Search.Batches(evalBatch), r.Data.Search.Len(), nil)
	if err == nil {
		err = numbers(d.File("export", "model.safetensors"), t)
	}
	return &t.Top1, err
}

// numbers wants the outputs of an exported network to be numbers: the accuracy of others would
// look like any.
func numbers(file string, c supernet.Classified) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// describeRetrain says how the network was retrained; what is measured is left out.
func (r *Run) describeRetrain() (rundir.RetrainSummary, error) {
	s, err := describeTraining(r.Folder, r.Config.Retrain)
	s.Epochs = r.Config.Retrain.EpochsFor(r.Images("retrain").Len())
	return s, err
}

// describeTraining says what the training in folder d began with and learnt from.
func describeTraining(d rundir.Folder, c config.Retrain) (s rundir.RetrainSummary, err error) {
	if c.Teacher != "" {
		s.Teacher = &rundir.Teacher{File: filepath.Base(c.Teacher), SHA256: c.TeacherSHA256}
	}
	s.Start, err = startOf(d, c)
	s.TrainedOnSearch = c.AllImages || s.Start != nil && s.Start.SeenSearch
	return s, err
}

// evalBatch is the batch size of evaluations; running statistics are used, so
// it changes no figure.
const evalBatch = 250

func (r *Run) evaluate(ctx context.Context, stage string, n *supernet.Net, arch space.Arch, batches iter.Seq[*data.Batch], total int, see func(*data.Batch, []float32)) (supernet.Classified, error) {
	res, done, err := evaluate(ctx, r.process.UI, stage, n, arch, batches, total, see)
	if ctx.Err() != nil {
		return res, fault.Stopped(ctx, r.Folder.Arg(), stage, done, total)
	}
	return res, err
}

// evaluate classifies images, says how many it has, and shows see, unless it is nil, each batch with its logits.
func evaluate(ctx context.Context, u *ui.UI, stage string, n *supernet.Net, arch space.Arch, batches iter.Seq[*data.Batch], total int, see func(*data.Batch, []float32)) (res supernet.Classified, done int, err error) {
	m := u.Meter(stage, 0, total)
	defer m.Finish()
	e, err := supernet.NewEvaluator(n)
	if err != nil {
		return res, 0, err
	}
	defer e.Close()
	res, err = e.ClassifySeen(ctx, arch, batches, func(now int) {
		m.Update(now, now-done, "")
		done = now
	}, see)
	return res, done, err
}

// ByClass names the counts of each class.
func ByClass(names []string, c supernet.Classified) []rundir.Class {
	out := make([]rundir.Class, len(names))
	for y, name := range names {
		out[y] = rundir.Class{Name: name, Right: c.ByClass[y].Right, Images: c.ByClass[y].Images}
	}
	return out
}

// imagesFor opens the images of a configuration for a network that was exported. Images
// other than it was made with are taken as they come, whatever sizes the file knows: all of
// them, where they have no test split. given tells which keys the caller gave a value.
func imagesFor(ctx context.Context, about About, c config.Config, given func(key string) bool, split string) (*data.Dataset, error) {
	c.Data.As = about.Preprocess()
	d, err := plan.OpenData(ctx, c, nil)
	var size *data.ConfigError
	otherSize := errors.As(err, &size) && strings.HasSuffix(size.Field, "_size") && !given("data."+size.Field)
	if err != nil && !otherSize || err == nil && d.SHA256 == about.DataSHA256 ||
		!given("data.dir") || data.Official(c.Data.Name) || split != "test" {
		return d, err
	}
	if d != nil {
		d.Close()
	}
	for key, value := range map[string]*int{"train_size": &c.Data.TrainSize, "search_size": &c.Data.SearchSize, "test_size": &c.Data.TestSize} {
		if !given("data." + key) {
			*value = 0
		}
	}
	c.Data.Untrained = true
	return plan.OpenData(ctx, c, nil)
}

// EvaluateFile measures an exported network on a split, test or search, of the images
// of configuration c, which is that of the file where the caller gave no key a value. The
// images are normalised as the file says, whatever they are.
//
// As many images go through the network at a time as room has memory for.
func EvaluateFile(ctx context.Context, u *ui.UI, x *Exported, about About, c config.Config, given func(key string) bool, split string, room Room) (*data.Dataset, supernet.Classified, error) {
	var none supernet.Classified
	d, err := imagesFor(ctx, about, c, given, split)
	if err != nil {
		return nil, none, err
	}
	defer d.Close()
	if d.SHA256 != about.DataSHA256 {
		more := ""
		if split == "test" && (d.TestDrawn || d.Train.Len() == 0) {
			more = "; where some are, it may have been trained on them, as there is no test split"
		}
		u.Warnf("these are not the images the network was made with (sha256 %.12s, was %.12s)%s", d.SHA256, about.DataSHA256, more)
	}
	if err := heldOut(about, c, d, split); err != nil {
		return nil, none, err
	}
	if err := sameClasses(about.Classes, d.Classes); err != nil {
		return nil, none, err
	}
	if d.Image != x.Config.Image {
		return nil, none, fault.Usage(fmt.Sprintf("--img-size %d evaluates it so", d.Image), "the network takes images of %d pixels, those of %s have %d", x.Config.Image, d.Name, d.Image)
	}
	total := d.Test.Len()
	if split == "search" {
		total = d.Search.Len()
		if about.AllImages {
			u.Warnf("the network was trained on these images, itself or as what it started from: their accuracy says nothing about others")
		}
	}
	batch, restore, err := room.fit(u, x, total, d.Bytes(), int64(runtime.GOMAXPROCS(0))*d.ReaderBytes())
	if err != nil {
		return nil, none, err
	}
	defer restore()
	batches := d.Test.Batches(batch)
	if split == "search" {
		batches = d.Search.Batches(batch)
	}
	res, _, err := evaluate(ctx, u, split, x.Net, x.Arch, batches, total, nil)
	if err == nil {
		err = numbers(x.File, res)
	}
	return d, res, err
}

// heldOut refuses a split that may hold images the network was trained or chosen on. The
// hash of the data does not tell: it is the same however they are divided.
func heldOut(about About, c config.Config, d *data.Dataset, split string) error {
	same := d.SHA256 == about.DataSHA256
	divided := c.Data.SearchFrom == about.Data.SearchFrom && c.Data.TestFrom == about.Data.TestFrom && d.TestDrawn == about.TestDrawn
	switch {
	case split == "search" && (!same || !divided || c.Seed != about.Seed || c.Data.SearchSize != about.Data.SearchSize || c.Data.TrainSize != about.Data.TrainSize):
		return fault.Usage(fmt.Sprintf("the network's own split is that of --seed %d, data.train_size %d, data.search_size %d, data.search_from %q, data.test_from %q and the data it was made with",
			about.Seed, about.Data.TrainSize, about.Data.SearchSize, about.Data.SearchFrom, about.Data.TestFrom),
			"another search split than the network's would hold images it was trained on")
	case split == "test" && same && !divided:
		return fault.Usage(fmt.Sprintf("the network's own split is that of data.search_from %q, data.test_from %q and the data it was made with", about.Data.SearchFrom, about.Data.TestFrom),
			"another test split than the network's may hold images it was trained or chosen on")
	case split == "test" && d.TestDrawn && c.Seed != about.Seed:
		// Sizes do not matter: whatever they are, the same images are drawn for the test first.
		return fault.Usage(fmt.Sprintf("--seed %d draws those it was not trained on", about.Seed),
			"the test images are drawn from the training split: seed %d would draw images the network was trained on", c.Seed)
	}
	return nil
}

// LeftOut is how many images of a split cannot be decoded, which an evaluation of it left out.
func LeftOut(d *data.Dataset, split string, c supernet.Classified) int {
	if split == "search" {
		return d.SearchHeld - c.Images
	}
	return d.TestSize - c.Images
}

// sameClasses wants the classes of the data to be those of the network.
func sameClasses(network, images []string) error {
	if len(network) != len(images) {
		missing, more := difference(network, images), difference(images, network)
		what := ""
		if len(missing) > 0 {
			what += "; the data lacks " + source.Some(missing)
		}
		if len(more) > 0 {
			what += "; the network lacks " + source.Some(more)
		}
		return fault.Usage("", "the network has %d classes, the data %d%s", len(network), len(images), what)
	}
	for i := range network {
		if network[i] != images[i] {
			return fault.Usage("", "class %d is %q for the network and %q in the data", i, network[i], images[i])
		}
	}
	return nil
}

// difference lists what of a is not in b.
func difference(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// ScoreArch scores an architecture in the run's supernet as its search sees it; a
// supernet that was stopped is trained to its end first. q gives the rules of an architecture
// whose form does not say them.
func (r *Run) ScoreArch(ctx context.Context, text string, q config.Request) (rundir.Arch, supernet.Result, error) {
	var found rundir.Arch
	arch, err := pathOf(r.Plan, text, r.Folder, q)
	if err != nil {
		return found, supernet.Result{}, err
	}
	n, err := r.Train(ctx)
	if err != nil {
		return found, supernet.Result{}, err
	}
	s, err := supernet.NewScorer(n, r.Data.Train, r.Data.Search.Part(r.Config.Score.Images), r.Scoring(false))
	if err != nil {
		return found, supernet.Result{}, err
	}
	defer s.Close()
	res, err := s.Score(ctx, arch)
	if err != nil {
		return found, res, fmt.Errorf("%s: %w", r.Folder.File(stageOf("train").Begun), err)
	}
	found, err = plan.DescribeArch(r.Space, arch, r.Supernet().Cost)
	return found, res, err
}
