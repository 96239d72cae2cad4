package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet/portable"
	"oneshot/supernet/space"
)

func (a *app) exportCmd() *cobra.Command {
	var forms []string
	o := portable.ONNXOptions{Producer: "oneshot", Version: build().Version}
	cmd := &cobra.Command{
		Use: "export", Short: "Write the retrained network of a run folder: safetensors, ONNX, PyTorch", Args: noArgs,
		Long: "export writes export/model.safetensors and export/arch.json in --out. If the\n" +
			"retraining was stopped, it is finished first.\n\n" +
			"--format onnx also writes export/model.onnx (opset 17), which onnxruntime reads, in a browser too;\n" +
			"--format pytorch export/model.py, a module that loads model.safetensors and needs torch alone.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := pipeline.CheckForms(forms); err != nil {
				return err
			}
			if (o.PlainNorm || o.Pixels) && !slices.Contains(forms, "onnx") {
				return fault.Usage("add --format onnx", "--plain-norm and --pixels are of ONNX files")
			}
			return a.inRun(cmd.Context(), pipeline.Request{Resume: true, Needs: pipeline.NeedsRetraining}, func(ctx context.Context, r *pipeline.Run) error {
				return a.exportVerb(ctx, r, forms, o)
			})
		},
	}
	a.opt.bindFolder(cmd)
	fs := cmd.Flags()
	fs.StringSliceVar(&forms, "format", []string{"safetensors"}, "`forms` to write besides safetensors: onnx, pytorch, or both with a comma")
	fs.BoolVar(&o.PlainNorm, "plain-norm", false, "of onnx: batch normalisations stay operators of their own, not folded into the convolutions")
	fs.BoolVar(&o.Pixels, "pixels", false, "of onnx: the input is pixels of 0 to 255, which the first operators normalise")
	return cmd
}

type exportReport struct {
	Run     string `json:"run"`
	Weights string `json:"weights"` // path in the run folder
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	Arch    string `json:"arch"`
	Hash    string `json:"hash"`
	// Forms are the other files that were written, by their paths in the run folder.
	Forms []string `json:"forms,omitempty"`
}

func (a *app) exportVerb(ctx context.Context, r *pipeline.Run, forms []string, o portable.ONNXOptions) error {
	arch, err := r.ExportAll(ctx)
	if err != nil {
		return err
	}
	path := r.Folder.File("export", "model.safetensors")
	out := exportReport{Run: r.Folder.Base(), Weights: "export/model.safetensors", Arch: r.Space.Format(arch), Hash: space.Hash(r.Space, arch)}
	if out.SHA256, out.Bytes, err = rundir.HashFile(path); err != nil {
		return err
	}
	if out.Forms, err = r.WriteForms(forms, o); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(out)
	}
	a.ui.Printf("export   %s\nsha256   %s\nsize     %s bytes\n", path, out.SHA256, ui.Count(out.Bytes))
	for _, f := range out.Forms {
		a.ui.Printf("         %s\n", r.Folder.File(f))
	}
	return nil
}
