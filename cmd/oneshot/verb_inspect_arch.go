package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/supernet/space/cell"
)

type archReport struct {
	Kind      string `json:"kind"`
	Text      string `json:"text"`
	Hash      string `json:"hash"`
	Space     string `json:"space"`
	Size      string `json:"space_size"`
	Published string `json:"published,omitempty"` // name of a published network with these cells
	Genotype  string `json:"genotype,omitempty"`

	Canonical string `json:"canonical,omitempty"` // the twin that is searched in its place

	Form           string `json:"form,omitempty"` // of cells: cifar or imagenet
	Layers         int    `json:"layers"`
	Channels       int    `json:"channels"`
	Image          int    `json:"image"`
	Classes        int    `json:"classes"`
	PoolNorm       *bool  `json:"pool_norm,omitempty"` // rules of cells
	WeightStandard *bool  `json:"weight_standard,omitempty"`

	Params    int64          `json:"params"`
	MAdds     int64          `json:"madds"`
	AuxParams int64          `json:"aux_params,omitempty"` // more while it is trained with an auxiliary head
	Ops       map[string]int `json:"ops"`                  // uses in the whole architecture
}

// inspectArch costs an architecture as the request would retrain it.
func (a *app) inspectArch(text string, imageNet bool) error {
	c, err := a.opt.resolve("tiny")
	if err != nil {
		return err
	}
	if imageNet && a.opt.request().Gives("retrain.imagenet") && !c.Retrain.ImageNet {
		return fault.Usage("leave out one of them", "--imagenet was given, and retrain.imagenet = false")
	}
	configured, err := plan.OpenSpace(c)
	if err != nil {
		return err
	}
	s, arch, err := plan.ReadArch(text, configured)
	if err != nil {
		return err
	}
	size, source, err := a.countedSize(c, s, arch, imageNet)
	if err != nil {
		return err
	}
	if s, err = plan.WithRules(s, c.Net, a.opt.request()); err != nil {
		return err
	}
	rules := s.Named()
	r := archReport{Kind: "arch", Text: s.Format(arch), Hash: space.Hash(s, arch), Space: s.Name(), Size: s.Size().String(), Ops: map[string]int{},
		Layers: size.Layers, Channels: size.Channels, Image: size.Image, Classes: size.Classes}
	ofCells := rules.Space == space.Cell
	if ofCells {
		r.Form = "cifar"
		if size.ImageNet {
			r.Form = "imagenet"
		}
		r.PoolNorm, r.WeightStandard = &rules.PoolNorm, &rules.WeightStandard
	}
	if twin := s.Canonical(arch); !slices.Equal(twin, arch) {
		r.Canonical = s.Format(twin)
	}
	uses := s.Uses(arch)
	for _, u := range uses {
		if u.N > 0 {
			r.Ops[u.Op] = u.N
		}
	}
	n := supernet.NetConfig{Space: s, Size: size}
	cost := n.Cost
	if !ofCells { // also of one that has no network, as its classifier reads nothing
		if cost, err = n.Costs(); err != nil {
			return fault.WithCode(err, fault.ExitUsage, "")
		}
	}
	if r.Params, r.MAdds, err = cost(arch); err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	n.Aux = ofCells
	if trained, err := s.Describe(n.Size, arch); err == nil { // a head does not fit every size
		r.AuxParams = trained.AuxParams()
	}
	known, _ := findPublished(s, arch)
	r.Published = known.Name
	if cells, ok := s.(cell.Space); ok {
		r.Genotype = cells.Genotype(arch)
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	among := fmt.Sprintf("one of %s in space %s", r.Size, r.Space)
	if s.Encode(arch) == nil {
		among = "in no search of space " + r.Space
	}
	a.ui.Printf("arch     %s\nhash     %s, %s\n", r.Text, r.Hash, among)
	if r.Canonical != "" {
		a.ui.Printf("twin of  %s, which computes the same\n", r.Canonical)
	}
	if known.Name != "" {
		a.ui.Printf("cells    %s (%s)\n", known.Name, known.Source)
	}
	built := ""
	if ofCells {
		a.ui.Printf("rules    %s\n", rulesText(rules))
		built = fmt.Sprintf(" with %d cells of %d channels", r.Layers, r.Channels)
		source = fmt.Sprintf("in the form for %s (%s)", formNames[r.Form], source)
	} else {
		source = "(" + source + ")"
	}
	a.ui.Printf("size     %s parameters, %s multiply-adds%s for %dx%d pixels and %d classes %s\n",
		ui.Count(r.Params), ui.Count(r.MAdds), built, r.Image, r.Image, r.Classes, source)
	if r.AuxParams > 0 {
		a.ui.Printf("         %s parameters more with the auxiliary head of a training\n", ui.Count(r.AuxParams))
	}
	for _, u := range uses {
		a.ui.Printf("         %2d x %s\n", u.N, u.Op)
	}
	if a.ui.Verbose && r.Genotype != "" {
		a.ui.Printf("genotype %s\n", r.Genotype)
	}
	return nil
}

var formNames = map[string]string{"cifar": "CIFAR", "imagenet": "ImageNet"}

// rulesText says a space's rules in words.
func rulesText(n space.Named) string {
	pools, weights := "batch normalisation after pools", ""
	if !n.PoolNorm {
		pools = "no normalisation after pools, as in published networks"
	}
	if n.WeightStandard {
		weights = "; weights of 1x1 convolutions are standardised"
	}
	return pools + weights
}

// countedSize is the size at which an architecture is counted, and in words where that is
// from. An architecture by the rules of published code is counted at its published size,
// unless a preset or a file has another one; flags and --set change either.
func (a *app) countedSize(c config.Config, s space.Space, arch space.Arch, imageNet bool) (z net.Size, source string, err error) {
	r := a.opt.request()
	if s.Named().Space != space.Cell {
		return a.usualSize(c, s, imageNet)
	}
	if c.Net.Space != space.Cell {
		r = asIfIn(r, s.Named())
	}
	z = supernet.DefaultNet().Size
	imageNet = imageNet || r.Gives("retrain.imagenet") && c.Retrain.ImageNet
	published := r.Preset == "" && r.File == "" && (imageNet || !s.Named().PoolNorm)
	g := net.Geometry{Layers: cell.PublishedLayers, Channels: cell.PublishedChannels, StemMultiplier: 3, ImageNet: imageNet}
	switch known, ok := findPublished(s, arch); {
	case imageNet:
		g.Layers, g.Channels = cell.ImageNetLayers, cell.ImageNetChannels
	case ok:
		g.Channels = known.Channels
	}
	var sets []string
	if published {
		sets = []string{fmt.Sprint("retrain.layers=", g.Layers), fmt.Sprint("retrain.channels=", g.Channels), fmt.Sprint("retrain.stem_multiplier=", g.StemMultiplier)}
	}
	if imageNet {
		sets = append(sets, "retrain.imagenet=true")
	}
	r.Sets = append(sets, r.Sets...) // what is asked for stands behind, and wins
	if c, err = r.Resolve(nil, "tiny"); err != nil {
		return z, "", err
	}
	z.Geometry = c.Retrain.Geometry
	named, large := r.Gives("data.name"), !data.Drawn(c.Data.Name) && !data.Official(c.Data.Name)
	switch {
	case z.ImageNet && (large || !named):
		z.Image, z.Classes = cmp.Or(c.Data.Image, cell.ImageNetImage), cell.ImageNetClasses
	case published && !named:
		z.Image = cmp.Or(c.Data.Image, z.Image)
	default:
		z.Image, z.Classes = cmp.Or(c.Data.Image, data.UsualImage(c.Data.Name)), classCount(c.Data.Name)
	}
	source = pipeline.PresetOr(c.Preset)
	if published {
		source = "the usual size of published ones"
		if z.Geometry != g {
			source = "as asked for"
		}
	}
	return z, source, nil
}

// usualSize is countedSize of an architecture that is none of cells: the size of the
// configuration if it is of that space, else the usual one, with what flags say.
func (a *app) usualSize(c config.Config, s space.Space, imageNet bool) (z net.Size, source string, err error) {
	n := s.Named()
	if imageNet {
		return z, "", fault.Usage("", "--imagenet is a form of cells, and the architecture is of space %s", s.Name())
	}
	source = pipeline.PresetOr(c.Preset)
	r, own := a.opt.request(), n == c.Net.Named
	if !own {
		if c, err = asIfIn(r, n).Resolve(nil, "tiny"); err != nil {
			return z, "", err
		}
	}
	if g := s.Geometry(); c.Retrain.Geometry == g {
		source = "the usual size of the space"
	} else if !own || r.Preset == "" && r.File == "" {
		source = "as asked for"
	}
	z = supernet.DefaultNet().Size
	z.Geometry = c.Retrain.Geometry
	z.Image, z.Classes = cmp.Or(c.Data.Image, data.UsualImage(c.Data.Name)), classCount(c.Data.Name)
	return z, source, nil
}

// asIfIn is a request that asks for another space.
func asIfIn(r config.Request, n space.Named) config.Request {
	r.Flags = slices.DeleteFunc(r.Flags, func(f config.Flag) bool { return f.Key == "net.space" })
	r.Sets = slices.DeleteFunc(slices.Clone(r.Sets), func(s string) bool {
		return strings.HasPrefix(s, "net.space=") || strings.HasPrefix(s, "net.blocks=")
	})
	r.Sets = append(spaceSets(n), r.Sets...)
	return r
}

// findPublished is the published pair of cells that an architecture is, if it is one.
func findPublished(s space.Space, arch space.Arch) (cell.Published, bool) {
	if cells, ok := s.(cell.Space); ok {
		return cell.FindPublished(cells, arch)
	}
	return cell.Published{}, false
}

func classCount(dataset string) int {
	if dataset == "cifar100" {
		return 100
	}
	return 10
}
