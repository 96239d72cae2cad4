package supernet

import (
	"fmt"

	"oneshot/ops"
	graphs "oneshot/ops/graph"
	"oneshot/supernet/engine"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// builder turns the layers of a path into an expression graph.
type builder struct {
	layout *net.Layout
	path   *net.Network
	spec   engine.Spec
	g      *graphs.Graph
	out    *engine.Graph
	images graphs.Node
	nodes  []graphs.Node // of the layers
}

// build compiles arch for the backend. It reads only the network's description and
// layout, so it may run beside a training step.
func (n *Net) build(back ops.Backend, arch space.Arch, spec engine.Spec) (*engine.Graph, error) {
	path, err := n.layers(arch)
	if err != nil {
		return nil, err
	}
	side := n.cfg.Image
	b := &builder{layout: n.layout, path: path, spec: spec, g: graphs.New(), nodes: make([]graphs.Node, len(path.Layers)),
		out: &engine.Graph{Batch: spec.Batch, Image: side * side * 3, Classes: n.cfg.Classes, Distributions: spec.Distributions()}}
	b.images = b.g.Input("images", b.out.Images(), spec.Batch, side, side, 3)
	if err := b.layers(false); err != nil {
		return nil, err
	}
	keep := []graphs.Node{b.nodes[path.Logits]}
	if spec.Train {
		loss, err := b.loss()
		if err != nil {
			return nil, err
		}
		if err := b.g.Grad(loss); err != nil {
			return nil, err
		}
		keep = append(keep, loss)
		if path.Aux >= 0 {
			keep = append(keep, b.nodes[path.Aux])
		}
	}
	return b.out, b.compile(back, keep)
}

// layers applies the layers of the auxiliary head, or all others, in their order.
func (b *builder) layers(aux bool) error {
	for i, l := range b.path.Layers {
		if l.Aux != aux {
			continue
		}
		var in []graphs.Node
		for _, k := range l.In {
			if k == net.Images {
				in = append(in, b.images)
			} else {
				in = append(in, b.nodes[k])
			}
		}
		op, in := b.dropped(l, in)
		params, norm, norms := b.layout.Of(l)
		var mems, state []ops.Mem
		for _, p := range params {
			mems = append(mems, p.Mem)
		}
		for k := norm; k < norm+norms; k++ {
			state = append(state, b.layout.Norms[k].State)
			b.out.Norms = append(b.out.Norms, k)
			b.out.States = append(b.out.States, b.layout.Norms[k].State)
		}
		var err error
		if b.nodes[i], err = b.g.Apply(op, mems, state, in...); err != nil {
			return fmt.Errorf("supernet: layer %s: %w", l.Name, err)
		}
	}
	return nil
}

// dropped is the operation of a layer, and its inputs, with a drop-path mask for each
// operand that is a candidate. As in DARTS, only an identity is never dropped.
func (b *builder) dropped(l net.Layer, in []graphs.Node) (ops.Op, []graphs.Node) {
	d, ok := l.Op.(ops.Dropper)
	if !ok || !b.spec.DropPath {
		return l.Op, in
	}
	drop := make([]bool, len(l.In))
	for i, k := range l.In {
		if drop[i] = b.path.Layers[k].Candidate; drop[i] {
			in = append(in, b.g.Input(fmt.Sprintf("mask%d", b.out.Masks), b.out.Mask(b.out.Masks), b.spec.Batch))
			b.out.Masks++
		}
	}
	return d.WithDrop(drop), in
}

// loss adds the loss of the logits and, weighted, that of the auxiliary head, which knows
// the targets alone.
func (b *builder) loss() (graphs.Node, error) {
	entropy := b.entropy()
	loss, err := entropy(b.nodes[b.path.Logits], 1-b.spec.Distill)
	if err != nil {
		return loss, err
	}
	if b.out.Distributions > 1 {
		if loss, err = b.distilled(loss); err != nil {
			return loss, err
		}
	}
	if b.path.Aux < 0 {
		return loss, nil
	}
	if err := b.layers(true); err != nil {
		return loss, err
	}
	aux, err := entropy(b.nodes[b.path.Aux], 1)
	if err != nil {
		return loss, err
	}
	return b.g.Apply(ops.AddScaled{Scale: b.spec.AuxWeight}, nil, nil, loss, aux)
}

// entropy returns the function that applies the cross-entropy, of a weight, against the
// labels or, where those are distributions, against the targets.
func (b *builder) entropy() func(logits graphs.Node, weight float64) (graphs.Node, error) {
	if !b.spec.Soft {
		labels := b.g.Input("labels", b.out.Labels(), b.spec.Batch)
		return func(logits graphs.Node, _ float64) (graphs.Node, error) {
			return b.g.Apply(ops.SoftmaxXent{Smoothing: b.spec.Smoothing}, nil, nil, logits, labels)
		}
	}
	targets := b.g.Input("targets", b.out.Targets(), b.spec.Batch, b.out.Classes)
	return func(logits graphs.Node, weight float64) (graphs.Node, error) {
		return b.g.Apply(ops.SoftXent{Weight: weight, Temperature: 1}, nil, nil, logits, targets)
	}
}

// distilled adds to a loss the one against the teacher's distributions.
func (b *builder) distilled(loss graphs.Node) (graphs.Node, error) {
	teacher := b.g.Input("teacher", b.out.Teacher(), b.spec.Batch, b.out.Classes)
	taught, err := b.g.Apply(ops.SoftXent{Weight: b.spec.Distill, Temperature: b.spec.Temperature}, nil, nil, b.nodes[b.path.Logits], teacher)
	if err != nil {
		return loss, err
	}
	return b.g.Apply(ops.AddScaled{Scale: 1}, nil, nil, loss, taught)
}

func (b *builder) compile(back ops.Backend, keep []graphs.Node) error {
	prog, err := b.g.Compile(back, keep...)
	if err != nil {
		return err
	}
	out := b.out
	out.Prog = prog
	for i, to := range []*ops.Mem{&out.Logits, &out.Loss, &out.Aux}[:len(keep)] {
		*to = prog.Kept[i]
	}
	if !b.spec.Train {
		return nil
	}
	for _, m := range engine.Joined(prog.Params) {
		m.Region = ops.Grad
		out.Grads = append(out.Grads, m)
	}
	vectors := map[ops.Mem]bool{}
	for _, l := range b.path.Layers {
		params, _, _ := b.layout.Of(l)
		for _, p := range params {
			vectors[p.Mem] = len(p.File) < 2
		}
	}
	var decayed, spared []ops.Mem
	for _, m := range prog.Params {
		if vectors[m] && !b.spec.DecayAll {
			spared = append(spared, m)
		} else {
			decayed = append(decayed, m)
		}
	}
	out.Decayed, out.Spared = engine.Joined(decayed), engine.Joined(spared)
	return nil
}
