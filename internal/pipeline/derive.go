package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// derive lays over the configuration what follows from the architecture and from the file
// that a retraining starts from. What the command line or its file says otherwise is refused.
func (o *opening) derive(d rundir.Folder) error {
	if err := o.wantsTop(d); err != nil {
		return err
	}
	if err := o.files(d); err != nil {
		return err
	}
	if err := o.fromStart(d); err != nil {
		return err
	}
	return o.fromArch(d)
}

// fromStart takes architecture, form, depth and width of the network that a retraining
// starts from.
func (o *opening) fromStart(d rundir.Folder) error {
	c := o.config
	switch {
	case c.Retrain.Init != "" && o.FitMAdds > 0:
		return fault.Usage("leave out one of them", "--fit-madds chooses a width, and the weights of retrain.init = %s have one", c.Retrain.Init)
	case c.Retrain.Init == config.Inherited:
		want := c
		want.Retrain.Geometry = c.Net.Geometry
		if o.Retrains && !d.Has("supernet") {
			return fault.Usage("run `oneshot train --resume --out "+d.Arg()+"` first, or name an exported file with --init", "retrain.init = inherited: there is no supernet in %s", d)
		}
		return o.take("the weights are those of the supernet", want)
	case !startsFromFile(c.Retrain):
		return nil
	case !o.Retrains && slices.Contains(o.Sizes, "retrain"):
		return fault.Usage("`oneshot retrain --init "+c.Retrain.Init+"` trains the network of the file", "retrain.init = %s is a network, and `run` searches one", c.Retrain.Init)
	}
	want := c
	if f := o.start; f != nil {
		want.Retrain.Geometry = f.geometry()
		if o.Request.Arch == "" {
			o.Request.Arch = f.Arch
		}
	} else if o.old != nil { // it has begun, and needs the file no more
		want.Retrain.Geometry, want.Net.Named = o.old.Retrain.Geometry, o.old.Net.Named
	}
	return o.take("the weights are those of "+c.Retrain.Init, want)
}

// fromArch takes the space of the architecture that the request names, with its rules,
// where no supernet decides it.
func (o *opening) fromArch(d rundir.Folder) error {
	kept := o.stored && o.Config.Preset == "" && o.Config.File == "" // as the folder has it
	if text := o.Request.Arch; text == "" || text == "best" || kept || d.Has("supernet") {
		return nil
	}
	in, err := plan.OpenSpace(o.config)
	if err != nil {
		return err
	}
	s, _, err := plan.ReadArch(o.Request.Arch, in)
	if err == nil {
		s, err = plan.WithRules(s, o.config.Net, o.Config)
	}
	if err != nil || s.Name() == in.Name() {
		return err
	}
	want := o.config
	want.Net.Named = s.Named()
	if s.Named().Space != in.Named().Space || s.Named().Blocks != in.Named().Blocks {
		// A size chosen for one space means nothing for another.
		want.Net.Geometry, want.Retrain.Geometry = s.Geometry(), o.given(s.Geometry())
		want.Retrain.Aux = 0
	}
	return o.take("the architecture is of space "+s.Name(), want)
}

// given is a size of the retrained network with what the request says of it.
func (o *opening) given(g net.Geometry) net.Geometry {
	have := o.config.Retrain.Geometry
	for _, f := range []struct {
		key string
		set func()
	}{
		{"layers", func() { g.Layers = have.Layers }}, {"channels", func() { g.Channels = have.Channels }},
		{"stem_multiplier", func() { g.StemMultiplier = have.StemMultiplier }}, {"imagenet", func() { g.ImageNet = have.ImageNet }},
	} {
		if o.Config.Says("retrain." + f.key) {
			f.set()
		}
	}
	return g
}

// sameArch refuses to start the network of one architecture from that of another, and from a
// file that is not what it says.
func (o *opening) sameArch(s space.Space, arch space.Arch) error {
	if o.start == nil || arch == nil {
		return nil
	}
	of, a, err := space.ParseAny(o.start.Arch)
	if err != nil {
		return fault.New(fault.ExitInvalid, "", "%s: architecture in metadata: %w", o.start.path, err)
	}
	if err := plausible(o.start.config(of), a, o.start.tensors); err != nil {
		return fault.New(fault.ExitInvalid, "", "%s: %w", o.start.path, err)
	}
	if has, want := of.Format(a), s.Format(arch); has != want {
		hint := "leave out --arch to take that of the file"
		if o.stored { // which may have one without --arch
			hint = "retrain with another --out, which takes that of the file"
		}
		return fault.Usage(hint, "%s holds another architecture:\n  %s, not\n  %s", o.start.path, has, want)
	}
	return nil
}

// sameNetwork is sameArch where the network's size was decided before the file was read, too.
func (o *opening) sameNetwork(s space.Space, arch space.Arch) error {
	if err := o.sameArch(s, arch); err != nil || o.start == nil {
		return err
	}
	want := o.config
	want.Retrain.Geometry = o.start.geometry()
	var differs []string
	for _, c := range config.Drift(o.config, want) {
		differs = append(differs, fmt.Sprintf("%s = %v, not %v", c.Key, c.To, c.From))
	}
	if len(differs) > 0 {
		return fault.Usage("retrain with another --out, which takes the size of the file", "%s holds a network of another size: %s", o.start.path, strings.Join(differs, ", "))
	}
	return nil
}

// take takes over a configuration that differs in what is decided elsewhere; why says where.
func (o *opening) take(why string, want config.Config) error {
	var taken, given, instead []string
	for _, c := range config.Drift(o.config, want) {
		if o.Config.Says(c.Key) {
			given = append(given, fmt.Sprintf("%s = %v", c.Key, c.From))
			instead = append(instead, fmt.Sprintf("%s = %v", c.Key, c.To))
		}
		taken = append(taken, fmt.Sprintf("%s %v", c.Key, c.To))
	}
	if len(given) > 0 {
		return fault.Usage("leave out what was given, or what it contradicts", "%s was given, but %s: %s", strings.Join(given, ", "), why, strings.Join(instead, ", "))
	}
	o.config = want
	if len(taken) > 0 {
		o.settled = append(o.settled, fmt.Sprintf("chosen   %s: %s", strings.Join(taken, ", "), why))
	}
	return nil
}

// widthKey is what --fit-madds decides.
const widthKey = "retrain.channels"

// settles says whether a key is decided only when the images are open.
func (o *opening) settles(key string) bool {
	return slices.Contains(plan.Settled, key) || o.FitMAdds > 0 && key == widthKey
}

// fitWidth chooses the width of the retrained network: the largest whose multiply-adds keep
// to the request's ceiling.
func (o *opening) fitWidth(s space.Space, arch space.Arch, images *data.Dataset) error {
	if o.FitMAdds == 0 {
		return nil
	}
	if arch == nil {
		return fault.Usage("name the architecture with --arch", "--fit-madds finds the width of one architecture")
	}
	if o.Config.Gives(widthKey) {
		return fault.Usage("leave out one of them", "--fit-madds chooses %s, which is given too", widthKey)
	}
	p := plan.Plan{Config: o.config, Space: s, Data: images}
	w, err := plan.FitWidth(p.Final(false), arch, o.FitMAdds)
	if err != nil {
		return err
	}
	o.config.Retrain.Channels = w.Channels
	line := fmt.Sprintf("chosen   %s %d: %s multiply-adds of at most %s, %s parameters", widthKey, w.Channels, ui.Count(w.MAdds), ui.Count(o.FitMAdds), ui.Count(w.Params))
	if w.Above > 0 {
		line += fmt.Sprintf("; with %d it had %s", w.Next, ui.Count(w.Above))
	}
	o.settled = append(o.settled, line)
	return nil
}

// retrained is the architecture that is retrained where the request names none: the best of
// the folder's search or, where there was none, the one that it has begun to retrain.
func (o *opening) retrained(d rundir.Folder) string {
	if !d.Has("search", "best.json") && !d.Has(stageOf("search").Record) {
		if rec, err := d.ReadRecord(stageOf("retrain").Record); err == nil && rec != nil && rec.Inputs[inArch] != "" {
			return rec.Inputs[inArch]
		}
		if d.Has("retrain", "arch.json") {
			return d.File("retrain", "arch.json")
		}
	}
	return "best"
}

// isFree says whether a key may change as it does. More seeds may be added at any time,
// more or fewer architectures compared, and a file may lie elsewhere.
func (o *opening) isFree(d rundir.Folder, c config.Change) bool {
	if c.Key == "retrain.seeds" && slices.Contains(o.Frees, "retrain") && o.config.Retrain.Seeds > o.old.Retrain.Seeds {
		return true
	}
	if c.Key == "retrain.top" && slices.Contains(o.Frees, "retrain") {
		return true // what others have left is kept
	}
	return isFree(d, c.Key, o.Frees) || moved(c.Key, o.old.Retrain, o.config.Retrain)
}
