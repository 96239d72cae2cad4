package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/portable"
	"oneshot/supernet/space"
)

// ExportSpec says what of a run is exported, and where.
type ExportSpec struct {
	Weights string // see WeightNames
	// Subnet is the architecture, as text or "best"; "" is the one that is retrained or, of inherited weights, the best.
	Subnet string
	Forms  []string // see FormNames
	ONNX   portable.ONNXOptions
	To     string // folder to write to; "" chooses one in the run folder
}

// Check refuses what no run can export.
func (e ExportSpec) Check() error {
	if !slices.Contains(WeightNames(), e.Weights) {
		return fault.Usage("", "--weights %q: want %s%s", e.Weights, strings.Join(WeightNames(), ", "), fault.DidYouMean(e.Weights, WeightNames()))
	}
	if (e.ONNX.PlainNorm || e.ONNX.Pixels) && !slices.Contains(e.Forms, "onnx") {
		return fault.Usage("add --format onnx", "--plain-norm and --pixels are of ONNX files")
	}
	return CheckForms(e.Forms)
}

// Needs is Request.Needs of an export; q gives the rules of an architecture whose form does not say them.
func (e ExportSpec) Needs(q config.Request) func(p *plan.Plan, d rundir.Folder) error {
	return func(p *plan.Plan, d rundir.Folder) error {
		arch, err := e.arch(p, d, q)
		if err != nil {
			return err
		}
		if e.Weights != Inherited {
			return e.checkTo()
		}
		if _, any := lastCheckpoint(d.File("supernet")); !any {
			return fault.Usage("`oneshot train --resume --out "+d.Arg()+"` trains one", "%s has no supernet whose weights %s could inherit", d, space.Hash(p.Space, arch))
		}
		if err := p.CheckCeilings(arch); err != nil {
			return fault.Wrap(fault.ExitUsage, err, "`oneshot eval --out "+d.Arg()+" --arch ARCH` scores it all the same")
		}
		chain, err := chainOf(d, p.Config)
		if err != nil {
			return err
		}
		for _, l := range chain {
			if s := stageOf(l.Stage); s.Name == "train" && l.State == StateStale {
				return s.stale(d, d, l.Why)
			}
		}
		return e.checkTo()
	}
}

// arch is the architecture that is exported.
func (e ExportSpec) arch(p *plan.Plan, d rundir.Folder, q config.Request) (space.Arch, error) {
	if e.Weights == Inherited {
		text := e.Subnet
		if text == "" {
			text = "best"
		}
		return pathOf(p, text, d, q)
	}
	arch, err := retrainedArch(p, d)
	if err != nil {
		return nil, err
	}
	if e.Weights == Averaged && p.Config.Retrain.EMA == 0 {
		return nil, fault.Usage("--weights retrained exports those of the last step", "there are no averaged weights in %s: retrain.ema is 0", d)
	}
	if e.Subnet == "" {
		return arch, nil
	}
	want, err := plan.WantedArch(e.Subnet, p.Config.Net, p.Space, d, q)
	if err != nil {
		return nil, err
	}
	if was, asked := p.Space.Format(arch), p.Space.Format(want); was != asked {
		if home := d.File(topFolder, space.Hash(p.Space, want), "export"); rundir.Folder(home).Has("model.safetensors") {
			return nil, fault.Usage("`oneshot eval`, `predict` and `retrain --init` read "+home+"/model.safetensors",
				"%s exports %s, and --top has exported this one to %s", d, was, home)
		}
		return nil, fault.Usage("--weights inherited exports it with the weights of the supernet; `oneshot retrain --arch ARCH` trains it, in another folder with --out",
			"%s retrains another architecture:\n  %s, not\n  %s", d, was, asked)
	}
	return arch, nil
}

// checkTo refuses to write into a run folder, or among files that are of no export.
func (e ExportSpec) checkTo() error {
	if e.To == "" {
		return nil
	}
	if err := OutsideRuns("--to", e.To); err != nil {
		return err
	}
	entries, err := os.ReadDir(e.To)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fault.Usage("--to names a folder, in which model.safetensors is written", "--to %s: %w", e.To, err)
	}
	rec, err := rundir.Folder(e.To).ReadRecord(otherRecord)
	if err == nil && (rec == nil || !strings.HasPrefix(rec.Stage, "export")) {
		return fault.Usage("choose another folder", "--to %s is not empty, and not an export of before", e.To)
	}
	return err
}

// Exports is what ExportAs has written.
type Exports struct {
	Folder rundir.Folder
	Forms  []string // names of files in it beside model.safetensors and arch.json
	Arch   space.Arch
	Origin *Origin // nil: what the retraining ends with
}

// ExportAs exports what a spec says. What only the recipe's retraining ends with is exported in any case where
// weights of it are wanted, after it is finished.
func (r *Run) ExportAs(ctx context.Context, e ExportSpec, q config.Request) (out Exports, err error) {
	if out.Arch, err = e.arch(r.Plan, r.Folder, q); err != nil {
		return out, err
	}
	if e.Weights == Inherited {
		return r.exportInherited(ctx, e, out)
	}
	if _, err := r.ExportAll(ctx); err != nil {
		return out, err
	}
	own := rundir.Folder(r.Folder.File("export"))
	if e.Weights == Raw && r.Config.Retrain.EMA > 0 {
		return r.exportRaw(e, out)
	}
	if e.To == "" {
		out.Folder = own
		out.Forms, err = r.WriteForms(e.Forms, e.ONNX)
		return out, err
	}
	file, err := ReadExport(own.File("model.safetensors"))
	if err != nil {
		return out, err
	}
	x, err := file.Network("", 0, r.rt)
	if err != nil {
		return out, err
	}
	out.Folder = rundir.Folder(e.To)
	from, err := inputs("export", r.Config, r.described, r.Folder)
	if err == nil {
		out.Forms, err = r.exportOther(out, e, x.Net, file.About, from)
	}
	return out, err
}

// exportRaw exports the weights of the last step where the retraining ends with averaged ones.
func (r *Run) exportRaw(e ExportSpec, out Exports) (Exports, error) {
	c, err := newestCheckpoint(r.Folder.File("retrain"), r.process.UI)
	if err != nil {
		return out, err
	}
	n, err := supernet.NewArch(r.Final(true), out.Arch, r.Config.Seed, r.rt)
	if err == nil {
		err = n.LoadNet(*c, false)
	}
	if err == nil {
		n, err = n.Inference()
	}
	if err != nil {
		return out, err
	}
	a := about(r.Plan, r.Final(false), out.Arch)
	if a.AllImages, err = r.knowsSearch(r.Folder); err != nil {
		return out, err
	}
	out.Origin = &Origin{Kind: Raw, Step: c.Step, Steps: r.Training("retrain").Steps}
	a.Weights = out.Origin
	out.Folder = e.folder(rundir.Folder(r.Folder.File(rawFolder)))
	from, err := inputs("export", r.Config, r.described, r.Folder)
	if err == nil {
		out.Forms, err = r.exportOther(out, e, n, a, from)
	}
	return out, err
}

// exportInherited exports a subnetwork with the weights of the supernet as it is, and the statistics of a first score.
func (r *Run) exportInherited(ctx context.Context, e ExportSpec, out Exports) (Exports, error) {
	c, err := newestCheckpoint(r.Folder.File("supernet"), r.process.UI)
	if err != nil {
		return out, err
	}
	super, err := supernet.New(r.Supernet(), r.Config.Seed, r.rt)
	if err == nil {
		err = super.LoadNet(*c, true)
	}
	if err != nil {
		return out, fault.WithCode(fmt.Errorf("%s: checkpoint of step %d: %w", r.Folder.File("supernet"), c.Step, err), fault.ExitInvalid, "")
	}
	steps := r.Training("train").Steps
	if c.Step < steps {
		r.process.UI.Warnf("the supernet is at step %d of %d: what is exported inherits from it as it is", c.Step, steps)
	}
	announceMemory(r.Plan, r.Folder, []string{"search"}, []string{"search"}, nil, r.process.UI)
	restore, err := r.lessGarbage("search")
	if err != nil {
		return out, err
	}
	defer restore()
	scoring := r.Scoring(false)
	s, err := supernet.NewScorer(super, r.Data.Train, r.Data.Search.Part(r.Config.Score.Images), scoring)
	if err != nil {
		return out, err
	}
	defer s.Close()
	n, res, err := s.Subnet(ctx, out.Arch)
	if ctx.Err() != nil {
		return out, fault.Stopped(ctx, r.Folder.Arg(), "export", 0, 1)
	}
	if err != nil {
		return out, fmt.Errorf("%s: %w", r.Folder.File("supernet"), err)
	}
	out.Origin = &Origin{Kind: Inherited, Step: c.Step, Steps: steps, RecalImages: scoring.RecalImages, Score: &res.Top1, Images: res.Images}
	a := about(r.Plan, r.Supernet(), out.Arch)
	a.Weights = out.Origin
	out.Folder = e.folder(rundir.Folder(r.Folder.File(inheritedFolder, space.Hash(r.Space, out.Arch))))
	from := inheritedInputs(r.Config, r.described, r.Folder)
	from[inArch] = r.Space.Format(out.Arch)
	out.Forms, err = r.exportOther(out, e, n, a, from)
	return out, err
}

// folder is where the files are written: the one that was asked for or, without one, usual.
func (e ExportSpec) folder(usual rundir.Folder) rundir.Folder {
	if e.To != "" {
		return rundir.Folder(e.To)
	}
	return usual
}

// exportOther writes a network, its forms and the record of both into a folder that is not the run's export. The record
// is last: until then the files are not those that a record names. A folder that it made is gone again after an error,
// unless a file is in it.
func (r *Run) exportOther(out Exports, e ExportSpec, n *supernet.Net, a About, from map[string]string) (forms []string, err error) {
	d := out.Folder
	if !d.Has() {
		defer func() {
			if err != nil {
				_ = atomicfile.OS.Remove(string(d))
			}
		}()
	}
	if _, err := d.ReadRecord(otherRecord); err != nil { // that of a newer version is not written over
		return nil, err
	}
	if err := r.writeExport(d, n, out.Arch, a); err != nil {
		return nil, err
	}
	file, err := readExport(d.File("model.safetensors"))
	if err == nil {
		forms, err = writeForms(d, file, e.Forms, e.ONNX, r.rt)
	}
	if err != nil {
		return nil, err
	}
	files, err := otherResults(d)
	if err != nil {
		return nil, err
	}
	stage := "export"
	if a.Weights != nil {
		stage += "-" + a.Weights.Kind
	}
	return forms, d.KeepRecord(otherRecord, rundir.Record{Stage: stage, Inputs: from, Arithmetic: []string{r.rt.Arithmetic()}, Outputs: files})
}
