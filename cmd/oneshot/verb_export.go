package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/spf13/cobra"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

func (a *app) exportCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write the retrained network of a run folder as safetensors", Args: noArgs,
		Long: "export writes export/model.safetensors and export/arch.json in --out. If the\n" +
			"retraining was stopped, it is finished first.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.dryRun {
				return fault.Usage("", "export has no --dry-run")
			}
			return a.inJob(cmd.Context(), jobOptions{cont: true}, a.exportVerb)
		},
	}
	a.opt.bindRun(cmd)
	return cmd
}

type exportReport struct {
	Run     string `json:"run"`
	Weights string `json:"weights"` // path in the run folder
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	Arch    string `json:"arch"`
	Hash    string `json:"hash"`
}

func (a *app) exportVerb(ctx context.Context, j *job) error {
	arch, err := j.retrainedArch()
	if err != nil {
		return err
	}
	n, err := j.retrain(ctx, arch)
	if err != nil {
		return err
	}
	if err := j.export(n, arch); err != nil {
		return err
	}
	r := exportReport{Run: j.dir.base(), Weights: "export/model.safetensors", Arch: j.space.Format(arch), Hash: space.Hash(j.space, arch)}
	if r.SHA256, r.Bytes, err = hashFile(j.dir.file("export", "model.safetensors")); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.json(r)
	}
	a.ui.printf("export   %s\nsha256   %s\nsize     %s bytes\n", j.dir.file("export", "model.safetensors"), r.SHA256, short(r.Bytes))
	return nil
}

// retrainedArch is what the folder retrains: the one recorded when that began,
// else the best of the search.
func (j *job) retrainedArch() (space.Arch, error) {
	b, err := atomicfile.ReadAtMost(j.dir.file("retrain", "arch.json"), 1<<20)
	if err != nil {
		return j.wantedArch("best")
	}
	return archIn(j.space, b)
}

func hashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
