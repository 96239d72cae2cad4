package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// checkMerges proves that the gradient of every value is the sum of one term
// for each consumer. gorgonia recognises equal nodes by a 32-bit hash, so two
// gradient nodes that differ can be merged into one; the result is a gradient
// that is wrong without any error. A chance of 2^-32 a pair is met over the
// many graphs of a training run, so every graph is checked.
func (c *compiler) checkMerges(roots Roots) error {
	if roots.Loss == nil {
		return nil
	}
	wanted := map[*gorgonia.Node]bool{}
	for _, n := range roots.Wanted {
		wanted[n] = true
	}
	affected := c.affected(wanted)
	expect := map[*gorgonia.Node][]int{} // node -> the terms its gradient must have
	reaches := map[*gorgonia.Node]bool{roots.Loss: true}
	expect[roots.Loss] = c.terms[c.g.seed]
	for i := len(c.all) - 1; i >= 0; i-- {
		n := c.all[i]
		op, ok := n.Op().(*forwardOp)
		if !ok || !reaches[n] || !affected[n] {
			continue
		}
		if err := sameTerms(op.op.Name(), c.dOutOf[op.applied], expect[n]); err != nil {
			return err
		}
		dIn := c.bwdDIn[op.applied]
		if dIn == nil {
			return fmt.Errorf("ops: %s has no backward node: gorgonia merged it with another", op.op.Name())
		}
		for j, k := range c.kids[n] {
			if op.op.Diff(j) {
				reaches[k] = true
				expect[k] = append(expect[k], dIn[j])
			}
		}
	}
	for i, n := range roots.Wanted {
		if err := sameTerms(n.Name(), c.terms[roots.Grads[i]], expect[n]); err != nil {
			return err
		}
	}
	return nil
}

// affected is the set of nodes that a wanted leaf influences differentiably.
func (c *compiler) affected(wanted map[*gorgonia.Node]bool) map[*gorgonia.Node]bool {
	set := map[*gorgonia.Node]bool{}
	for _, n := range c.all {
		if wanted[n] {
			set[n] = true
		}
		op, ok := n.Op().(*forwardOp)
		if !ok {
			continue
		}
		for j, k := range c.kids[n] {
			if op.op.Diff(j) && set[k] {
				set[n] = true
			}
		}
	}
	return set
}

func sameTerms(name string, got, want []int) error {
	g, w := slices.Clone(got), slices.Clone(want)
	slices.Sort(g)
	slices.Sort(w)
	if !slices.Equal(g, w) {
		return fmt.Errorf("ops: gradient of %s adds terms %v, its consumers give %v: gorgonia merged two gradient nodes", name, g, w)
	}
	return nil
}
