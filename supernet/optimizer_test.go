package supernet

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/weights"
)

// optimizers are all there are.
var optimizers = []ops.Descent{
	{Optimizer: "sgd", SGD: ops.SGD{Momentum: 0.9}, AdamW: unused},
	{Optimizer: "sgd", SGD: ops.SGD{Momentum: 0.9, Nesterov: true}, AdamW: unused},
	{Optimizer: "adamw", AdamW: ops.AdamW{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8}},
}

// unused are settings of an optimizer that is not chosen; they have to be in range.
var unused = ops.AdamW{Eps: 1}

func withOptimizer(o ops.Descent) TrainConfig {
	c := smallTrain(5)
	c.Descent, c.LR, c.MinLR, c.WeightDecay, c.DecayNorms = o, 0.01, 0.001, 0.05, false
	return c
}

// trainedWith trains a supernet to step stop, from a checkpoint if there is one.
func trainedWith(t *testing.T, rt *Runtime, o ops.Descent, resume *weights.Checkpoint, stop int) ([]StepStats, weights.Checkpoint) {
	t.Helper()
	n, err := New(smallNet(t, "lanas"), 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, smallData(t).Train, withOptimizer(o))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if resume != nil {
		if err := tr.Restore(*resume); err != nil {
			t.Fatal(err)
		}
	}
	tr.Hold(true)
	var stats []StepStats
	for tr.StepNumber() < stop {
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stats = append(stats, st)
	}
	c, err := tr.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	return stats, c
}

// TestEveryOptimizerResumes is invariant I2 for every optimizer and each of its slots:
// the twin that forgets one must differ.
func TestEveryOptimizerResumes(t *testing.T)     { everyOptimizerResumes(t, newRuntime(t, 2)) }
func TestCUDAEveryOptimizerResumes(t *testing.T) { everyOptimizerResumes(t, newDevice(t, false)) }

func everyOptimizerResumes(t *testing.T, rt *Runtime) {
	for _, o := range optimizers {
		_, c := trainedWith(t, rt, o, nil, 5)
		want := encode(t, c)
		_, half := trainedWith(t, rt, o, nil, 3)
		if _, c := trainedWith(t, rt, o, &half, 5); !bytes.Equal(encode(t, c), want) {
			t.Errorf("%s: stopped and resumed gives other bytes than never stopped", o.Optimizer)
		}
		for _, slot := range o.Rule().Slots() {
			twin, lost := half, 0
			twin.Tensors = slices.Clone(half.Tensors)
			for i, x := range twin.Tensors {
				if strings.HasPrefix(x.Name, slotPrefix(slot)) {
					twin.Tensors[i].F32 = make([]float32, len(x.F32))
					lost++
				}
			}
			if _, c := trainedWith(t, rt, o, &twin, 5); lost == 0 || bytes.Equal(encode(t, c), want) {
				t.Errorf("%s: without its %s (%d tensors) it gives the same bytes: the test is blind", o.Optimizer, slot, lost)
			}
		}
	}
}

// TestCUDAEveryOptimizerTrainsLikeTheProcessor: losses of the same paths and batches.
func TestCUDAEveryOptimizerTrainsLikeTheProcessor(t *testing.T) {
	for _, o := range optimizers {
		want, _ := trainedWith(t, newRuntime(t, 2), o, nil, 4)
		got, _ := trainedWith(t, newDevice(t, false), o, nil, 4)
		for i, w := range want {
			if !(math.Abs(got[i].Loss-w.Loss) <= 2e-3*w.Loss) {
				t.Errorf("%+v: loss of step %d is %g, on the processor %g", o, i, got[i].Loss, w.Loss)
			}
		}
	}
}

// TestAnotherOptimizerIsRefused: a checkpoint is continued by the optimizer it is of.
func TestAnotherOptimizerIsRefused(t *testing.T) {
	for i, o := range []ops.Descent{optimizers[0], optimizers[2]} {
		_, c := trainedWith(t, newRuntime(t, 1), o, nil, 1)
		other := optimizers[2-2*i]
		n, err := New(smallNet(t, "lanas"), 1, newRuntime(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainer(n, smallData(t).Train, withOptimizer(other))
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Restore(c); err == nil || !strings.Contains(err.Error(), o.Optimizer) || !strings.Contains(err.Error(), other.Optimizer) {
			t.Errorf("a checkpoint of %s continued with %s: %v", o.Optimizer, other.Optimizer, err)
		}
		tr.Close()
	}
}
