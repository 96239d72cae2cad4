package supernet

import (
	"bytes"
	"testing"

	"oneshot/data"
)

// TestGivenBatchesAreLikeOnesOwn: on the batches of its loader a trainer computes the
// same bytes, whoever gives them; the twin gets two of them in another order.
func TestGivenBatchesAreLikeOnesOwn(t *testing.T) {
	c := smallTrain(6)
	l, err := smallData(t).Train.Loader(data.LoaderConfig{Batch: c.Batch, Seed: c.Seed, Augment: c.Augment, DropLast: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var own []*data.Batch
	for range c.Steps {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		own = append(own, b)
	}
	_, want := train(t, 1, false, nil, c.Steps)
	for _, twin := range []bool{false, true} {
		n, err := New(smallNet(t, "lanas"), 1, newRuntime(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainerOn(n, func(step int) *data.Batch {
			if twin && step < 2 {
				step = 1 - step
			}
			return own[step]
		}, c)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		for range c.Steps {
			if _, err := tr.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := tr.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		if same := bytes.Equal(encode(t, got), want); same == twin {
			t.Errorf("twin %v: the bytes are the same: %v", twin, same)
		}
	}
}
