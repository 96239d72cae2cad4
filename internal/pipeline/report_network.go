package pipeline

import (
	"fmt"
	"html/template"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/report"
	"oneshot/internal/report/diagram"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// drawnNetwork is the network that a run folder has retrained or, before that, the one that was found; nil before
// either. known says that its number of classes and pixels are those of the run.
type drawnNetwork struct {
	space   space.Space
	arch    space.Arch
	size    net.Size
	known   bool
	drawing *diagram.Drawing
}

// DrawRun draws the network of a run folder.
func DrawRun(d rundir.Folder) (*diagram.Drawing, error) {
	if !d.Has("config.yaml") {
		return nil, noRun(d)
	}
	c, err := loadStored(d)
	if err != nil {
		return nil, err
	}
	n, err := networkOf(d, c)
	if err == nil && n == nil {
		err = fault.New(fault.ExitInvalid, "", "%s has no network yet: nothing was found or retrained", d)
	}
	if err != nil {
		return nil, err
	}
	return n.drawing, nil
}

// networkOf draws it.
func networkOf(d rundir.Folder, c config.Config) (*drawnNetwork, error) {
	s, err := plan.OpenSpace(c)
	if err != nil {
		return nil, err
	}
	arch, err := begunArch(s, d)
	if err == nil && arch == nil && d.Has("search", "best.json") {
		arch, err = plan.BestArch(s, d)
	}
	if err != nil || arch == nil {
		return nil, err
	}
	// Only the exported file says how many classes and pixels there are; without it the figures of the parts are left out.
	size := net.Size{Geometry: c.Retrain.Geometry, Classes: 10, Image: max(c.Data.Image, 32)}.Counted()
	out := &drawnNetwork{space: s, arch: arch}
	if d.Has("export", "model.safetensors") {
		x, err := ReadExport(d.File("export", "model.safetensors"))
		if err != nil {
			return nil, err
		}
		if out.known = s.Format(arch) == x.Arch; out.known {
			size = x.config(s).Size.Counted()
		}
	}
	out.size = size
	n, err := s.Describe(size, arch)
	if err != nil {
		return nil, err
	}
	out.drawing, err = diagram.Of(n)
	return out, err
}

// drawNetwork puts it on the page.
func drawNetwork(d rundir.Folder, c config.Config, p *report.RunParts) error {
	n, err := networkOf(d, c)
	if err != nil || n == nil {
		return err
	}
	s, arch, size, known, drawn := n.space, n.arch, n.size, n.known, n.drawing
	for _, k := range drawn.Kinds {
		p.Network = append(p.Network, report.Drawing{Title: k.Name, SVG: template.HTML(k.SVG())})
	}
	if known {
		p.Blocks = report.Table{Title: "Parts", Head: []string{"part", "output", "parameters"}, Left: 2}
		for _, b := range drawn.Blocks {
			p.Blocks.Rows = append(p.Blocks.Rows, []string{b.Name, b.Out, fmt.Sprint(b.Params)})
		}
	}
	for _, u := range s.Uses(arch) {
		if u.N > 0 {
			p.Uses = append(p.Uses, report.Use{Op: u.Op, N: u.N})
		}
	}
	if p.Result != nil {
		p.Arch = &p.Result.Arch
		return nil
	}
	a := rundir.Arch{Hash: space.Hash(s, arch), Text: s.Format(arch)}
	if known {
		if a, err = plan.DescribeArch(s, arch, supernet.NetConfig{Space: s, Size: size}.Cost); err != nil {
			return err
		}
	}
	p.Arch = &a
	return nil
}
