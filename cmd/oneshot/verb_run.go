package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

func (a *app) runCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Train the supernet, search it, retrain the winner, export it, test it once",
		Long: "run does the whole pipeline in one run folder. Ctrl-C saves and stops; the same\n" +
			"command with --resume continues to the same bytes, whatever had been finished.\n\nPresets:\n" + config.PresetHelp(),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.resume && a.opt.out == "" {
				return fault.Usage("name the folder: --resume --out DIR", "--resume without --out: which run?")
			}
			if a.opt.dryRun && a.opt.memoryLimit > 0 {
				return fault.Usage("a run with a limit writes what it chose to config.yaml", "--dry-run opens no data, so it cannot say what --memory-limit would choose")
			}
			if a.opt.dryRun {
				return a.dryRun("tiny")
			}
			return a.inJob(cmd.Context(), jobOptions{preset: "tiny", create: true, trains: []string{"train", "retrain"}, scores: true, limit: a.opt.memoryLimit}, func(ctx context.Context, j *job) error {
				r, err := j.pipeline(ctx)
				if err != nil {
					return err
				}
				return j.show(r, a.opt.json)
			})
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSearch(cmd)
	return cmd
}

// pipeline runs every stage from where the folder stands. A stage that is
// complete only reads its files again.
func (j *job) pipeline(ctx context.Context) (result, error) {
	var r result
	if j.dir.has("result.json") {
		j.ui.infof("%s is finished; this is its result", j.dir.path)
		if err := j.dir.readJSON(&r, "result.json"); err != nil {
			return r, err
		}
		if r.Arch.Hash == "" || r.TestCount == 0 {
			return r, fault.New(fault.ExitInvalid, "delete the file to make it again with --resume", "%s: no result in it", j.dir.file("result.json"))
		}
		return r, nil
	}
	j.announce()
	best, arch, err := j.findArch(ctx)
	if err != nil {
		return r, err
	}
	if j.searched {
		var b strings.Builder
		best.table(&b)
		j.ui.infof("%s", strings.TrimSuffix(b.String(), "\n"))
	}
	final, err := j.retrain(ctx, arch)
	if err != nil {
		return r, err
	}
	if err := j.export(final, arch); err != nil {
		return r, err
	}
	return j.conclude(ctx, best)
}

// findArch trains and searches the supernet as far as that is not done.
func (j *job) findArch(ctx context.Context) (searchSummary, space.Arch, error) {
	n, err := j.train(ctx)
	if err != nil {
		return searchSummary{}, nil, err
	}
	best, err := j.search(ctx, n)
	if err != nil {
		return best, nil, err
	}
	arch, err := j.space.Parse(best.Arch)
	return best, arch, err
}

// announce says what is about to happen.
func (j *job) announce() {
	d, c := j.data, j.cfg
	j.ui.infof("run      %s  (seed %d, %s)", j.dir.path, c.Seed, presetOr(c.Preset))
	j.ui.infof("data     %s: %d images to train, %d to search, %d to test", d.Provenance, d.Train.Len(), d.Search.Len(), d.Test.Len())
	j.announceMemory()
}

func presetOr(name string) string {
	if name == "" {
		return "no preset"
	}
	return "preset " + name
}

// show prints the result of a run.
func (j *job) show(r result, asJSON bool) error {
	if asJSON {
		return j.ui.json(r)
	}
	var b strings.Builder
	s := searchSummary{Samples: r.Search.Samples, Score: r.Search.BestScore, RandomScore: r.Search.RandomScore, RecheckScore: r.Search.RecheckScore}
	fmt.Fprintf(&b, "found    %s  (%s)\n", r.Arch.Text, r.Arch.Hash)
	fmt.Fprintf(&b, "size     %s parameters, %s multiply-adds\n", short(r.Arch.Params), short(r.Arch.MAdds))
	fmt.Fprintf(&b, "search   %s\n", s.headline())
	if t := r.Retrain.SearchTop1; t != nil {
		fmt.Fprintf(&b, "retrain  %.2f %% on the search images after %.4g epochs\n", 100**t, r.Retrain.Epochs)
	}
	fmt.Fprintf(&b, "test     %.2f %% on %d images, looked at once\n", 100*r.TestTop1, r.TestCount)
	fmt.Fprintf(&b, "files    %s: export/model.safetensors, export/arch.json, result.json\n", j.dir.path)
	_, err := fmt.Fprint(j.ui.out, b.String())
	return err
}

// short writes a count with three digits: 1.23 M.
func short(n int64) string {
	v := float64(n)
	for _, unit := range []string{"", " k", " M", " G"} {
		if v < 999.5 {
			return fmt.Sprintf("%.3g%s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g T", v)
}

// dryRun prints what would be done.
func (a *app) dryRun(preset string) error {
	c, err := a.opt.resolve(preset)
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.json(c)
	}
	b, err := c.YAML()
	if err != nil {
		return err
	}
	_, err = a.ui.out.Write(b)
	return err
}
