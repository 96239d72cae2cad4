package supernet

import (
	"fmt"
	"math"
	"strings"

	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/weights"
)

// NoNumberError says that what was computed is no number: NaN or infinite. A count of
// right answers would say nothing then.
type NoNumberError struct {
	Of     string // what was computed, such as an architecture's score
	Why    string // the first value that is none, in a few words
	Images int    // that it was computed on
}

func (e *NoNumberError) Error() string { return "supernet: " + e.Of + ": " + e.Why }

// finite says whether a value is a number.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// allFinite says whether all values are.
func allFinite(v []float32) bool {
	for _, x := range v {
		if !finite(float64(x)) {
			return false
		}
	}
	return true
}

// CheckTensors names the first tensor of a network, or of a training, that holds a value
// which none of it can have: NaN, an infinity, a variance below 0.
func CheckTensors(ts []weights.Tensor) error {
	for _, t := range ts {
		if err := checkTensor(t); err != nil {
			return err
		}
	}
	return nil
}

func checkTensor(t weights.Tensor) error {
	if err := weights.CheckFinite([]weights.Tensor{t}); err != nil {
		return err
	}
	if !strings.HasSuffix(t.Name, runningVar) && !strings.HasPrefix(t.Name, slotPrefix("exp_avg_sq")) {
		return nil
	}
	for i, v := range t.F32 {
		if v < 0 {
			return fmt.Errorf("supernet: tensor %q holds %g at index %d, which is no mean of squares", t.Name, v, i)
		}
	}
	return nil
}

// badState names the first running statistic, in the order of the layers, that is no number;
// "" where all are.
func (n *Net) badState(state []float32) string {
	for _, b := range n.layout.Norms {
		for i, v := range state[b.State.Off : b.State.Off+b.State.Len] {
			if finite(float64(v)) {
				continue
			}
			if i < b.Channels {
				return fmt.Sprintf("%s%s[%d] is %g", b.Name, runningMean, i, v)
			}
			return fmt.Sprintf("%s%s[%d] is %g", b.Name, runningVar, i-b.Channels, v)
		}
	}
	return ""
}

// badParam names the first parameter of a path that holds what is no number; "" where none does.
func (n *Net) badParam(g *engine.Graph) string {
	for _, p := range n.layout.Params {
		if used(g, p.Mem.Off) && !allFinite(n.param(p)) {
			return p.Name + " holds what is no number"
		}
	}
	return ""
}

// used says whether the parameter at an offset is one of the graph's.
func used(g *engine.Graph, off int) bool {
	grads := g.Grads
	if g.Union != nil {
		grads = g.Union.Grads
	}
	for _, m := range grads {
		if off >= m.Off && off < m.Off+m.Len {
			return true
		}
	}
	return false
}

// culprit says where the numbers of a step stopped being some, as far as its traces tell: in
// a parameter before it, else in the first running statistic that moved, else in the loss,
// else in the gradient that is nearest to the loss, from where they are computed backwards.
// "" is unknown. Steps that are under way behind it end first.
func (t *Trainer) culprit(p path, loss float64) string {
	alone := t.Ahead() == 1
	for range t.Ahead() - 1 {
		if _, err := t.eng.Finish(); err != nil {
			return ""
		}
	}
	if t.eng.Pull() != nil {
		return ""
	}
	if name := t.net.badParam(p.Graph); name != "" {
		return name
	}
	if name := t.net.badState(t.net.state); name != "" {
		return name
	}
	if !finite(loss) {
		return "the loss is the first"
	}
	r, ok := t.eng.(interface {
		Read(g *engine.Graph, m ops.Mem, v []float32) error
	})
	if !ok || !alone { // another step's gradients are there
		return ""
	}
	for i := len(t.net.layout.Params) - 1; i >= 0; i-- {
		q := t.net.layout.Params[i]
		if !used(p.Graph, q.Mem.Off) {
			continue
		}
		m := q.Mem
		m.Region = ops.Grad
		v := make([]float32, m.Len)
		if r.Read(p.Graph, m, v) == nil && !allFinite(v) {
			return "the gradient of " + q.Name + " holds what is no number"
		}
	}
	return ""
}
