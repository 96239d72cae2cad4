package supernet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"oneshot/ops"
	"oneshot/weights"
)

// trainState is the part of a checkpoint that is not a tensor.
type trainState struct {
	Step      int    `json:"step"`
	Seed      uint64 `json:"seed"`
	Optimizer string `json:"optimizer,omitempty"` // absent: sgd
}

const (
	optimizerPrefix = "optimizer." // then the name of a slot, a dot, the parameter's name
	emaPrefix       = "ema."
)

// slotPrefix begins the names of the tensors of an optimizer's slot.
func slotPrefix(slot string) string { return optimizerPrefix + slot + "." }

// stored is the optimizer's name in a checkpoint's state.
func (c TrainConfig) stored() string {
	if c.Optimizer != (ops.SGD{}).Name() {
		return c.Optimizer
	}
	return ""
}

// Checkpoint is everything a run needs to continue: weights, statistics,
// the optimizer's slots, averaged weights, step. Data order, paths and masks are functions
// of the step and the seed. It is an error to make one while steps are under way
// on a device (Ahead), or when the device does not give the values.
func (t *Trainer) Checkpoint() (weights.Checkpoint, error) {
	if n := t.Ahead(); n > 0 {
		return weights.Checkpoint{}, fmt.Errorf("supernet: checkpoint at step %d while %d more are under way", t.step, n)
	}
	if err := t.eng.Pull(); err != nil {
		return weights.Checkpoint{}, fmt.Errorf("supernet: checkpoint at step %d: %w", t.step, err)
	}
	ts := t.net.Tensors()
	for i, slot := range t.cfg.Rule().Slots() {
		ts = append(ts, t.net.paramTensors(slotPrefix(slot), t.slots[i])...)
	}
	if t.ema != nil {
		for _, e := range t.ema.Tensors() {
			e.Name = emaPrefix + e.Name
			ts = append(ts, e)
		}
	}
	state, err := json.Marshal(trainState{Step: t.step, Seed: t.cfg.Seed, Optimizer: t.cfg.stored()})
	if err != nil {
		panic(err) // two integers and a word
	}
	return weights.Checkpoint{Step: t.step, Tensors: ts, State: state}, nil
}

// Continues says whether a training as c describes it can go on from a checkpoint; an
// error says what differs. The network is not looked at.
func (c TrainConfig) Continues(from weights.Checkpoint) error {
	_, err := c.state(from)
	return err
}

// state reads the state of a checkpoint from which c can go on.
func (c TrainConfig) state(from weights.Checkpoint) (s trainState, err error) {
	if err := json.Unmarshal(from.State, &s); err != nil {
		return s, fmt.Errorf("supernet: checkpoint state: %w", err)
	}
	if s.Seed != c.Seed {
		return s, fmt.Errorf("supernet: checkpoint was trained with seed %d, not %d", s.Seed, c.Seed)
	}
	if s.Step < 0 || s.Step > c.Steps {
		return s, fmt.Errorf("supernet: checkpoint is at step %d of a run of %d", s.Step, c.Steps)
	}
	if s.Optimizer != c.stored() {
		return s, fmt.Errorf("supernet: checkpoint was trained with the optimizer %s, not %s", cmp.Or(s.Optimizer, ops.SGD{}.Name()), c.Optimizer)
	}
	return s, nil
}

// Restore continues from a checkpoint of the same configuration. On error the
// trainer must not be used.
func (t *Trainer) Restore(c weights.Checkpoint) error {
	s, err := t.cfg.state(c)
	if err != nil {
		return err
	}
	net, slots, ema := splitCheckpoint(c.Tensors)
	if err := t.net.SetTensors(net); err != nil {
		return err
	}
	in := newIncoming(slots)
	for i, slot := range t.cfg.Rule().Slots() {
		if err := in.params(t.net.layout, slotPrefix(slot), t.slots[i]); err != nil {
			return fmt.Errorf("supernet: optimizer: %w", err)
		}
	}
	if err := in.rest(); err != nil {
		return err
	}
	if t.ema != nil {
		if err := t.ema.SetTensors(ema); err != nil {
			return fmt.Errorf("supernet: averaged weights: %w", err)
		}
	}
	t.stop() // graphs prepared for another step
	t.step, t.issued = s.Step, s.Step
	return t.eng.Push()
}

// splitCheckpoint sorts a training checkpoint's tensors into the network's,
// the optimizer's and the averaged network's, whose prefix is removed.
func splitCheckpoint(ts []weights.Tensor) (net, slots, ema []weights.Tensor) {
	for _, t := range ts {
		if strings.HasPrefix(t.Name, optimizerPrefix) {
			slots = append(slots, t)
		} else if name, ok := cutName(t, emaPrefix); ok {
			ema = append(ema, name)
		} else {
			net = append(net, t)
		}
	}
	return net, slots, ema
}

func cutName(t weights.Tensor, prefix string) (weights.Tensor, bool) {
	if len(t.Name) <= len(prefix) || t.Name[:len(prefix)] != prefix {
		return t, false
	}
	t.Name = t.Name[len(prefix):]
	return t, true
}

// LoadNet sets the network from a training checkpoint: its averaged weights
// where it has them and ema is true, else its trained ones.
func (n *Net) LoadNet(c weights.Checkpoint, ema bool) error {
	net, _, avg := splitCheckpoint(c.Tensors)
	if ema && len(avg) > 0 {
		net = avg
	}
	return n.SetTensors(net)
}
