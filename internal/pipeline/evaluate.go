package pipeline

import (
	"context"
	"iter"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Test evaluates the exported file, once, on the test images and writes
// result.json. A result that exists is read instead: the test images are never
// looked at twice.
func (r *Run) Test(ctx context.Context, best rundir.SearchSummary) (rundir.Result, error) {
	var res rundir.Result
	if r.Folder.Has("result.json") {
		return res, r.Folder.ReadJSON(&res, "result.json")
	}
	file, err := ReadExport(r.Folder.File("export", "model.safetensors"))
	if err != nil {
		return res, err
	}
	x, err := file.Network("", r.rt)
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
	if res.Retrain, err = r.RetrainSummary(ctx, x.Net, x.Arch); err != nil {
		return res, err
	}
	t, err := r.evaluate(ctx, "test", x.Net, x.Arch, r.Data.Test.Batches(evalBatch), r.Data.Test.Len())
	if err != nil {
		return res, err
	}
	res.TestTop1, res.TestCount = t.Top1, t.Images
	return res, r.Folder.WriteJSON(res, "result.json")
}

// RetrainSummary measures the final network on the search split, unless it was
// trained on it.
func (r *Run) RetrainSummary(ctx context.Context, n *supernet.Net, arch space.Arch) (rundir.RetrainSummary, error) {
	s := rundir.RetrainSummary{Epochs: r.Config.Retrain.EpochsFor(r.Images("retrain").Len())}
	if r.Config.Retrain.AllImages {
		return s, nil
	}
	t, err := r.evaluate(ctx, "check", n, arch, r.Data.Search.Batches(evalBatch), r.Data.Search.Len())
	s.SearchTop1 = &t.Top1
	return s, err
}

// evalBatch is the batch size of evaluations; running statistics are used, so
// it changes no figure.
const evalBatch = 250

func (r *Run) evaluate(ctx context.Context, stage string, n *supernet.Net, arch space.Arch, batches iter.Seq[*data.Batch], total int) (supernet.Result, error) {
	res, done, err := evaluate(ctx, r.process.UI, stage, n, arch, batches, total)
	if ctx.Err() != nil {
		return res, fault.Stopped(ctx, string(r.Folder), stage, done, total)
	}
	return res, err
}

// evaluate classifies images, and says how many it has.
func evaluate(ctx context.Context, u *ui.UI, stage string, n *supernet.Net, arch space.Arch, batches iter.Seq[*data.Batch], total int) (res supernet.Result, done int, err error) {
	m := u.Meter(stage, 0, total)
	defer m.Finish()
	res, err = supernet.Evaluate(ctx, n, arch, batches, func(now int) {
		m.Update(now, now-done, "")
		done = now
	})
	return res, done, err
}

// EvaluateFile measures an exported network on a split, test or search, of the images
// of configuration c, which is that of the file where the caller changed nothing.
func EvaluateFile(ctx context.Context, u *ui.UI, x *Exported, about About, c config.Config, split string) (*data.Dataset, supernet.Result, error) {
	d, err := plan.OpenData(c)
	if err != nil {
		return nil, supernet.Result{}, err
	}
	if d.SHA256 != about.DataSHA256 {
		u.Warnf("these are not the images the network was made with (sha256 %.12s, was %.12s)", d.SHA256, about.DataSHA256)
	}
	if len(d.Classes) != len(about.Classes) {
		return nil, supernet.Result{}, fault.Usage("", "the network has %d classes, %s has %d", len(about.Classes), d.Name, len(d.Classes))
	}
	if d.Image != about.Image {
		return nil, supernet.Result{}, fault.Usage("", "the network takes images of %d pixels, those of %s have %d", about.Image, d.Name, d.Image)
	}
	if d.Mean != about.Mean || d.Std != about.Std {
		u.Warnf("the images are normalised with other statistics than those the network was trained with")
	}
	batches, total := d.Test.Batches(evalBatch), d.Test.Len()
	if split == "search" {
		if c.Seed != about.Seed || c.Data.SearchSize != about.Data.SearchSize || c.Data.TrainSize != about.Data.TrainSize {
			return nil, supernet.Result{}, fault.Usage("leave out --seed and the sizes of the data", "another search split than the network's would hold images it was trained on")
		}
		batches, total = d.Search.Batches(evalBatch), d.Search.Len()
	}
	res, _, err := evaluate(ctx, u, split, x.Net, x.Arch, batches, total)
	return d, res, err
}

// ScoreArch scores an architecture in the run's supernet as its search sees it; a
// supernet that was stopped is trained to its end first.
func (r *Run) ScoreArch(ctx context.Context, text string) (rundir.Arch, supernet.Result, error) {
	var found rundir.Arch
	arch, err := plan.WantedArch(text, r.Config.Net, r.Space, r.Folder)
	if err != nil {
		return found, supernet.Result{}, err
	}
	if r.Space.Encode(arch) == nil { // before a supernet is trained for it
		return found, supernet.Result{}, fault.Usage("`oneshot retrain --arch` trains it by itself", "%s is no path of a supernet: its outputs or pairs are its own", r.Space.Format(arch))
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
		return found, res, err
	}
	found, err = plan.DescribeArch(r.Space, arch, r.Supernet().Cost)
	return found, res, err
}
