package main

import (
	"os"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/report/diagram"
	"oneshot/internal/rundir"
)

func (a *app) plotCmd() *cobra.Command {
	var svg, dot, text, imageNet bool
	var out string
	cmd := &cobra.Command{
		Use: "plot ARCH|RUN", Short: "Draw an architecture as SVG, DOT or text",
		Long: "plot draws the network of an architecture, in any form that inspect takes, or of what a run folder has\n" +
			"retrained: its blocks, and the operations of each different kind of block. Without a form it is text.\n" +
			"Widths are those that inspect counts.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.Usage("", "plot wants one architecture or run folder, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			forms := 0
			for _, f := range []bool{svg, dot, text} {
				if f {
					forms++
				}
			}
			if forms > 1 {
				return fault.Usage("leave out the others", "--svg, --dot and --text exclude each other")
			}
			d, err := a.drawing(args[0], imageNet)
			if err != nil {
				return err
			}
			form, picture := "text", d.Text()
			if svg {
				form, picture = "svg", d.SVG()
			} else if dot {
				form, picture = "dot", d.DOT()
			}
			switch {
			case out != "":
				return pipeline.WriteFile(out, []byte(picture))
			case a.opt.json:
				return a.ui.JSON(struct {
					Form    string `json:"form"`
					Picture string `json:"picture"`
				}{form, picture})
			}
			a.ui.Printf("%s", picture)
			return nil
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&svg, "svg", false, "a picture for a browser")
	fs.BoolVar(&dot, "dot", false, "a graph for Graphviz")
	fs.BoolVar(&text, "text", false, "a list of blocks and operations")
	fs.StringVarP(&out, "out", "o", "", "`file` to write instead of printing")
	fs.BoolVar(&imageNet, "imagenet", false, "the form for ImageNet")
	return cmd
}

// drawing is that of an architecture, or of the network that a run folder has retrained.
func (a *app) drawing(what string, imageNet bool) (*diagram.Drawing, error) {
	if info, err := os.Stat(what); err == nil && info.IsDir() {
		return pipeline.DrawRun(rundir.Folder(what))
	}
	c, err := a.opt.resolve("tiny")
	if err != nil {
		return nil, err
	}
	configured, err := plan.OpenSpace(c)
	if err != nil {
		return nil, err
	}
	s, arch, err := plan.ReadArch(what, configured)
	if err != nil {
		return nil, err
	}
	size, _, err := a.countedSize(c, s, arch, imageNet)
	if err != nil {
		return nil, err
	}
	if s, err = plan.WithRules(s, c.Net, a.opt.request()); err != nil {
		return nil, err
	}
	n, err := s.Describe(size.Counted(), arch)
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitUsage, "")
	}
	return diagram.Of(n)
}
