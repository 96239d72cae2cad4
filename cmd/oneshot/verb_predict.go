package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
)

func (a *app) predictCmd() *cobra.Command {
	var weights string
	top := 1
	cmd := &cobra.Command{
		Use: "predict --weights FILE IMAGE|FOLDER...", Short: "Say what an exported network sees in images",
		Long: "predict classifies image files (JPEG, PNG, WebP, GIF, BMP) and all below folders, and prints a line\n" +
			"for each: the file, its likeliest class and that class's probability. With --json a line is an object.\n" +
			"Images are cut, resized and normalised as the file says that its network learnt them. Files of a folder that\n" +
			"cannot be read are left out with a warning; where one cannot that was named itself, the exit code is 3.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.Usage("as in `oneshot predict --weights model.safetensors photographs`", "predict wants images or folders of images")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if weights == "" {
				return fault.Usage("`oneshot export` writes one", "predict wants --weights FILE, an exported network")
			}
			if top < 1 {
				return fault.Usage("", "--top %d: want at least 1", top)
			}
			return a.predict(cmd.Context(), weights, args, top)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&weights, "weights", "", "exported `file` (safetensors)")
	a.opt.bindRoom(cmd)
	wholeVar(fs, &top, "top", top, "classes to print of each image")
	return cmd
}

func (a *app) predict(ctx context.Context, weights string, args []string, top int) error {
	files, named, err := pipeline.Pictures(args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fault.New(fault.ExitInvalid, "", "there are no files below %s", strings.Join(args, ", "))
	}
	file, err := pipeline.ReadExport(weights)
	if err != nil {
		return err
	}
	base := config.Default()
	base.Seed, base.Data = file.Seed, file.Data
	c, err := a.opt.request().Resolve(&base, "")
	if err != nil {
		return err
	}
	rt, err := device.Open(c.Run, deviceFiles(), a.ui)
	if err != nil {
		return err
	}
	defer rt.Close()
	side := cmp.Or(c.Data.Image, file.Image)
	x, err := file.Network("", side, rt)
	if err != nil {
		return err
	}
	if file.Weights != nil {
		a.ui.Warnf("%s: weights %s", weights, file.Weights)
	}
	v := data.View{Side: side, CropPct: c.Data.CropPct, Resize: c.Data.Resize, Decoder: c.Data.Decoder, Preprocess: *file.Preprocess()}
	seen, wrong := 0, 0
	bad := func(file string, err error) {
		a.ui.Warnf("%v", err)
		if named[file] {
			wrong++
		}
	}
	err = pipeline.Predict(ctx, a.ui, x, v, file.Classes, files, top, a.room(), bad, func(p pipeline.Prediction) error {
		seen++
		return a.showPrediction(p)
	})
	switch {
	case err != nil:
		return err
	case wrong > 0:
		return fault.New(fault.ExitInvalid, "", "%d of the images that were named cannot be read", wrong)
	case seen == 0:
		return fault.New(fault.ExitInvalid, "", "none of the %d files is an image that can be read", len(files))
	}
	return nil
}

func (a *app) showPrediction(p pipeline.Prediction) error {
	a.ui.ClearBar()
	if a.opt.json {
		return a.ui.JSON(p)
	}
	var guesses []string
	for _, g := range p.Top {
		guesses = append(guesses, fmt.Sprintf("%s %.2f %%", g.Class, 100*g.Probability))
	}
	a.ui.Printf("%s  %s\n", strings.ReplaceAll(p.File, "\n", `\n`), strings.Join(guesses, "  "))
	return nil
}
