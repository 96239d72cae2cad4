package graph

import (
	"fmt"
	"slices"
)

// checkMerges proves that the gradient of every value is the sum of one term
// for each consumer. gorgonia recognises equal nodes by a 32-bit hash, so two
// gradient nodes that differ can be merged into one; the result is a gradient
// that is wrong without any error. A chance of 2^-32 a pair is met over the
// many graphs of a training run, so every graph is checked.
func (c *compiler) checkMerges() error {
	if c.g.loss == nil {
		return nil
	}
	affected := c.affected()
	expect := make([][]int, len(c.nodes)) // the terms the gradient of a node must have
	reaches := make([]bool, len(c.nodes))
	reaches[c.g.loss.ID()] = true
	expect[c.g.loss.ID()] = c.at(c.g.seed).terms
	for i := len(c.all) - 1; i >= 0; i-- {
		n := c.all[i]
		op, ok := n.Op().(*forwardOp)
		if !ok || !reaches[n.ID()] || !affected[n.ID()] {
			continue
		}
		u := &c.uses[op.id]
		if err := sameTerms(op.op.Name(), u.dOutOf, expect[n.ID()]); err != nil {
			return err
		}
		if u.terms == nil {
			return fmt.Errorf("graph: %s has no backward node: gorgonia merged it with another", op.op.Name())
		}
		for j, k := range c.at(n).kids {
			if op.diff(j) {
				reaches[k.ID()] = true
				expect[k.ID()] = append(expect[k.ID()], u.terms[j])
			}
		}
	}
	for i, a := range c.g.wanted {
		if err := sameTerms("the parameters of "+a.op.Name(), c.at(c.g.grads[i]).terms, expect[a.bundle.ID()]); err != nil {
			return err
		}
	}
	return nil
}

// affected says for every node whether some parameter influences it
// differentiably.
func (c *compiler) affected() []bool {
	set := make([]bool, len(c.nodes))
	for _, a := range c.g.wanted {
		set[a.bundle.ID()] = true
	}
	for _, n := range c.all {
		op, ok := n.Op().(*forwardOp)
		if !ok {
			continue
		}
		for j, k := range c.at(n).kids {
			if op.diff(j) && set[k.ID()] {
				set[n.ID()] = true
			}
		}
	}
	return set
}

func sameTerms(name string, got, want []int) error {
	if slices.Equal(got, want) {
		return nil
	}
	g, w := slices.Clone(got), slices.Clone(want)
	slices.Sort(g)
	slices.Sort(w)
	if !slices.Equal(g, w) {
		return fmt.Errorf("graph: gradient of %s adds terms %v, its consumers give %v: gorgonia merged two gradient nodes", name, g, w)
	}
	return nil
}
