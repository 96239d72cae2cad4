package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet/portable"
	"oneshot/supernet/space"
)

func (a *app) exportCmd() *cobra.Command {
	e := pipeline.ExportSpec{ONNX: portable.ONNXOptions{Producer: "oneshot", Version: build().Version}}
	cmd := &cobra.Command{
		Use: "export", Short: "Write a network of a run folder: safetensors, ONNX, PyTorch", Args: noArgs,
		Long: "export writes export/model.safetensors and export/arch.json in --out, the retrained network. If the\n" +
			"retraining was stopped, it is finished first.\n\n" +
			"--format onnx also writes model.onnx (opset 17), which onnxruntime reads, in a browser too;\n" +
			"--format pytorch model.py, a module that loads model.safetensors and needs torch alone.\n\n" +
			"--weights says which weights:\n" +
			"  retrained  those that the retraining ends with: averaged ones where retrain.ema is above 0\n" +
			"  ema        the same, and refused where there are no averaged weights\n" +
			"  raw        those of the last step; with averaged weights beside them, in export-raw\n" +
			"  inherited  those that --subnet inherits from the supernet, in export-inherited/HASH, with the statistics\n" +
			"             of batch normalisation of its score: on the search images the file has that score. The\n" +
			"             supernet is taken as it is; one that is not trained to its end is said to be so",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := e.Check(); err != nil {
				return err
			}
			q := pipeline.Request{Resume: true, Needs: e.Needs(a.opt.request())}
			if e.Weights == pipeline.Inherited && e.To != "" {
				q.Reads = []string{"train"}
			}
			return a.inRun(cmd.Context(), q, func(ctx context.Context, r *pipeline.Run) error { return a.exportVerb(ctx, r, e) })
		},
	}
	a.opt.bindFolder(cmd)
	fs := cmd.Flags()
	fs.StringSliceVar(&e.Forms, "format", []string{"safetensors"}, "`forms` to write besides safetensors: onnx, pytorch, or both with a comma")
	fs.StringVar(&e.Weights, "weights", pipeline.Retrained, "`kind` of weights: "+strings.Join(pipeline.WeightNames(), ", "))
	fs.StringVar(&e.Subnet, "subnet", "", "`architecture` in any form that --arch of retrain takes, or 'best' (default the retrained one; of inherited weights the best)")
	fs.StringVar(&e.To, "to", "", "another `folder` to write the files to, outside the run folder")
	fs.BoolVar(&e.ONNX.PlainNorm, "plain-norm", false, "of onnx: batch normalisations stay operators of their own, not folded into the convolutions")
	fs.BoolVar(&e.ONNX.Pixels, "pixels", false, "of onnx: the input is pixels of 0 to 255, which the first operators normalise")
	return cmd
}

type exportReport struct {
	Run     string `json:"run"`
	Weights string `json:"weights"` // path in the run folder, or the path with --to
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	Arch    string `json:"arch"`
	Hash    string `json:"hash"`
	// Origin says what the weights are where they are not those that the retraining ends with.
	Origin *pipeline.Origin `json:"origin,omitempty"`
	// Forms are the other files that were written, by paths like that of the weights.
	Forms []string `json:"forms,omitempty"`
}

func (a *app) exportVerb(ctx context.Context, r *pipeline.Run, e pipeline.ExportSpec) error {
	made, err := r.ExportAs(ctx, e, a.opt.request())
	if err != nil {
		return err
	}
	named := made.Folder.File
	if e.To == "" { // by its path in the run folder
		named = func(file ...string) string {
			return strings.TrimPrefix(made.Folder.File(file...), r.Folder.File()+string(filepath.Separator))
		}
	}
	path := made.Folder.File("model.safetensors")
	out := exportReport{Run: r.Folder.Base(), Weights: named("model.safetensors"), Arch: r.Space.Format(made.Arch), Hash: space.Hash(r.Space, made.Arch), Origin: made.Origin}
	if out.SHA256, out.Bytes, err = rundir.HashFile(path); err != nil {
		return err
	}
	for _, f := range made.Forms {
		out.Forms = append(out.Forms, named(f))
	}
	if a.opt.json {
		return a.ui.JSON(out)
	}
	a.ui.Printf("export   %s\nsha256   %s\nsize     %s bytes\n", path, out.SHA256, ui.Count(out.Bytes))
	if out.Origin != nil {
		a.ui.Printf("weights  %s\n", out.Origin)
	}
	for _, f := range made.Forms {
		a.ui.Printf("         %s\n", made.Folder.File(f))
	}
	return nil
}
