package net

import (
	"slices"

	"oneshot/ops"
)

// Cost counts the values that a network trains and its multiply-adds for one image:
// convolutions and the classifier; pooling, normalisation and additions are not
// counted. The network must have no choices.
func (n *Network) Cost() (params, madds int64, err error) {
	c, err := n.Costs()
	if err != nil {
		return 0, 0, err
	}
	params, madds = c.Of(nil)
	return params + n.Unread.Params, madds + n.Unread.MAdds, nil
}

// AuxParams is how many values the auxiliary head trains; 0 without one.
func (n *Network) AuxParams() (params int64) {
	for _, l := range n.Layers {
		if !l.Aux {
			continue
		}
		for _, p := range l.Op.Params() {
			params += int64(p.Shape.Size())
		}
	}
	return params
}

// Costs knows what every layer of a network costs, and so what each of its paths
// does, in some microseconds.
type Costs struct {
	net           *Network
	params, madds []int64 // by layer
}

// Costs counts each layer once.
func (n *Network) Costs() (*Costs, error) {
	shapes, err := n.Shapes(1)
	if err != nil {
		return nil, err
	}
	c := &Costs{net: n, params: make([]int64, len(n.Layers)), madds: make([]int64, len(n.Layers))}
	for i, l := range n.Layers {
		if l.Op == nil {
			continue
		}
		for _, p := range l.Op.Params() {
			c.params[i] += int64(p.Shape.Size())
		}
		c.madds[i] = l.Op.Cost(n.inShapes(i, shapes, 1), shapes[i]).MulAdds
	}
	return c, nil
}

// Of is the cost of path a without the auxiliary head. a must have the network's
// number of choices.
func (c *Costs) Of(a []int) (params, madds int64) {
	for i, counted := range c.counted(a) {
		if counted {
			params += c.params[i]
			madds += c.madds[i]
		}
	}
	return params, madds
}

// counted marks the layers that path a is said to have. In a network that counts as a
// whole these are all but the candidates that no choice picks.
func (c *Costs) counted(a []int) []bool {
	n := c.net
	if !n.Whole {
		return n.live(a, n.nothing(a), n.Logits)
	}
	counted := make([]bool, len(n.Layers))
	for i := len(counted) - 1; i >= 0; i-- {
		l := &n.Layers[i]
		counted[i] = counted[i] || !l.Candidate && !l.Aux
		if !counted[i] {
			continue
		}
		for _, p := range l.Pick {
			if k := l.In[a[p]]; k >= 0 {
				counted[k] = true
			}
		}
		if !l.Candidate {
			continue
		}
		for _, k := range l.In { // the rest of a chain of operations
			if k >= 0 {
				counted[k] = true
			}
		}
	}
	return counted
}

// Moved is how many floats a training step has to move between the processor and
// memory for one image: those of each operation (ops.Cost), and one more reading of
// a gradient for every reader of a layer's output after the first. The network must
// have no choices; the auxiliary head is left out.
func (n *Network) Moved() (int64, error) {
	shapes, err := n.Shapes(1)
	if err != nil {
		return 0, err
	}
	readers := make([]int, len(n.Layers))
	var floats int64
	for i, live := range n.live(nil, n.nothing(nil), n.Logits) {
		if !live {
			continue
		}
		l := &n.Layers[i]
		floats += l.Op.Cost(n.inShapes(i, shapes, 1), shapes[i]).Moved
		for _, k := range l.In {
			if k >= 0 {
				readers[k]++
			}
		}
	}
	for i, r := range readers {
		if r > 1 {
			floats += int64(r-1) * int64(shapes[i].Size())
		}
	}
	return floats, nil
}

// Widest is about the path whose training needs the most memory: for every choice
// the candidates that keep the most for the backward pass, of equals those with more
// parameters, of these the later ones. Of some 900 sampled paths of the cell space
// with such candidates everywhere some needed up to 8 % more in networks of 3 cells,
// 0.3 % more in those of 6 to 20. Choices that stand in no layer, as those of a cell which a short network
// does not have, are 0 and 1 in turn, so that no two neighbours are equal.
func (n *Network) Widest() ([]int, error) {
	shapes, err := n.Shapes(2)
	if err != nil {
		return nil, err
	}
	type weight struct{ kept, params int }
	weights := make([]weight, len(n.Layers))
	back := ops.NewCPU[float32](nil)
	for i, l := range n.Layers {
		if !l.Candidate {
			continue // a layer that a choice only passes on keeps nothing more
		}
		w := &weights[i]
		for _, k := range l.In { // of a chain of operations the last stands in the choice
			if k >= 0 {
				w.kept, w.params = w.kept+weights[k].kept, w.params+weights[k].params
			}
		}
		w.kept += shapes[i].Size() + back.Saved(l.Op, n.inShapes(i, shapes, 2), shapes[i])
		for _, p := range l.Op.Params() {
			w.params += p.Shape.Size()
		}
	}
	weigh := func(k int) weight {
		if k < 0 {
			return weight{}
		}
		return weights[k]
	}
	a := make([]int, n.Choices)
	for i := range a {
		a[i] = i % 2
	}
	set := make([]bool, len(a))
	for _, l := range n.Layers {
		if l.Pick == nil || set[l.Pick[0]] {
			continue // the same choice stands in several layers: the first decides
		}
		order := make([]int, len(l.In))
		for k := range order {
			order[k] = k
		}
		slices.SortStableFunc(order, func(x, y int) int {
			a, b := weigh(l.In[x]), weigh(l.In[y])
			if a.kept != b.kept {
				return b.kept - a.kept
			}
			if a.params != b.params {
				return b.params - a.params
			}
			return y - x
		})
		best := slices.Clone(order[:len(l.Pick)])
		slices.Sort(best)
		for j, p := range l.Pick {
			a[p], set[p] = best[j], true
		}
	}
	return a, nil
}

// Forward is a program that runs every layer forward, one after the other, without
// memory of its own: from it a backend says what its kernels need beside.
func (n *Network) Forward(batch int) (*ops.Program, error) {
	shapes, err := n.Shapes(batch)
	if err != nil {
		return nil, err
	}
	p := &ops.Program{}
	for i, l := range n.Layers {
		if l.Op == nil {
			continue
		}
		p.Instrs = append(p.Instrs, ops.Instr{Kind: ops.Forward, Op: l.Op, Call: ops.Call{InShape: ops.Inputs(l.Op, n.inShapes(i, shapes, batch)), OutShape: shapes[i]}})
	}
	return p, nil
}
