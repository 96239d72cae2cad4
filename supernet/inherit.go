package supernet

import (
	"fmt"
	"slices"

	"oneshot/supernet/net"
	"oneshot/weights"
)

// Inherit takes the values of tensors by their names: those of an exported network of the
// same architecture, or a supernet's, of which it takes its own path. The classifier and
// the layers of the auxiliary head keep their values where the tensors have none for them or
// have another number of classes; drawn names these layers. So do scales and shifts of
// normalisations where the tensors have none at all, as a supernet's without them.
//
// What is missing otherwise, or has another shape, is an error that names the tensor, and
// then nothing changes. So is a tensor that n does not have, unless a supernet has it or an
// auxiliary head.
func (n *Net) Inherit(ts []weights.Tensor) (drawn []string, err error) {
	h := heir{Net: n.clone(), in: newIncoming(ts)}
	h.plain = !slices.ContainsFunc(h.layout.Norms, func(b net.Norm) bool { return h.in.has(b.Name+".weight") || h.in.has(b.Name+".bias") })
	for i, l := range h.full.Layers {
		if l.Op == nil {
			continue
		}
		head := l.Aux || i == h.full.Logits
		if head && (h.absent(l) || h.otherClasses(i)) {
			if !slices.Contains(drawn, l.Name) && len(l.Op.Params()) > 0 {
				drawn = append(drawn, l.Name)
			}
			continue
		}
		if err := h.layer(l); err != nil {
			return nil, err
		}
	}
	if err := h.others(); err != nil {
		return nil, err
	}
	copy(n.params, h.params)
	copy(n.state, h.state)
	copy(n.tracked, h.tracked)
	return drawn, nil
}

// heir is a network that takes its values from others.
type heir struct {
	*Net
	in    *incoming
	plain bool // no normalisation has a scale or a shift
}

// absent says whether there is no parameter of a layer.
func (h *heir) absent(l net.Layer) bool {
	params, _, _ := h.layout.Of(l)
	return !slices.ContainsFunc(params, func(p net.Param) bool { return h.in.has(p.Name) })
}

// otherClasses says whether layer i is a classifier of another number of classes than its
// tensors, which are taken as read then.
func (h *heir) otherClasses(i int) bool {
	if i != h.full.Logits && i != h.full.Aux {
		return false
	}
	params, _, _ := h.layout.Of(h.full.Layers[i])
	classes := 0 // of the tensors
	for _, p := range params {
		t := h.in.by[p.Name]
		if len(t.Shape) != len(p.File) || !slices.Equal(t.Shape[1:], p.File[1:]) || classes > 0 && t.Shape[0] != classes {
			return false
		}
		classes = t.Shape[0]
	}
	if classes == h.cfg.Classes {
		return false
	}
	for _, p := range params {
		h.in.taken[p.Name] = true
	}
	return true
}

// layer takes the values of a layer.
func (h *heir) layer(l net.Layer) error {
	params, norm, norms := h.layout.Of(l)
	bn := h.layout.Norms[norm : norm+norms]
	for _, p := range params {
		if h.plain && slices.ContainsFunc(bn, func(b net.Norm) bool { return p.Name == b.Name+".weight" || p.Name == b.Name+".bias" }) {
			continue
		}
		t, err := h.in.float32s(p.Name, p.File)
		if err != nil {
			return err
		}
		p.FromFile(t, h.param(p))
	}
	for i, b := range bn {
		state := h.state[b.State.Off : b.State.Off+b.State.Len]
		if err := h.in.statistics(b.Name, b.Channels, state, &h.tracked[norm+i]); err != nil {
			return err
		}
	}
	return nil
}

// others wants of the tensors that nobody took that a supernet or an auxiliary head has
// them.
func (h *heir) others() error {
	z := h.cfg.Size
	known := map[string]bool{}
	for _, aux := range []bool{false, true} {
		if z.Aux = aux; aux && z.AuxChannels == [2]int{} {
			z.AuxChannels = DefaultNet().AuxChannels
		}
		if aux && h.cfg.Space.Fits(z) != nil {
			continue // images of that size have no such head
		}
		all, err := h.cfg.Space.Describe(z, nil)
		if err != nil {
			return fmt.Errorf("supernet: inherit: %w", err)
		}
		l := net.NewLayout(all)
		for _, p := range l.Params {
			known[p.Name] = true
		}
		for _, b := range l.Norms {
			for _, s := range []string{runningMean, runningVar, batchesTracked} {
				known[b.Name+s] = true
			}
		}
	}
	for name := range h.in.by {
		if known[name] {
			h.in.taken[name] = true
		}
	}
	return h.in.rest()
}
