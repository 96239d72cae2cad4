package main

import (
	"context"

	"github.com/spf13/cobra"

	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet/space"
)

func (a *app) exportCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write the retrained network of a run folder as safetensors", Args: noArgs,
		Long: "export writes export/model.safetensors and export/arch.json in --out. If the\n" +
			"retraining was stopped, it is finished first.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.inRun(cmd.Context(), pipeline.Request{Resume: true, Needs: pipeline.NeedsRetraining}, a.exportVerb)
		},
	}
	a.opt.bindFolder(cmd)
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

func (a *app) exportVerb(ctx context.Context, r *pipeline.Run) error {
	arch, err := r.RetrainedArch()
	if err != nil {
		return err
	}
	n, err := r.Retrain(ctx, arch)
	if err != nil {
		return err
	}
	if err := r.Export(n, arch); err != nil {
		return err
	}
	path := r.Folder.File("export", "model.safetensors")
	out := exportReport{Run: r.Folder.Base(), Weights: "export/model.safetensors", Arch: r.Space.Format(arch), Hash: space.Hash(r.Space, arch)}
	if out.SHA256, out.Bytes, err = rundir.HashFile(path); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(out)
	}
	a.ui.Printf("export   %s\nsha256   %s\nsize     %s bytes\n", path, out.SHA256, ui.Count(out.Bytes))
	return nil
}
